/** Security as deployed, read and tried on the running stack. Network policies: networkPolicies.test.ts. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { edges as edgesOf } from "../../components/topology";
import { resolveSettings } from "../../components/settings";
import { plan as planOf } from "../../components/plan";
import { PRIVILEGED } from "../../components/layers/cluster/namespaces";
import { access, adminRequest, request, type Access } from "../../lab/local/access";
import { KUBECONFIG, KUBECTL } from "../../lab/local/kubectl";
import { localConfig } from "../../lab/local/config";
import { isPeer, type Ends } from "../security/stack";
import { cluster, connect, list, processes, quickRefusals } from "./helpers/network";
import { noted, recordsProof, seen } from "./helpers/securityProof";

const TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount";
const PART_OF = "app.kubernetes.io/part-of=matrix-ha";
const ours = (): any[] => list("namespaces", "-l", PART_OF);
const levelOf = (n: any): string | undefined => n.metadata.labels["pod-security.kubernetes.io/enforce"];
const running = (): any[] => {
  const names = new Set(ours().map((n) => n.metadata.name));
  return list("pods", "-A").filter((p) => names.has(p.metadata.namespace) && p.status.phase === "Running");
};

/** A pod that keeps `restricted`, and ways to break it, each a control of the Pod Security Standards. */
const container = {
  name: "c",
  image: "localhost/matrix-ha/pause:1",
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    runAsUser: 65534,
    capabilities: { drop: ["ALL"] },
    seccompProfile: { type: "RuntimeDefault" },
  },
};
const pod = (spec: object): object => ({
  apiVersion: "v1",
  kind: "Pod",
  spec: { automountServiceAccountToken: false, containers: [container], ...spec },
});
const own = (more: object): object =>
  pod({ containers: [{ ...container, securityContext: { ...container.securityContext, ...more } }] });
const VIOLATIONS: Record<string, object> = {
  "privileged container": own({ privileged: true, allowPrivilegeEscalation: true }),
  "privilege escalation": own({ allowPrivilegeEscalation: true }),
  root: own({ runAsNonRoot: false, runAsUser: 0 }),
  "capabilities kept": own({ capabilities: {} }),
  "capability added": own({ capabilities: { drop: ["ALL"], add: ["NET_RAW"] } }),
  "no seccomp profile": own({ seccompProfile: { type: "Unconfined" } }),
  "host network": pod({ hostNetwork: true }),
  "host processes": pod({ hostPID: true }),
  "host path": pod({ volumes: [{ name: "v", hostPath: { path: "/" } }] }),
  "host port": pod({ containers: [{ ...container, ports: [{ containerPort: 80, hostPort: 80 }] }] }),
};
/**
 * What the API server says to each of them, by its name: undefined where it would take it. One request each, one
 * program for all.
 */
function admission(namespace: string, objects: Record<string, object>): Record<string, string | undefined> {
  const names = Object.keys(objects);
  const items = names.map((n, i) => ({ ...(objects[n] as any), metadata: { name: `pod-security-probe-${i}` } }));
  const done = spawnSync(KUBECTL, ["-n", namespace, "create", "--dry-run=server", "-f", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    encoding: "utf8",
    env: { ...process.env, KUBECONFIG },
  });
  const taken = new Set([...done.stdout.matchAll(/^pod\/(\S+) created/gm)].map((m) => m[1]!));
  return Object.fromEntries(
    names.map((n, i) => [
      n,
      taken.has(items[i].metadata.name)
        ? undefined
        : (done.stderr.split("\n").find((l) => l.includes(`"${items[i].metadata.name}"`)) ??
          `no answer: ${done.stderr}`),
    ]),
  );
}

describe("pods, as they run", function () {
  this.timeout(300_000);
  recordsProof(2);

  it("Pod Security `restricted` is enforced by the API server where the documents claim it", () => {
    const namespaces = ours();
    const strict = namespaces.filter((n) => !(n.metadata.name in PRIVILEGED));
    assert.ok(strict.length >= 3, strict.map((n) => n.metadata.name).join());
    let refused = 0;
    for (const n of strict) {
      assert.equal(levelOf(n), "restricted", n.metadata.name);
      const said = admission(n.metadata.name, { "a good one": pod({}), ...VIOLATIONS });
      assert.equal(said["a good one"], undefined, n.metadata.name);
      for (const what of Object.keys(VIOLATIONS)) {
        assert.match(said[what] ?? "accepted", /violates PodSecurity "restricted/, `${n.metadata.name}: ${what}`);
        refused++;
      }
    }
    const loose = namespaces.filter((n) => n.metadata.name in PRIVILEGED);
    assert.ok(loose.every((n) => levelOf(n) === "privileged") && loose.length + strict.length === namespaces.length);
    seen(
      `${strict.length} namespaces (${strict.map((n) => n.metadata.name).join(", ")}): ${refused} violating pods refused, a good one accepted in each`,
    );
    seen(`not claimed for ${loose.map((n) => n.metadata.name).join(", ") || "none"}`);
  });

  it("every container there and elsewhere is what it is documented to be", () => {
    let n = 0;
    const wrong: string[] = [];
    for (const p of running())
      for (const c of p.spec.containers) {
        n++;
        const s = { ...p.spec.securityContext, ...c.securityContext },
          name = `${p.metadata.namespace}/${p.metadata.name}/${c.name}`;
        // docs/security.md names them.
        const speaker = p.metadata.namespace === "metallb-system" && c.name === "speaker";
        if (s.privileged || s.allowPrivilegeEscalation !== false || s.readOnlyRootFilesystem !== true)
          wrong.push(`${name}: privileges or a writable root`);
        if (!speaker && (s.runAsUser === 0 || s.runAsNonRoot !== true)) wrong.push(`${name}: root`);
        if (!speaker && (c.securityContext?.capabilities?.add ?? []).some((x: string) => x !== "NET_BIND_SERVICE"))
          wrong.push(`${name}: capabilities`);
      }
    seen(`${n} containers`);
    assert.ok(n > 40);
    assert.deepEqual(wrong, []);
  });

  it("no service account token where none is needed", () => {
    const { settings } = resolveSettings(localConfig([]), "local");
    const edges = edgesOf({ settings: settings!, plan: planOf(settings!) });
    const pids = processes();
    const wrong: string[] = [],
      withToken = new Set<string>();
    let without = 0,
      looked = 0;
    for (const p of running()) {
      const { namespace, name, labels, uid } = p.metadata;
      const end: Ends = { kind: "pod", name, address: "", pod: { namespace, labels } };
      // Needed by pods that use the API. The speaker is on the hosts' network, where edges of pods do not count.
      const needs =
        edges.some((e) => "apiServer" in e.to && isPeer(e.from, end)) ||
        labels["app.kubernetes.io/component"] === "metallb-speaker" ||
        labels.component === "speaker";
      const mounted = p.spec.containers.some((c: any) =>
        (c.volumeMounts ?? []).some((v: any) => v.mountPath === TOKEN),
      );
      const projected = (p.spec.volumes ?? []).some((v: any) =>
        v.projected?.sources?.some((s: any) => s.serviceAccountToken),
      );
      const pid = pids.get(uid);
      const file = pid !== undefined && fs.existsSync(`/proc/${pid}/root${TOKEN}/token`);
      if (pid !== undefined) looked++;
      if (mounted || projected || file) {
        withToken.add(`${namespace}/${labels["app.kubernetes.io/component"] ?? labels["cnpg.io/poolerName"] ?? name}`);
        if (!needs) wrong.push(`${namespace}/${name}`);
      } else without++;
    }
    seen(`${without} pods without; with one, because they use the API: ${[...withToken].sort().join(", ")}`);
    assert.deepEqual(wrong, []);
    assert.ok(without > 30 && looked > 40, `${without} without, ${looked} looked into`);
  });
});

describe("what the announced address shows", function () {
  this.timeout(300_000);
  recordsProof(3);
  let a: Access, token: string;
  before(async () => {
    a = await access();
    token = (await adminRequest(a, `security-${Date.now().toString(36)}`, "a long enough passphrase", true))
      .access_token;
  });

  it("the admin API answers an administrator only at the admin host", async () => {
    const headers = { Authorization: `Bearer ${token}` };
    const good = await request(a, a.hostnames.admin!, "/_synapse/admin/v2/users?limit=1", { headers });
    assert.equal(good.status, 200, "otherwise the refusals say nothing");
    const ways = [
      "/_synapse/admin/v2/users",
      "//_synapse/admin/v2/users",
      "/_synapse//admin/v2/users",
      "/_synapse/%61dmin/v2/users",
      "/%5fsynapse/admin/v2/users",
      "/_SYNAPSE/admin/v2/users",
      "/_matrix/../_synapse/admin/v2/users",
      "/_matrix/%2e%2e/_synapse/admin/v2/users",
      "/_matrix/..%2f_synapse/admin/v2/users",
      "/_matrix/client/..;/../../_synapse/admin/v2/users",
      "/_synapse/client/../admin/v2/users",
      "/_synapse/client/%2e%2e/admin/v2/users",
      "/.well-known/matrix/../../_synapse/admin/v2/users",
      "/_synapse/admin/v1/server_version",
      "/_synapse/admin/v1/register",
    ];
    let refused = 0;
    for (const host of [a.hostnames.homeserver!, a.serverName, a.hostnames.web!])
      for (const way of ways) {
        const answer = await request(a, host, way, { headers });
        // Element Web's host answers any path with its page; what counts is that Synapse does not.
        const leaks = answer.status < 400 && /"(users|total|server_version|nonce)"/.test(answer.body.toString());
        assert.ok(
          !leaks && (host === a.hostnames.web || answer.status >= 400),
          `${host}${way}: ${answer.status} ${answer.body.toString().slice(0, 80)}`,
        );
        refused++;
      }
    seen(`200 at the admin host, ${refused} other ways refused`);
  });

  it("the admin host refuses clients that are not in web.admin.allowCidrs", () => {
    const from = cluster().pods.find((p) => p.pod!.namespace === "kube-system" && !p.hostNetwork)!;
    const get = (net: string): string =>
      spawnSync(
        "nsenter",
        [
          `--net=${net}`,
          "curl",
          "-s",
          "-m",
          "15",
          "--noproxy",
          "*",
          "-o",
          "/dev/null",
          "-w",
          "%{http_code}",
          "--cacert",
          a.caFile,
          "--resolve",
          `${a.hostnames.admin}:443:${a.address}`,
          "-H",
          `Authorization: Bearer ${token}`,
          `https://${a.hostnames.admin}/_synapse/admin/v2/users?limit=1`,
        ],
        { encoding: "utf8" },
      ).stdout;
    const [inside, outside] = [get("/proc/self/ns/net"), get(from.net)];
    assert.equal(inside, "200");
    assert.equal(outside, "403", `from ${from.name}`);
    seen(`${inside} from 10.77.0.1, ${outside} from ${from.name} (${from.address})`);
  });

  it("metrics and replication are not available at any host", async () => {
    const ways = [
      "/metrics",
      "/_synapse/metrics",
      "/_synapse/replication/",
      "/_synapse/replication/presence_set_state/x",
      "/_synapse/replication/fed_send_edu/m.typing/x",
      "/health",
      "/stats",
      "/haproxy?stats",
      "/minio/v2/metrics/cluster",
      "/debug/pprof/",
    ];
    let n = 0;
    for (const host of [...new Set([a.serverName, ...Object.values(a.hostnames)])])
      for (const way of ways) {
        // A reset is not an answer: TURN's name has no HTTPS, and an ingress pod may end just now.
        const ask = (left: number): Promise<{ status: number; body: Buffer }> =>
          request(a, host, way).catch(() => (left > 0 ? ask(left - 1) : { status: 0, body: Buffer.alloc(0) }));
        const answer = await ask(host === a.hostnames.turn ? 0 : 3);
        assert.ok(answer.status > 0 || host === a.hostnames.turn, `${host}${way}: no answer`);
        const text = answer.body.toString();
        assert.ok(
          !/^# (HELP|TYPE) |synapse_|process_cpu_seconds/m.test(text) && !/haproxy_/.test(text),
          `${host}${way}: ${text.slice(0, 100)}`,
        );
        if (host === a.hostnames.homeserver || host === a.serverName)
          assert.ok(answer.status >= 400, `${host}${way}: ${answer.status}`);
        n++;
      }
    seen(`${n} requests, none answered with metrics, replication or state of the proxies`);
  });

  it("no port but HTTP and HTTPS answers at the announced address", () => {
    const c = cluster();
    const ports = [
      ...new Set([
        80,
        443,
        22,
        2379,
        3306,
        8001,
        8002,
        8081,
        8448,
        9100,
        10250,
        6443,
        30159,
        ...c.pods.filter((p) => !p.hostNetwork).flatMap((p) => p.tcp),
      ]),
    ].sort((x, y) => x - y);
    const answers = connect(
      [{ net: c.machine.net, to: ports.map((p): [string, number] => [a.address, p]) }],
      [],
      3,
    )[0]!;
    const open = ports.filter((_, i) => answers[i] === "open");
    seen(`${ports.length} ports tried, open: ${open.join(", ")}`);
    assert.deepEqual(open, [80, 443]);
  });

  it("nor do the pods' own ports, asked from outside of the cluster", () => {
    const c = cluster(),
      inside = c.pods.filter((p) => p.kind === "pod" && !p.hostNetwork);
    const restore = quickRefusals();
    let answers: ReturnType<typeof connect>[number];
    try {
      answers = connect(
        [{ net: c.machine.net, to: inside.flatMap((p) => p.tcp.map((port): [string, number] => [p.address, port])) }],
        [],
        4,
      )[0]!;
    } finally {
      restore();
    }
    const asked = inside.flatMap((p) => p.tcp.map((port) => `${p.name}:${port}`));
    const open = asked.filter((_, i) => answers[i] === "open");
    seen(`${asked.length} ports of ${inside.length} pods asked by address, ${open.length} open`);
    noted(...open);
    assert.deepEqual(open, []);
  });
});
