/**
 * `npm run hosts -- fence NODE`: declares a lost machine out of service, after making sure that it is. Kubernetes then
 * removes its pods for good and starts them elsewhere, including those that may never run twice.
 * Works through `kubectl` on PATH, with the cluster and the rights that KUBECONFIG gives.
 */
import { spawnSync } from "node:child_process";
import * as net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseWords, Refused, runMain, UsageError } from "./arguments";
import { readStackConfig } from "../components/settings/stackFile";

const USAGE = `npm run hosts -- fence NODE --confirmed-off [--stack NAME] [--context NAME]
npm run hosts -- unfence NODE [--context NAME]
  fence            declares a lost machine out of service, so that its pods start elsewhere
  unfence          undoes that when the machine is back and its node is Ready
  --confirmed-off  you have made sure that the machine is off, or cut off for good (power, switch port, hypervisor)
  --stack NAME     SSH address and port of the machine from Pulumi.NAME.yaml (default: the node's own address, port 22)
  --context NAME   context of the kubeconfig
Uses kubectl on PATH and the cluster of KUBECONFIG.`;

const TAINT = "node.kubernetes.io/out-of-service";
/** Silence shorter than this may be a restart of the kubelet. */
const SILENT_SECONDS = 30;
const SSH_TIMEOUT_MS = 5_000;
/** Kubernetes' pod garbage collector looks every 20 s. */
const GONE_WITHIN_SECONDS = 120;

interface Options {
  context?: string;
  stack?: string;
  confirmedOff: boolean;
  cwd?: string;
}

function kubectl(options: Options, ...args: string[]): string {
  const r = spawnSync(
    "kubectl",
    [...(options.context ? ["--context", options.context] : []), "--request-timeout=20s", ...args],
    { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 },
  );
  if (r.error)
    throw new Refused(
      `kubectl could not be run (${(r.error as NodeJS.ErrnoException).code}): install it, and set KUBECONFIG to the cluster's.`,
    );
  if (r.status !== 0) throw new Refused(`kubectl ${args.join(" ")}: ${r.stderr.trim() || `ended with ${r.status}`}`);
  return r.stdout;
}

interface Condition {
  type: string;
  status: string;
  lastTransitionTime: string;
}
const nodeOf = (options: Options, name: string): any => JSON.parse(kubectl(options, "get", "node", name, "-o", "json"));
const ready = (node: any): Condition | undefined => node.status?.conditions?.find((c: Condition) => c.type === "Ready");
const fenced = (node: any): boolean => (node.spec?.taints ?? []).some((t: any) => t.key === TAINT);

/** Pods that the taint moves: not the node's static pods, those of DaemonSets, or those that have ended. */
function podsOn(options: Options, node: string): string[] {
  const list = JSON.parse(
    kubectl(options, "get", "pods", "--all-namespaces", "--field-selector", `spec.nodeName=${node}`, "-o", "json"),
  );
  return list.items
    .filter(
      (p: any) =>
        !["Succeeded", "Failed"].includes(p.status?.phase) &&
        !(p.metadata.ownerReferences ?? []).some((o: any) => o.kind === "DaemonSet" || o.kind === "Node"),
    )
    .map((p: any) => `${p.metadata.namespace}/${p.metadata.name}`);
}

/**
 * Whether an SSH server answers. A connection that is refused, or accepted without an answer, may come from a gateway
 * and proves nothing.
 */
export function sshAnswers(host: string, port: number, timeoutMs = SSH_TIMEOUT_MS): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const end = (alive: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(alive);
    };
    const timer = setTimeout(() => end(false), timeoutMs);
    let greeting = "";
    socket.on("data", (d) => {
      greeting += d.toString("latin1");
      if (/^SSH-/m.test(greeting)) end(true);
    });
    socket.on("error", () => end(false));
    socket.on("end", () => end(false));
  });
}

function sshOf(options: Options, node: any): { address: string; port: number } {
  const name = node.metadata.name;
  if (options.stack !== undefined) {
    const config = readStackConfig(options.stack, options.cwd) as { hosts?: any[]; ssh?: any };
    const host = (config.hosts ?? []).find((h) => h.name === name);
    if (!host) throw new Refused(`${name} is not among the hosts of Pulumi.${options.stack}.yaml.`);
    return { address: host.address, port: Number(host.ssh?.port ?? config.ssh?.port ?? 22) };
  }
  const address = (node.status?.addresses ?? []).find((a: any) => a.type === "InternalIP")?.address;
  if (!address) throw new Refused(`The node ${name} has no InternalIP: give --stack, for the machine's address.`);
  return { address, port: 22 };
}

export async function fence(name: string, options: Options): Promise<void> {
  const node = nodeOf(options, name);
  const condition = ready(node);
  if (condition?.status === "True")
    throw new Refused(
      `${name} is Ready: it is not lost. To take out a working machine: kubectl drain ${name} --ignore-daemonsets --delete-emptydir-data`,
    );
  // "False" is reported by a running kubelet; "Unknown" means that the kubelet no longer reports.
  if (condition?.status !== "Unknown")
    throw new Refused(
      `${name} is not ready, but its kubelet still reports: the machine runs, and so may its pods. Repair it, or power it off and wait a minute.`,
    );
  const silent = Math.floor((Date.now() - Date.parse(condition.lastTransitionTime)) / 1000);
  if (!(silent >= SILENT_SECONDS))
    throw new Refused(
      `${name} has been silent for ${silent} s only; it may be restarting. Try again in ${SILENT_SECONDS - silent} s.`,
    );

  const ssh = sshOf(options, node);
  console.log(
    `${name} has been silent for ${silent} s. Asking whether SSH answers at ${ssh.address}, port ${ssh.port} ...`,
  );
  if (await sshAnswers(ssh.address, ssh.port)) {
    throw new Refused(
      `${ssh.address} answers SSH on port ${ssh.port}: the machine runs, and its pods may still run and write. Two main processes, or two event persisters, damage the database. Power it off first; nothing was changed.`,
    );
  }
  if (!options.confirmedOff) {
    throw new Refused(
      `${ssh.address} does not answer SSH, but that proves nothing: it may only be unreachable from here. Make sure that it is off (power, hypervisor, switch port), then run this again with --confirmed-off. Nothing was changed.`,
    );
  }

  const pods = podsOn(options, name);
  if (!fenced(node)) kubectl(options, "taint", "node", name, `${TAINT}=nodeshutdown:NoExecute`);
  console.log(
    `${name} is out of service. Kubernetes removes ${pods.length} pods and starts them elsewhere; pods with data on its disks wait for it, and their replicas serve.`,
  );
  for (let waited = 0; ; waited += 2) {
    const left = podsOn(options, name).filter((p) => pods.includes(p));
    if (left.length === 0) break;
    if (waited >= GONE_WITHIN_SECONDS)
      throw new Refused(
        `Still listed on ${name} after ${waited} s: ${left.join(", ")}. The taint stays; see kubectl describe pod.`,
      );
    await sleep(2_000);
  }
  console.log(`Done. When the machine is back and Ready: npm run hosts -- unfence ${name}`);
}

export function unfence(name: string, options: Options): void {
  const node = nodeOf(options, name);
  if (!fenced(node)) {
    console.log(`${name} is not fenced: nothing to do.`);
    return;
  }
  if (ready(node)?.status !== "True")
    throw new Refused(
      `${name} is not Ready yet: its pods would wait there again. Start the machine, and try again when kubectl get node ${name} says Ready.`,
    );
  kubectl(options, "taint", "node", name, `${TAINT}-`);
  console.log(`${name} accepts pods again; those with data on its disks start now.`);
}

async function main(argv: string[]): Promise<void> {
  const {
    values,
    words: [action, node, ...rest],
  } = parseWords(argv, {
    "confirmed-off": { type: "boolean" },
    stack: { type: "string", short: "s" },
    context: { type: "string" },
    cwd: { type: "string" },
  });
  if (!["fence", "unfence"].includes(action ?? "") || !node || rest.length > 0)
    throw new UsageError("an action and a node are missing: fence NODE, or unfence NODE");
  const options: Options = {
    context: values.context,
    stack: values.stack,
    cwd: values.cwd,
    confirmedOff: values["confirmed-off"] ?? false,
  };
  try {
    if (action === "fence") await fence(node, options);
    else unfence(node, options);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

if (require.main === module) runMain(USAGE, main);
