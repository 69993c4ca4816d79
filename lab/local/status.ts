/** `npm run local -- status`: answers an operator's first questions on one screen. */
import * as fs from "node:fs";
import * as path from "node:path";
import { resolveSettings } from "../../components/settings";
import { SERVICES } from "../../components/core/names";
import { localConfig } from "./config";
import { getItems, KUBECONFIG, kubectlLater, KUBECTL } from "./kubectl";
import { componentOf, ready } from "./select";
import { RUN_DIR } from "../common/folders";

const ago = (iso: string | undefined, now = Date.now()): string => {
  if (!iso) return "never";
  const minutes = Math.max(0, Math.round((now - Date.parse(iso)) / 60_000));
  return minutes < 60
    ? `${minutes} min ago`
    : minutes < 48 * 60
      ? `${(minutes / 60).toFixed(1)} h ago`
      : `${(minutes / 1440).toFixed(1)} days ago`;
};

/** Why a pod is not ready, in the words of Kubernetes. */
export function whyNotReady(p: any): string {
  if (p.metadata.deletionTimestamp) return "is ending";
  const states = [...(p.status?.initContainerStatuses ?? []), ...(p.status?.containerStatuses ?? [])];
  const waiting = states.find(
    (s: any) =>
      s.state?.waiting &&
      s.state.waiting.reason !== "PodInitializing" &&
      s.state.waiting.reason !== "ContainerCreating",
  );
  if (waiting)
    return `${waiting.name}: ${waiting.state.waiting.reason}${waiting.state.waiting.message ? `, ${waiting.state.waiting.message}` : ""}`.slice(
      0,
      160,
    );
  const unscheduled = (p.status?.conditions ?? []).find((c: any) => c.type === "PodScheduled" && c.status === "False");
  if (unscheduled) return `not scheduled: ${unscheduled.message}`.slice(0, 160);
  const starting = states.find((s: any) => !s.ready && s.state?.running);
  return starting ? `${starting.name} runs and is not ready` : `${p.status?.phase}`;
}

export interface Facts {
  nodes: any[];
  pods: any[];
  postgres: any[];
  l2: any[];
  ingress: any[];
  redis: Record<string, string>;
  hostnames?: Record<string, string>;
  serverName?: string;
  login?: string;
  caFile?: string;
  now: number;
}

const line = (title: string, text: string): string => `${title.padEnd(14)}${text}`;

function nodeLine(n: any, pods: any[]): string {
  const ok = n.status.conditions.some((c: any) => c.type === "Ready" && c.status === "True");
  const count = pods.filter((p) => p.spec.nodeName === n.metadata.name && p.status.phase !== "Succeeded").length;
  const address = n.status.addresses.find((a: any) => a.type === "InternalIP")?.address ?? "?";
  // Cordoned is shown separately.
  const taints = (n.spec.taints ?? [])
    .filter((t: any) => !(n.spec.unschedulable && t.key === "node.kubernetes.io/unschedulable"))
    .map((t: any) => `${t.key.split("/").pop()}:${t.effect}`);
  const facts = [
    ok ? "Ready" : "NOT READY",
    n.spec.unschedulable ? "cordoned" : "",
    address,
    n.status.nodeInfo.kubeletVersion,
    `${count} pods`,
    taints.length ? `taints ${taints.join(", ")}` : "",
  ];
  return line(n.metadata.name, facts.filter(Boolean).join("  "));
}

function podLines(pods: any[]): string[] {
  const live = pods.filter((p) => p.status.phase !== "Succeeded");
  const bad = live.filter((p) => !ready(p));
  const restarts = live.reduce(
    (n, p) => n + (p.status.containerStatuses ?? []).reduce((m: number, c: any) => m + c.restartCount, 0),
    0,
  );
  return [
    line("pods", `${live.length - bad.length} of ${live.length} ready, ${restarts} container restarts`),
    ...bad.map(
      (p) =>
        `  not ready   ${p.metadata.namespace}/${p.metadata.name} on ${p.spec.nodeName ?? "no node"}: ${whyNotReady(p)}`,
    ),
  ];
}

/** One PostgreSQL cluster: its primary, and whether it could be restored. */
function postgresLines(c: any, { pods, now }: Facts): string[] {
  const s = c.status ?? {};
  const primary = pods.find((p) => p.metadata.name === s.currentPrimary),
    place = primary ? ` on ${primary.spec.nodeName}` : "";
  return [
    line(
      "PostgreSQL",
      `primary ${s.currentPrimary ?? "none"}${place}, ${s.readyInstances ?? 0} of ${c.spec.instances} ready; ${s.phase ?? "no state yet"}`,
    ),
    line(
      "last backup",
      `${s.lastSuccessfulBackup ? `${s.lastSuccessfulBackup}, ${ago(s.lastSuccessfulBackup, now)}` : "none yet"}; WAL archiving ${archiving(s)}`,
    ),
  ];
}
function archiving(status: any): string {
  const condition = (status.conditions ?? []).find((x: any) => x.type === "ContinuousArchiving");
  if (!condition) return "not known";
  return condition.status === "True" ? "works" : `FAILS: ${condition.message}`;
}

function urlLines({ hostnames, ingress }: Facts): string[] {
  if (!hostnames) return [];
  const address = [...new Set(ingress.map((i) => i.status?.loadBalancer?.ingress?.[0]?.ip).filter(Boolean))].join(", ");
  const urls = { "client API": hostnames.homeserver, web: hostnames.web, admin: hostnames.admin };
  return Object.entries(urls)
    .filter(([, host]) => host)
    .map(([what, host]) =>
      line(what, `https://${host}/${what === "client API" ? `   (at ${address || "no address yet"})` : ""}`),
    );
}

/** The screen. Pure. */
export function statusText(f: Facts): string[] {
  return [
    ...f.nodes.map((n) => nodeLine(n, f.pods)),
    ...podLines(f.pods),
    ...f.postgres.flatMap((c) => postgresLines(c, f)),
    ...Object.entries(f.redis).map(([set, master]) => line("Redis", `${set}: ${master}`)),
    ...f.l2.map((s) =>
      line("address", `of ${s.status.serviceNamespace}/${s.status.serviceName} announced by ${s.status.node}`),
    ),
    ...urlLines(f),
    ...(f.login ? [line("login", f.login)] : []),
    ...(f.caFile ? [line("CA", f.caFile)] : []),
  ];
}

/** The master of each set of Redis, as its members report it. */
async function redisMasters(pods: any[]): Promise<Record<string, string>> {
  const sets: Record<string, string> = {};
  for (const component of [SERVICES.redisSynapse, SERVICES.redisLivekit]) {
    const members = pods.filter((p) => componentOf(p) === component && p.status.phase === "Running");
    if (!members.length) continue;
    const said = await Promise.all(
      members.map((p) =>
        kubectlLater([
          "-n",
          p.metadata.namespace,
          "--request-timeout=10s",
          "exec",
          p.metadata.name,
          "-c",
          "redis",
          "--",
          "timeout",
          "5",
          "redis-cli",
          "info",
          "replication",
        ]).catch((e: Error) => e),
      ),
    );
    const masters = members
      .filter((_, i) => typeof said[i] === "string" && /role:master/.test(said[i] as string))
      .map((p) => `${p.metadata.name} on ${p.spec.nodeName}`);
    const replicas = /connected_slaves:(\d+)/.exec(
      said.find((t): t is string => typeof t === "string" && /role:master/.test(t)) ?? "",
    )?.[1];
    const silent = members.filter((_, i) => typeof said[i] !== "string").map((p) => p.metadata.name);
    sets[component] =
      `${masters.length === 1 ? `master ${masters[0]}, ${replicas} replicas` : masters.length ? `SEVERAL call themselves master: ${masters.join(", ")}` : "no master"}${silent.length ? `; no answer from ${silent.join(", ")}` : ""}`;
  }
  return sets;
}

export async function status(): Promise<number> {
  if (!fs.existsSync(KUBECONFIG)) {
    console.log("No cluster runs here. `npm run local` starts one.");
    return 0;
  }
  const optional = (kind: string): any[] => {
    try {
      return getItems(kind, "-A");
    } catch {
      return [];
    }
  };
  const nodes = getItems("nodes"),
    pods = getItems("pods", "-A");
  const { settings } = resolveSettings(localConfig([]), "local");
  const adminFile = path.join(RUN_DIR, "admin.json"),
    caFile = path.join(RUN_DIR, "ca.crt");
  const login = fs.existsSync(adminFile) ? JSON.parse(fs.readFileSync(adminFile, "utf8")) : undefined;
  const hosts = settings ? Object.values(settings.hostnames) : [];
  const ingress = optional("ingresses").filter((i) => i.spec.rules?.some((r: any) => hosts.includes(r.host)));
  console.log(
    statusText({
      nodes,
      pods,
      ingress,
      postgres: optional("clusters.postgresql.cnpg.io"),
      l2: optional("servicel2statuses.metallb.io"),
      redis: await redisMasters(pods),
      hostnames: settings && ingress.length ? { ...settings.hostnames } : undefined,
      login: login && `@${login.user}:${settings?.serverName}   password ${login.password}`,
      caFile: fs.existsSync(caFile) ? caFile : undefined,
      now: Date.now(),
    }).join("\n"),
  );
  console.log(`\nkubectl       KUBECONFIG=${KUBECONFIG} ${KUBECTL} get pods -A`);
  return 0;
}
