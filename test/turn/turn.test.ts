import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { exampleConfig } from "../../cli/exampleStack";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { plan as planOf } from "../../components/plan";
import { resolveSettings } from "../../components/settings";
import type { Settings } from "../../components/settings/types";
import { StackSecrets } from "../../components/keys/secrets";
import { SECRET_SPECS } from "../../components/layers/registry";
import { callHostNotes } from "../../components/domain/calls";
import { turnRecords } from "../../components/layers/turn/dns";
import { turnNotes } from "../../components/layers/turn/plan";
import { Turn, turnUris } from "../../components/layers/turn";
import { cidrRange } from "../../components/layers/turn/cidr";
import { previewDeniedNetworks } from "../../components/layers/synapse/mediaYaml";
import { turnEdges } from "../../components/layers/turn/edges";
import { turnStart } from "../../components/layers/turn/turnStart";
import { allocationsPerNode, deniedPeers, turnserverConf } from "../../components/layers/turn/turnserverConf";
import { fixtureContext, fixturePlan, fixtureSettings } from "../fixtures/context";
import { TURN_SHARED_SECRET } from "../../components/domain/calls";

const plan = fixturePlan();
const conf = (s: Settings, tls = false): string => turnserverConf({ settings: s, plan, tls });
const call = (s: Settings, name: string): Settings["hosts"][number] => s.hosts.find((h) => h.name === name)!;

describe("turn: addresses", () => {
  it("gives clients two or three URIs, however many call hosts there are, by the name of them all", () => {
    const s = fixtureSettings();
    call(s, "call-b").publicAddress = "198.51.100.7";
    call(s, "call-c").publicAddress = "2001:db9::7";
    for (let n = 0; n < 10; n += 1) s.hosts.push({ ...call(s, "call-b"), name: `more-${n}`, address: `10.1.9.${n}` });
    const plainUris = ["udp", "tcp"].map((t) => `turn:turn.example.org:3478?transport=${t}`);
    assert.deepEqual(turnUris(s, false), plainUris);
    assert.deepEqual(turnUris(s, true), [...plainUris, "turns:turn.example.org:5349?transport=tcp"]);
    assert.deepEqual(turnUris({ ...s, turn: { ...s.turn, enabled: false } }), []);
  });

  it("names the DNS records that the name needs, in the plan", () => {
    const s = fixtureSettings();
    call(s, "call-b").publicAddress = "198.51.100.7";
    call(s, "call-c").publicAddress = "2001:db9::7";
    assert.deepEqual(
      turnRecords({ settings: s, plan }).map((r) => `${r.name}: ${r.addresses.join(" ")}`),
      ["turn.example.org: 10.1.0.40 198.51.100.7 2001:db9::7"],
    );
    const notes = turnNotes({ settings: s, plan });
    assert.ok(
      notes.some((n) => /turn\.example\.org.*10\.1\.0\.40, 198\.51\.100\.7, 2001:db9::7/.test(n)),
      notes.join("\n"),
    );
    assert.deepEqual(turnRecords({ settings: { ...s, turn: { ...s.turn, enabled: false } }, plan }), []);
  });

  it("says which call hosts clients on the Internet cannot reach", () => {
    const s = fixtureSettings();
    const said = (): string => callHostNotes(s).join("\n");
    call(s, "call-b").publicAddress = "198.51.100.7";
    assert.match(said(), /call-a \(10\.1\.0\.40\).*publicAddress/);
    assert.doesNotMatch(said(), /call-b/);
    for (const h of s.hosts.filter((x) => x.roles.includes("call"))) h.publicAddress = "198.51.100.9";
    assert.equal(said(), "");
    s.hosts = s.hosts.filter((h) => !h.roles.includes("call") || h.name === "call-a");
    assert.match(said(), /one host, call-a/);
  });

  it("computes ranges", () => {
    assert.deepEqual(cidrRange("172.16.5.4/12"), { first: "172.16.0.0", last: "172.31.255.255" });
    assert.deepEqual(cidrRange("10.0.0.1"), { first: "10.0.0.1", last: "10.0.0.1" });
    assert.deepEqual(cidrRange("fc00::/7"), {
      first: "fc00:0:0:0:0:0:0:0",
      last: "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    });
    assert.deepEqual(cidrRange("::ffff:10.0.0.0/104"), {
      first: "0:0:0:0:0:ffff:a00:0",
      last: "0:0:0:0:0:ffff:aff:ffff",
    });
    for (const bad of ["10.0.0.0/33", "nonsense", "10.0.0.0/x", ""])
      assert.throws(() => cidrRange(bad), /is not a valid address range/);
  });
});

describe("turn: one public address", () => {
  it("is enough, with one call host behind it, where the operator accepts that calls stop with it", () => {
    const config = exampleConfig(100);
    const [first, ...others] = (config.hosts as Array<Record<string, any>>).filter((h) =>
      [h.role, ...(h.roles ?? [])].includes("call"),
    );
    const one = {
      ...config,
      addressPools: [{ name: "lan", addresses: ["192.168.7.200-192.168.7.210"] }],
      web: { admin: { allowCidrs: ["192.168.7.0/25"] } },
      hosts: (config.hosts as Array<Record<string, any>>)
        .filter((h) => !others.includes(h))
        .map((h) => (h === first ? { ...h, publicAddress: "51.15.0.7" } : h)),
    };
    assert.match(JSON.stringify(resolveSettings(one, "t").errors), /acceptOneCallHost: true/);
    const { settings, errors } = resolveSettings({ ...one, acceptOneCallHost: true }, "t");
    assert.deepEqual(errors, []);
    const planned = planOf(settings!);
    assert.equal(planned.turn!.nodes, 1);
    assert.ok(planned.notes.some((n) => n.includes("Calls run on one host")));
    assert.deepEqual(
      turnRecords({ settings: settings!, plan: planned }).flatMap((r) => r.addresses),
      ["51.15.0.7"],
    );
  });
});

describe("turn: turnserver.conf", () => {
  it("denies what previews deny, but for the relays themselves and the unspecified address", () => {
    const s = fixtureSettings();
    call(s, "call-b").publicAddress = "51.15.0.7";
    call(s, "db-a").publicAddress = "51.15.0.8";
    const previews = previewDeniedNetworks(s),
      relays = deniedPeers(s);
    const only = (a: string[], b: string[]): string[] => a.filter((n) => !b.includes(n)).sort();
    assert.deepEqual(only(relays, previews), []);
    assert.deepEqual(only(previews, relays), ["10.1.0.40/32", "10.1.0.42/32", "51.15.0.7/32", "::/128"]);
    for (const n of ["51.15.0.8/32", "2002::/16", "fec0::/10", "64:ff9b:1::/48", "ff00::/8"])
      assert.ok(previews.includes(n) && relays.includes(n), n);
  });

  it("denies every range without clients on the Internet, and the cluster's own addresses", () => {
    const lines = conf(fixtureSettings()).split("\n");
    for (const range of [
      "10.0.0.0-10.255.255.255",
      "127.0.0.0-127.255.255.255",
      "169.254.0.0-169.254.255.255",
      "100.64.0.0-100.127.255.255",
      "192.168.0.0-192.168.255.255",
      "172.16.0.0-172.31.255.255",
      "fc00:0:0:0:0:0:0:0-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
      "0:0:0:0:0:0:0:1",
    ])
      assert.ok(lines.includes(`denied-peer-ip=${range}`), range);
    const s = fixtureSettings();
    call(s, "db-a").address = "198.51.100.80";
    s.cluster.podCidrs = ["44.0.0.0/16"];
    for (const range of ["198.51.100.80", "44.0.0.0-44.0.255.255"])
      assert.ok(conf(s).includes(`denied-peer-ip=${range}\n`), range);
  });

  it("never names the unspecified address, which coturn takes for every address", () => {
    assert.doesNotMatch(conf(fixtureSettings()), /^(denied|allowed)-peer-ip=[0:.]+$/m);
    const s = fixtureSettings();
    s.turn.allowedPrivateCidrs = ["::"];
    assert.throws(() => conf(s), /every address/);
  });

  it("lets relays meet each other, and private ranges only as the settings say", () => {
    const allowed = (s: Settings): string[] =>
      conf(s)
        .split("\n")
        .filter((l) => l.startsWith("allowed-peer-ip="));
    assert.deepEqual(
      allowed(fixtureSettings()),
      ["10.1.0.40", "10.1.0.41", "10.1.0.42"].map((a) => `allowed-peer-ip=${a}`),
    );
    const s = fixtureSettings();
    s.turn.allowedPrivateCidrs = ["10.9.0.0/16"];
    for (const h of s.hosts) if (h.roles.includes("call")) h.publicAddress = "198.51.100.7";
    assert.deepEqual(allowed(s), ["allowed-peer-ip=10.9.0.0-10.9.255.255", "allowed-peer-ip=198.51.100.7"]);
  });

  it("bounds what a user, a node and an allocation may take", () => {
    const text = conf(fixtureSettings());
    for (const line of [
      "user-quota=12",
      // 600 allocations on the two nodes that are left when one is lost, and half as many again.
      "total-quota=450",
      "max-bps=1250000",
      "min-port=49152",
      "max-port=55000",
      "no-tcp-relay",
      "no-multicast-peers",
      "use-auth-secret",
      "stale-nonce=600",
    ])
      assert.match(text, new RegExp(`^${line}$`, "m"));
    assert.equal(allocationsPerNode({ ...plan, turn: { ...plan.turn!, allocations: 1e6 } }), 55000 - 49152 + 1);
  });

  it("speaks TLS only with a certificate", () => {
    assert.match(conf(fixtureSettings()), /^no-tls$/m);
    assert.match(
      conf(fixtureSettings(), true),
      /^tls-listening-port=5349\ncert=\/etc\/matrix-ha\/tls\/tls\.crt\npkey=\/etc\/matrix-ha\/tls\/tls\.key$/m,
    );
  });
});

describe("turn: start", () => {
  const s = fixtureSettings();
  call(s, "call-b").publicAddress = "198.51.100.7";
  call(s, "call-c").publicAddress = "198.51.100.8";
  /** The script as it is, in a directory, with coturn and hostname replaced. */
  function start(hostIp: string): string {
    const root = fs.mkdtempSync("/tmp/matrix-ha-turn-");
    for (const d of ["etc/matrix-ha/turn", "run/coturn", "bin"]) fs.mkdirSync(`${root}/${d}`, { recursive: true });
    fs.writeFileSync(`${root}/etc/matrix-ha/turn/turnserver.conf`, "realm=x\n");
    fs.writeFileSync(`${root}/bin/turnserver`, `#!/bin/sh\n[ "$1" = -c ] && cat "$2"; stat -c %a "$2"\n`, {
      mode: 0o755,
    });
    fs.writeFileSync(`${root}/bin/hostname`, "#!/bin/sh\necho '10.1.0.42 198.51.100.8 '\n", { mode: 0o755 });
    const script = turnStart(s, false).replace(/\/(etc\/matrix-ha|run\/coturn)/g, `${root}/$1`);
    const r = spawnSync("sh", ["-c", script], {
      encoding: "utf8",
      env: { HOST_IP: hostIp, PATH: `${root}/bin:/usr/bin:/bin` },
    });
    fs.rmSync(root, { recursive: true });
    assert.equal(r.status, 0, r.stderr);
    return r.stdout;
  }

  it("uses the node's address, maps the public one behind NAT, and takes a public one that the node has itself", () => {
    assert.equal(start("10.1.0.40"), "realm=x\nlistening-ip=10.1.0.40\nrelay-ip=10.1.0.40\n600\n");
    assert.equal(
      start("10.1.0.41"),
      "realm=x\nlistening-ip=10.1.0.41\nrelay-ip=10.1.0.41\nexternal-ip=198.51.100.7/10.1.0.41\n600\n",
    );
    assert.equal(
      start("10.1.0.42"),
      "realm=x\nlistening-ip=10.1.0.42\nlistening-ip=198.51.100.8\nrelay-ip=198.51.100.8\n600\n",
    );
  });

  it("is a shell script with and without TLS", () => {
    for (const tls of [true, false]) assert.equal(spawnSync("sh", ["-n"], { input: turnStart(s, tls) }).status, 0);
    assert.match(turnStart(s, true), /kill -USR2 1/);
  });
});

describe("turn: component", () => {
  let secretValue = "";
  const turn = (tlsSecretName?: string): Promise<Evaluation> =>
    evaluate({
      stack: "t",
      config: {},
      program: async () => {
        const ctx = fixtureContext();
        const secrets = new StackSecrets("secrets", { settings: ctx.settings, specs: SECRET_SPECS });
        secretValue = await new Promise<string>((resolve) => {
          secrets.of(TURN_SHARED_SECRET).apply((v) => {
            resolve(v);
            return v;
          });
        });
        new Turn("turn", { ctx, secrets, tlsSecretName }, { provider: ctx.provider });
        return {};
      },
    });
  const kind = (e: Evaluation, type: string): any => e.resources.find((r) => r.type.endsWith(`:${type}`));

  it("keeps the shared secret in one Secret, marked as such, and nowhere else", async () => {
    const e = await turn();
    assert.ok(secretValue.length >= 32);
    const holders = e.resources.filter(
      (r) => !r.type.startsWith("random:") && JSON.stringify(r.inputs).includes(secretValue),
    );
    assert.deepEqual(
      holders.map((r) => r.name),
      ["turn-secret"],
    );
    assert.ok(
      holders[0].secretPaths.some((p) => p.startsWith("stringData")),
      String(holders[0].secretPaths),
    );
    assert.match(
      holders[0].inputs.stringData["turnserver.conf"],
      new RegExp(`^static-auth-secret=${secretValue}$`, "m"),
    );
  });

  it("runs on the host's network of every coturn=true node, hardened but for the capability its binary carries", async () => {
    const pod = kind(await turn(), "DaemonSet").inputs.spec.template.spec;
    assert.equal(pod.hostNetwork, true);
    assert.equal(pod.nodeSelector.coturn, "true");
    const [c] = pod.containers;
    assert.deepEqual(c.securityContext.capabilities, { drop: ["ALL"], add: ["NET_BIND_SERVICE"] });
    assert.equal(c.securityContext.readOnlyRootFilesystem, true);
    assert.ok(pod.securityContext.runAsUser > 1000);
    assert.equal(c.readinessProbe.tcpSocket.port, "turn");
    assert.ok(pod.tolerations.some((t: any) => t.key === "matrix-ha.dev/role-call"));
    assert.equal(pod.volumes.find((v: any) => v.name === "run").emptyDir.medium, "Memory");
  });

  it("mounts the certificate when one is given", async () => {
    const pod = kind(await turn("turn-tls"), "DaemonSet").inputs.spec.template.spec;
    assert.equal(pod.volumes.find((v: any) => v.name === "tls").secret.secretName, "turn-tls");
    assert.ok(pod.containers[0].ports.some((p: any) => p.name === "turn-tls" && p.containerPort === 5349));
  });

  it("declares its edges only when it is on", () => {
    const s = fixtureSettings();
    assert.ok(turnEdges({ settings: s, plan }).length > 0);
    assert.deepEqual(turnEdges({ settings: { ...s, turn: { ...s.turn, enabled: false } }, plan }), []);
  });
});
