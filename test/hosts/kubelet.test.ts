import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { DISTRIBUTION_FACTS, type Distribution } from "../../components/domain/distributions";
import { hostSteps } from "../../components/layers/hosts";
import { systemReserved } from "../../components/layers/hosts/reserved";
import { etcdStep } from "../../components/layers/hosts/steps/etcd";
import { kubeletStep } from "../../components/layers/hosts/steps/kubelet";
import { resolveSettings } from "../../components/settings";
import { readStackConfig } from "../../components/settings/stackFile";
import type { HostSettings, Settings } from "../../components/settings/types";
import { DAEMONS } from "../../components/sizing/demands";
import { allocatable } from "../../components/sizing/hostsFit";
import { Sandbox } from "./sandbox";

const settingsFor = (distribution: Distribution): Settings =>
  resolveSettings({ ...readStackConfig("small"), cluster: { distribution } }, "t").settings!;
const hostOf = (s: Settings, role: HostSettings["roles"][number]): HostSettings =>
  s.hosts.find((h) => h.roles.includes(role))!;
const KUBEADM_UNIT = `echo 'ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_EXTRA_ARGS'`;
const LONG_AGO = "Mon 2020-01-06 00:00:00 UTC";

/** A host with these services; a restart takes effect unless `broken`. */
function machine(units: Record<string, string>, { broken = false } = {}): Sandbox {
  const box = new Sandbox();
  const cases = Object.entries(units).map(([name, text]) => `"cat ${name}") ${text} ;;`);
  return box
    .file("started", LONG_AGO)
    .fake(
      "systemctl",
      `case "$*" in
        ${cases.join("\n")}
        "cat "*) exit 1 ;;
        "show -p ActiveEnterTimestamp --value "*) cat "$SANDBOX/started" ;;
        "restart "*) date -d "+1 minute" >"$SANDBOX/started" ;;
        "is-active "*) ${broken ? `[ ! -e "$SANDBOX/etc/kubernetes/kubelet.conf.d/90-matrix-ha.conf" ]` : "true"} ;;
      esac`,
    )
    .fake("sleep");
}
/** The health check asks a port, which no test has: it is taken as answered. */
const run = (box: Sandbox, s: Settings, host: HostSettings): ReturnType<Sandbox["run"]> =>
  box.run(kubeletStep(s, host, { root: box.root })!.script.replace(/ && \(exec 3<>.*\) 2>\/dev\/null; then/, "; then"));
const restarts = (r: { calls: string[] }): string[] => r.calls.filter((c) => c.startsWith("systemctl restart"));

describe("hosts: kubelet", () => {
  const boxes: Sandbox[] = [];
  const box = (...args: Parameters<typeof machine>): Sandbox => {
    const made = machine(...args);
    boxes.push(made);
    return made;
  };
  after(() => boxes.forEach((b) => b.remove()));

  it("reserves exactly what the plan does not give to pods", () => {
    for (const role of ["application", "database", "storage", "call"] as const) {
      const s = settingsFor("kubeadm");
      const host = hostOf(s, role);
      const { milliCpu, memoryMiB } = systemReserved(s, host);
      const pods = allocatable(host);
      assert.equal(milliCpu, Math.floor((host.cpu - pods.cpu - DAEMONS.cpu) * 1000), role);
      // The kubelet adds the threshold of eviction, 100 MiB.
      const plan = host.memoryGiB * 1024 - pods.memoryMiB - DAEMONS.memoryMiB;
      assert.ok(memoryMiB + 100 <= plan && memoryMiB + 101 > plan, `${role}: ${memoryMiB} of ${plan}`);
    }
    // A k3s server runs the control plane itself; elsewhere its pods have requests.
    const [k3s, kubeadm] = (["k3s", "kubeadm"] as const).map((d) => {
      const s = settingsFor(d);
      return systemReserved(s, hostOf(s, "control-plane"));
    });
    assert.equal(k3s!.milliCpu - kubeadm!.milliCpu, 650);
  });

  it("a fresh kubeadm host reads the reservations from now on, and is idle the second time", () => {
    const b = box({ kubelet: KUBEADM_UNIT });
    const s = settingsFor("kubeadm");
    const first = run(b, s, hostOf(s, "application"));
    assert.equal(first.status, 0, first.stderr);
    const config = parse(b.read("etc/kubernetes/kubelet.conf.d/90-matrix-ha.conf"));
    assert.deepEqual(config, {
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      systemReserved: { cpu: "1300m", memory: "2562Mi" },
    });
    assert.match(
      b.read("etc/systemd/system/kubelet.service.d/90-matrix-ha.conf"),
      /^Environment="KUBELET_CONFIG_ARGS=--config=\/var\/lib\/kubelet\/config\.yaml --config-dir=\/etc\/kubernetes\/kubelet\.conf\.d"$/m,
    );
    assert.deepEqual(restarts(first), ["systemctl restart kubelet"]);
    const second = run(b, s, hostOf(s, "application"));
    assert.equal(second.stdout, "kubelet: nothing changed\n");
    assert.deepEqual(restarts(second), []);
  });

  it("never restarts the kubelet of a host that carries pods of the stack: it says what to do", () => {
    const b = box({ kubelet: KUBEADM_UNIT });
    fs.mkdirSync(path.join(b.root, "var/log/pods/matrix_synapse-main-0_1"), { recursive: true });
    const s = settingsFor("kubeadm");
    const r = run(b, s, hostOf(s, "application"));
    assert.equal(r.status, 0, r.stderr);
    assert.deepEqual(restarts(r), []);
    assert.match(r.stderr, /only when it starts next: drain this host, then systemctl restart kubelet/);
    assert.match(run(b, s, hostOf(s, "application")).stderr, /only when it starts next/, "until it has happened");
  });

  it("takes its file back when the kubelet does not start with it", () => {
    const b = box({ kubelet: KUBEADM_UNIT }, { broken: true });
    const s = settingsFor("kubeadm");
    const r = run(b, s, hostOf(s, "application"));
    assert.notEqual(r.status, 0);
    assert.match(r.stderr, /did not become healthy .*removed again/);
    assert.equal(b.exists("etc/kubernetes/kubelet.conf.d/90-matrix-ha.conf"), false);
    assert.equal(b.exists("etc/systemd/system/kubelet.service.d/90-matrix-ha.conf"), false);
    assert.equal(restarts(r).length, 2);
  });

  it("leaves a kubelet alone that has reservations of its own", () => {
    const b = box({ kubelet: KUBEADM_UNIT }).file("var/lib/kubelet/config.yaml", "systemReserved:\n  cpu: 2\n");
    const s = settingsFor("kubeadm");
    const r = run(b, s, hostOf(s, "application"));
    assert.equal(r.status, 0, r.stderr);
    assert.match(r.stdout, /has reservations of its own in .*config\.yaml/);
    assert.equal(b.exists("etc/kubernetes/kubelet.conf.d/90-matrix-ha.conf"), false);
    assert.deepEqual(restarts(r), []);
  });

  for (const [distribution, agent, server] of [
    ["k3s", "k3s-agent", "k3s"],
    ["rke2", "rke2-agent", "rke2-server"],
  ] as const)
    it(`${distribution}: agents are restarted, servers not, whose API server would go with it`, () => {
      const s = settingsFor(distribution);
      const dir = `var/lib/rancher/${distribution}/agent/etc/kubelet.conf.d`;
      const a = box({ [agent]: "echo" });
      const r = run(a, s, hostOf(s, "application"));
      assert.equal(r.status, 0, r.stderr);
      assert.match(a.read(`${dir}/90-matrix-ha.conf`), /systemReserved/);
      assert.deepEqual(restarts(r), [`systemctl restart ${agent}`]);
      const b = box({ [server]: "echo" });
      const q = run(b, s, hostOf(s, "control-plane"));
      assert.deepEqual([q.status, restarts(q)], [0, []]);
      assert.match(q.stderr, new RegExp(`systemctl restart ${server}`));
    });

  it("finds that the cluster is not what the settings say, and names what it is", () => {
    const s = settingsFor("kubeadm");
    const wrong = run(box({ k3s: "echo" }), s, hostOf(s, "application"));
    assert.notEqual(wrong.status, 0);
    assert.match(wrong.stderr, /distribution is kubeadm, but this host has no service kubelet; .* belongs to: k3s/);
    const kubespray = run(box({ kubelet: "echo 'ExecStart=/usr/local/bin/kubelet $KUBELET_ARGS'" }), s, s.hosts[0]!);
    assert.notEqual(kubespray.status, 0);
    assert.match(kubespray.stderr, /not from kubeadm.*KUBELET_CONFIG_ARGS.*kubespray/);
  });

  it("does nothing where another tool owns the kubelet's configuration", () => {
    for (const d of ["kubespray", "other"] as const) {
      const s = settingsFor(d);
      assert.equal(kubeletStep(s, s.hosts[0]!), undefined);
    }
  });
});

describe("hosts: etcd", () => {
  const s = settingsFor("kubeadm");
  const control = hostOf(s, "control-plane");
  const boxes: Sandbox[] = [];
  after(() => boxes.forEach((b) => b.remove()));
  const etcdHost = (): Sandbox => {
    const b = new Sandbox().fake("systemctl");
    boxes.push(b);
    for (const f of ["ca.crt", "server.crt", "server.key"]) b.file(`etc/kubernetes/pki/etcd/${f}`, "x");
    return b.fake("etcdctl", `for f; do :; done; echo data >"$f"`);
  };
  const step = (b: Sandbox, settings = s): string =>
    etcdStep(settings, hostOf(settings, "control-plane"), { root: b.root })!.script;
  const dir = "var/lib/matrix-ha/etcd-snapshots";
  const taken = (b: Sandbox): string[] => fs.readdirSync(path.join(b.root, dir)).sort();
  const told = (b: Sandbox): number =>
    Number(
      /^matrix_ha_etcd_snapshot_timestamp_seconds (\S+)$/m.exec(b.read("var/lib/matrix-ha/metrics/etcd.prom"))![1],
    );

  it("is saved on every control-plane host and on no other", () => {
    for (const h of s.hosts)
      assert.equal(
        hostSteps(s, h).some((x) => x.name === "etcd"),
        h.roles.includes("control-plane"),
        h.name,
      );
    assert.equal(etcdStep({ ...s, prepareHosts: false }, control), undefined);
    assert.equal(etcdStep(settingsFor("other"), control), undefined);
  });

  it("a timer makes snapshots for root only; the first is made at once, and the monitoring is told when", () => {
    const b = etcdHost();
    const r = b.run(step(b));
    assert.equal(r.status, 0, r.stderr);
    assert.match(r.stdout, /a snapshot of etcd is in/);
    const files = taken(b);
    assert.equal(files.length, 1);
    assert.match(files[0]!, /^etcd-\d{8}T\d{6}Z\.db$/);
    assert.equal(fs.statSync(path.join(b.root, dir)).mode & 0o777, 0o700);
    assert.equal(fs.statSync(path.join(b.root, dir, files[0]!)).mode & 0o077, 0);
    assert.equal(fs.statSync(path.join(b.root, "var/lib/matrix-ha/metrics/etcd.prom")).mode & 0o444, 0o444);
    assert.ok(Math.abs(told(b) - Date.now() / 1000) < 120, `${told(b)}`);
    assert.match(b.read("etc/systemd/system/matrix-ha-etcd.timer"), /^OnCalendar=00\/6:00$/m);
    const call = r.calls.find((c) => c.startsWith("etcdctl"))!;
    assert.match(
      call,
      /--endpoints=https:\/\/127\.0\.0\.1:2379 --cacert=\S+ca\.crt --cert=\S+server\.crt --key=\S+server\.key .*snapshot save/,
    );
  });

  it("keeps a week of them", () => {
    const b = etcdHost();
    for (let i = 10; i < 50; i++) b.file(`${dir}/etcd-202601${i}T000000Z.db`, "old");
    b.run(step(b));
    const files = taken(b);
    assert.equal(files.length, 28);
    assert.ok(files[files.length - 1]! > "etcd-20260150", "the newest is the one just made");
    assert.equal(files[0], "etcd-20260123T000000Z.db");
  });

  it("asks the pod's own client where the host has none", () => {
    const b = etcdHost();
    fs.rmSync(path.join(b.root, "bin/etcdctl"));
    b.fake("crictl", `case "$1" in ps) echo abc ;; exec) echo data >"$SANDBOX/part" ;; esac`)
      .fake("mv", `case "$1" in /var/lib/etcd/*) /bin/mv "$SANDBOX/part" "$2" ;; *) /bin/mv "$@" ;; esac`)
      .fake("rm", `case "$*" in *"/var/lib/etcd/"*) ;; *) /bin/rm "$@" ;; esac`);
    const r = b.run(step(b));
    assert.equal(r.status, 0, r.stderr);
    assert.equal(taken(b).length, 1, r.stderr);
    assert.ok(r.calls.some((c) => c.startsWith("crictl exec abc etcdctl --endpoints=https://127.0.0.1:2379")));
  });

  for (const [what, spoil, says] of [
    [
      "no certificate",
      (b: Sandbox) => fs.rmSync(path.join(b.root, "etc/kubernetes/pki/etcd/ca.crt")),
      /no certificate for etcd/,
    ],
    [
      "etcd refuses",
      (b: Sandbox) => void b.fake("etcdctl", "echo 'context deadline exceeded' >&2; exit 1"),
      /deadline exceeded/,
    ],
    ["an empty snapshot", (b: Sandbox) => void b.fake("etcdctl", `for f; do :; done; : >"$f"`), /snapshot is empty/],
  ] as const)
    it(`says that it is not saved: ${what}; the rest goes on, and the figure says never`, () => {
      const b = etcdHost();
      spoil(b);
      const r = b.run(step(b));
      assert.equal(r.status, 0);
      assert.match(r.stderr, /WARNING: etcd is not saved on this host/);
      assert.match(r.stderr, says);
      assert.equal(told(b), 0);
    });

  for (const d of ["k3s", "rke2"] as const)
    it(`${d} saves etcd itself: the step watches its directory`, () => {
      const k = settingsFor(d);
      const b = etcdHost();
      const none = b.run(step(b, k));
      assert.equal(none.status, 0);
      assert.match(none.stderr, /WARNING: etcd is not saved .*look again in 12 hours/);
      const snapshots = `var/lib/rancher/${d}/server/db/snapshots`;
      const { etcd } = DISTRIBUTION_FACTS[d];
      assert.equal(etcd?.by === "distribution" && etcd.dir, `/${snapshots}`);
      b.file(`${snapshots}/etcd-snapshot-cp-1-1`, "x");
      fs.utimesSync(path.join(b.root, snapshots, "etcd-snapshot-cp-1-1"), 1_700_000_000, 1_700_000_000);
      b.run(b.read("etc/matrix-ha/etcd.sh"));
      assert.equal(Math.floor(told(b)), 1_700_000_000);
      assert.deepEqual(
        none.calls.filter((c) => c.startsWith("etcdctl")),
        [],
        "k3s' etcd is not ours to ask",
      );
    });

  it("kubespray's etcd has its own certificates, by the host's name", () => {
    const k = settingsFor("kubespray");
    const b = etcdHost();
    const name = hostOf(k, "control-plane").name;
    for (const f of ["ca.pem", `admin-${name}.pem`, `admin-${name}-key.pem`]) b.file(`etc/ssl/etcd/ssl/${f}`, "x");
    const r = b.run(step(b, k));
    assert.match(
      r.calls.find((c) => c.startsWith("etcdctl"))!,
      new RegExp(`--cacert=\\S+/ca\\.pem --cert=\\S+/admin-${name}\\.pem --key=\\S+/admin-${name}-key\\.pem`),
    );
  });
});
