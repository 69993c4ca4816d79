import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { renderHostScripts, remoteCommand, hostSteps, callPorts, openPorts } from "../../components/layers/hosts";
import { firewallRules, firewallStep } from "../../components/layers/hosts/steps/firewall";
import { modulesStep } from "../../components/layers/hosts/steps/modules";
import { packagesStep } from "../../components/layers/hosts/steps/packages";
import { swapStep } from "../../components/layers/hosts/steps/swap";
import { portList, sysctls, sysctlsStep } from "../../components/layers/hosts/steps/sysctls";
import { timeStep } from "../../components/layers/hosts/steps/time";
import type { HostSettings, Settings } from "../../components/settings/types";
import { fixtureSettings } from "../fixtures/plan";
import { Sandbox } from "./sandbox";

const settings = fixtureSettings();
const named = (s: Settings, name: string): HostSettings => s.hosts.find((h) => h.name === name)!;

describe("hosts: scripts", () => {
  it("every script of every host is bash, strict, and reports in one line", () => {
    for (const [host, files] of Object.entries(renderHostScripts(settings))) {
      assert.deepEqual(
        files.map((f) => f.file),
        [
          "01-packages.sh",
          "02-kernel-modules.sh",
          "03-sysctls.sh",
          "04-swap.sh",
          "05-time.sh",
          "06-disks.sh",
          ...[
            ...(host.startsWith("db-") ? ["wal"] : []),
            "firewall",
            "kubelet",
            ...(host.startsWith("cp-") ? ["etcd"] : []),
          ].map((step, i) => `0${7 + i}-${step}.sh`),
        ],
      );
      for (const { file, text } of host.endsWith("-a") ? files : []) {
        assert.match(text, /^set -euo pipefail$/m, file);
        assert.doesNotMatch(text, /@[A-Z_]+@/, file);
        assert.match(text, /nothing changed/);
        const r = spawnSync("bash", ["-n"], { input: text, encoding: "utf8" });
        assert.equal(r.status, 0, `${host}/${file}: ${r.stderr}`);
      }
    }
  });

  it("renders nothing where the stack does not prepare hosts", () => {
    assert.deepEqual(renderHostScripts({ ...settings, prepareHosts: false }), {});
  });

  for (const shell of ["sh", "bash"]) {
    it(`reaches root's bash through ${shell} unharmed, and leaves standard input to the script`, () => {
      const script = `set -eu\nread -r word\nprintf '%s|%s\\n' "$word" "it's \\"quoted\\" \\\\ \`x\` \${HOME:+home} )"\ncase a in a) echo case ;; esac\n`;
      const r = spawnSync(shell, ["-c", remoteCommand({ name: "t", why: "", script }, "root")], {
        input: "secret\n",
        encoding: "utf8",
      });
      assert.equal(r.status, 0, r.stderr);
      assert.match(r.stdout, /^secret\|it's "quoted" \\ .*\)\ncase\n$/);
    });
  }

  it("asks sudo without a password only where the user is not root", () => {
    const step = { name: "t", why: "", script: "true\n" };
    assert.match(remoteCommand(step, "debian"), /^sudo -n bash -c /);
    assert.match(remoteCommand(step, "root"), /^bash -c /);
  });
});

describe("hosts: sysctls", () => {
  const path = (key: string): string => `proc/sys/${key.replace(/\./g, "/")}`;
  const machine = (host: HostSettings, without: string[] = []): Sandbox => {
    const box = new Sandbox();
    for (const k of sysctls(settings, host)) if (!without.includes(k.key)) box.file(path(k.key), "0\n");
    return box;
  };

  it("sets every key once, keeps greater values, and changes nothing the second time", () => {
    const host = named(settings, "call-a");
    const box = machine(host).file(path("net.core.rmem_max"), "99999999\n");
    const { script } = sysctlsStep(settings, host, { root: box.root });
    const first = box.run(script);
    assert.equal(first.status, 0, first.stderr);
    assert.equal(box.read(path("net.ipv4.ip_forward")), "1\n");
    assert.equal(box.read(path("net.core.rmem_max")), "99999999\n");
    assert.match(box.read("etc/sysctl.d/90-matrix-ha.conf"), /^net\.ipv4\.ip_forward = 1$/m);
    assert.match(box.read("etc/sysctl.d/90-matrix-ha.conf"), /^-kernel\.panic = 10$/m);
    const second = box.run(script);
    assert.equal(second.stdout, "sysctls: nothing changed\n");
    box.remove();
  });

  it("passes over an optional key that does not exist here, and fails on a required one", () => {
    const host = named(settings, "app-a");
    const optional = machine(host, ["net.netfilter.nf_conntrack_max"]);
    const r = optional.run(sysctlsStep(settings, host, { root: optional.root }).script);
    assert.equal(r.status, 0, r.stderr);
    assert.match(r.stdout, /note: net\.netfilter\.nf_conntrack_max does not exist here/);
    const required = machine(host, ["net.bridge.bridge-nf-call-iptables"]);
    const f = required.run(sysctlsStep(settings, host, { root: required.root }).script);
    assert.notEqual(f.status, 0);
    assert.match(f.stderr, /required and cannot be set: net\.bridge\.bridge-nf-call-iptables/);
    [optional, required].forEach((b) => b.remove());
  });

  it("reserves every port of TURN and the SFU on call hosts, written as the kernel prints it", () => {
    const reserved = sysctls(settings, named(settings, "call-a")).find(
      (k) => k.key === "net.ipv4.ip_local_reserved_ports",
    )!.value;
    assert.equal(reserved, "3478,5349,6789,7880-7881,49152-60000");
    assert.equal(
      portList([
        { from: 5, to: 9 },
        { from: 1, to: 1 },
        { from: 8, to: 12 },
        { from: 13, to: 13 },
      ]),
      "1,5-13",
    );
    assert.equal(
      sysctls(settings, named(settings, "app-a")).some((k) => k.key.endsWith("reserved_ports")),
      false,
    );
  });

  it("TURN's and the SFU's ports are disjoint", () => {
    const ranges = callPorts(settings).sort((a, b) => a.from - b.from);
    for (let i = 1; i < ranges.length; i++)
      assert.ok(ranges[i].from > ranges[i - 1].to, JSON.stringify([ranges[i - 1], ranges[i]]));
  });
});

describe("hosts: modules, swap, packages", () => {
  it("comments out swap in fstab once, and only swap", () => {
    const box = new Sandbox()
      .file("proc/swaps", "Filename Type Size Used Priority\n")
      .fake("systemctl")
      .file(
        "etc/fstab",
        "UUID=1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n/swap.img\tnone\tswap\tsw 0 0\n# /old none swap sw 0 0\nUUID=3 /srv/swap ext4 defaults 0 2\n",
      );
    const { script } = swapStep(settings.hosts[0], { root: box.root });
    assert.equal(box.run(script).status, 0);
    assert.equal(
      box.read("etc/fstab"),
      "UUID=1 / ext4 defaults 0 1\n# matrix-ha: UUID=2 none swap sw 0 0\n# matrix-ha: /swap.img\tnone\tswap\tsw 0 0\n# /old none swap sw 0 0\nUUID=3 /srv/swap ext4 defaults 0 2\n",
    );
    assert.equal(box.run(script).stdout, "swap: nothing changed\n");
    box.remove();
  });

  it("turns swap off that is on, and says so when it stays on", () => {
    const on = "Filename Type Size Used Priority\n/dev/sda3 partition 8 0 -2\n";
    const box = new Sandbox()
      .file("proc/swaps", on)
      .fake("systemctl")
      .fake("swapoff", `head -1 "$SANDBOX/proc/swaps" >"$SANDBOX/x"; mv "$SANDBOX/x" "$SANDBOX/proc/swaps"`);
    const { script } = swapStep(settings.hosts[0], { root: box.root });
    assert.match(box.run(script).stdout, /swap is off/);
    box.file("proc/swaps", on).fake("swapoff");
    assert.match(box.run(script).stderr, /still on after swapoff -a: \/dev\/sda3/);
    box.remove();
  });

  it("installs nothing, and asks no network, when every program is there", () => {
    const box = new Sandbox();
    for (const tool of [
      "nft",
      "modprobe",
      "blkid",
      "lsblk",
      "wipefs",
      "findmnt",
      "mkfs.ext4",
      "mkfs.xfs",
      "chattr",
      "chronyd",
      "apt-get",
    ])
      box.fake(tool);
    const r = box.run(packagesStep(named(settings, "store-a")).script);
    assert.equal(r.stdout, "packages: nothing changed\n", r.stderr);
    assert.deepEqual(
      r.calls.filter((c) => c.startsWith("apt-get")),
      [],
    );
    box.remove();
  });

  it("names the packages that are missing when they cannot be installed", () => {
    const box = new Sandbox().fake("apt-get", "exit 100");
    const r = box.run(
      packagesStep(named(settings, "store-a"))
        .script.replace('PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"', 'PATH="$PATH"')
        .replace(/need nft /, "need no-such-program "),
    );
    assert.notEqual(r.status, 0);
    assert.match(r.stderr, /missing and could not be installed: .*nftables/);
    box.remove();
  });

  it("persists the modules", () => {
    const box = new Sandbox().fake("modprobe");
    const { script } = modulesStep(settings.hosts[0], { root: box.root });
    assert.equal(box.run(script).status, 0);
    assert.equal(box.read("etc/modules-load.d/90-matrix-ha.conf"), "br_netfilter\noverlay\nnf_conntrack\n");
    assert.match(box.run(script).stdout, /^kernel-modules: (nothing changed|loaded)/);
    box.remove();
  });
});

describe("hosts: time", () => {
  const clock = (synchronized: boolean, active: boolean): Sandbox =>
    new Sandbox()
      .fake("systemctl", `case "$1 $3" in "is-active chronyd") exit ${active ? 0 : 1} ;; *) exit 1 ;; esac`)
      .fake("timedatectl", `echo ${synchronized ? "yes" : "no"}`)
      .fake("sleep")
      .fake("systemd-detect-virt", "exit 1");
  const run = (box: Sandbox): ReturnType<Sandbox["run"]> => {
    try {
      return box.run(timeStep(settings.hosts[0]!).script);
    } finally {
      box.remove();
    }
  };

  it("warns and passes, after five seconds at most, while a running daemon has no source yet", () => {
    const r = run(clock(false, true));
    assert.equal(r.status, 0, r.stderr);
    assert.match(r.stdout, /WARNING: chronyd runs, but the clock is not synchronized/);
    assert.equal(r.calls.filter((c) => c.startsWith("sleep 1")).length, 5);
  });
  it("does not wait when the clock is right, and fails if no daemon runs", () => {
    const right = run(clock(true, true));
    assert.deepEqual([right.status, right.calls.filter((c) => c.startsWith("sleep"))], [0, []]);
    assert.doesNotMatch(right.stdout, /WARNING/);
    assert.match(run(clock(false, false)).stderr, /no time daemon runs/);
  });
});

describe("hosts: firewall", () => {
  it("opens SSH on every host and nothing public on database and storage hosts", () => {
    for (const host of settings.hosts)
      assert.ok(
        openPorts(settings, host).some((p) => p.protocol === "tcp" && p.from === host.ssh.port && p.to === p.from),
      );
    for (const name of ["db-a", "store-a"])
      assert.deepEqual(
        openPorts(settings, named(settings, name)).map((p) => p.why),
        ["SSH"],
      );
  });

  it("opens web ports on application hosts, 8448 only with federation, and the media ranges on call hosts", () => {
    const app = (s: Settings): number[] => openPorts(s, named(s, "app-a")).map((p) => p.from);
    assert.deepEqual(app(settings), [22, 80, 443]);
    assert.deepEqual(app({ ...settings, federation: { enabled: true } }), [22, 80, 443, 8448]);
    const call = openPorts(settings, named(settings, "call-a")).map((p) => `${p.protocol} ${p.from}-${p.to}`);
    assert.deepEqual(call, [
      "tcp 22-22",
      "tcp 3478-3478",
      "udp 3478-3478",
      "tcp 5349-5349",
      "udp 49152-55000",
      "tcp 7881-7881",
      "udp 55001-60000",
    ]);
    assert.deepEqual(
      openPorts(
        { ...settings, turn: { ...settings.turn, enabled: false }, rtc: { ...settings.rtc, enabled: false } },
        named(settings, "call-a"),
      ).map((p) => p.why),
      ["SSH"],
    );
  });

  it("replaces its own table in one transaction and names no other", () => {
    const rules = firewallRules(settings, named(settings, "call-a"));
    assert.deepEqual(
      [...new Set([...rules.matchAll(/^(?:delete )?table (.*?)(?: \{)?$/gm)].map((m) => m[1]))],
      ["inet matrix_ha"],
    );
    assert.doesNotMatch(rules, /flush/);
    assert.match(rules, /elements = \{ 10\.1\.0\.10, .*10\.244\.0\.0\/16, 10\.1\.0\.50\/32 \}/);
  });

  it("applies nothing that the kernel refuses, and nothing twice", () => {
    const host = named(settings, "app-a");
    const box = new Sandbox()
      .fake("systemctl", `case "$*" in *"is-active"*ufw*|*"is-active"*firewalld*) exit 1 ;; esac`)
      .fake("nft", `[ -e "$SANDBOX/refuse" ] && exit 1; exit 0`);
    const { script } = firewallStep(settings, host, { root: box.root });
    box.file("refuse", "");
    const refused = box.run(script);
    assert.match(refused.stderr, /nothing was changed/);
    assert.equal(box.exists("etc/matrix-ha/firewall.nft"), false);
    box.run(`rm ${box.root}/refuse`);
    assert.match(box.run(script).stdout, /rules are in force/);
    const again = box.run(script);
    assert.equal(again.stdout, "firewall: nothing changed\n");
    assert.deepEqual(
      again.calls.filter((c) => /^nft -f/.test(c)),
      [],
    );
    box.remove();
  });

  /** A host whose SSH server is configured for, and listens at, these ports. */
  const sshHost = (configured: number[], listening: number[]): Sandbox =>
    new Sandbox()
      .fake("systemctl", `case "$*" in *"is-active"*ufw*|*"is-active"*firewalld*|*"is-active"*socket*) exit 1 ;; esac`)
      .fake("nft")
      .fake("sshd", configured.map((p) => `echo "port ${p}"`).join("\n"))
      .fake(
        "ss",
        listening
          .map((p) => `echo 'LISTEN 0 128 0.0.0.0:${p} 0.0.0.0:* users:(("sshd",pid=1,fd=3))'`)
          .concat(`echo 'LISTEN 0 128 [::]:9100 [::]:* users:(("node_exporter",pid=2,fd=3))'`)
          .join("\n"),
      );
  const openForSsh = (box: Sandbox): string =>
    /set ssh \{\s+type inet_service\s+elements = \{ (.*) \}/.exec(box.read("etc/matrix-ha/firewall.nft"))![1]!;

  it("opens the ports at which the host's SSH server is and will be, not only the one in the settings", () => {
    const host = { ...named(settings, "app-a"), ssh: { ...named(settings, "app-a").ssh, port: 2201 } };
    const box = sshHost([2222], [22]);
    const { script } = firewallStep(settings, host, { root: box.root });
    const r = box.run(script);
    assert.equal(r.status, 0, r.stderr);
    // 2201: a router forwards it to 22. 2222: where the server will listen once it is restarted.
    assert.equal(openForSsh(box), "22, 2201, 2222");
    assert.match(box.read("etc/matrix-ha/firewall.nft"), /tcp dport @ssh accept comment "SSH"/);
    assert.equal(box.run(script).stdout, "firewall: nothing changed\n");
    box.remove();
  });

  it("a port that the SSH server no longer has is closed by the next run, never the one in the settings", () => {
    const host = named(settings, "app-a");
    const box = sshHost([2222], [22, 2222]);
    const { script } = firewallStep(settings, host, { root: box.root });
    box.run(script);
    assert.equal(openForSsh(box), "22, 2222");
    box.fake("ss", "").fake("sshd", `echo "port 2200"`);
    assert.match(box.run(script).stdout, /rules are in force/);
    assert.equal(openForSsh(box), "22, 2200");
    box.remove();
  });

  it("follows a changed configuration of the SSH server before it is restarted, and only adds", () => {
    const box = sshHost([22], [22]);
    assert.equal(box.run(firewallStep(settings, named(settings, "app-a"), { root: box.root }).script).status, 0);
    const units = "etc/systemd/system/matrix-ha-ssh-ports";
    assert.match(box.read(`${units}.path`), /^PathChanged=\/etc\/ssh\/sshd_config$/m);
    assert.match(
      box.read(`${units}.service`),
      new RegExp(`^ExecStart=/bin/bash ${box.root}/etc/matrix-ha/ssh-ports.sh$`, "m"),
    );
    // After a boot as well: the rules in the file are those of the last `up`.
    assert.match(
      box.read("etc/systemd/system/matrix-ha-firewall.service"),
      /^ExecStart=-\/bin\/bash .*ssh-ports\.sh$/m,
    );
    box.fake("sshd", `echo "port 2222"`);
    const r = box.run(box.read("etc/matrix-ha/ssh-ports.sh"));
    assert.equal(r.status, 0, r.stderr);
    assert.deepEqual(
      r.calls.filter((c) => c.startsWith("nft")),
      ["nft add element inet matrix_ha ssh { 22 }", "nft add element inet matrix_ha ssh { 2222 }"],
    );
    box.remove();
  });

  it("turned off, removes its own table and nothing else", () => {
    const off = firewallStep({ ...settings, firewall: { enabled: false, trustedCidrs: [] } }, settings.hosts[0]);
    assert.match(off.script, /nft delete table inet matrix_ha/);
    assert.doesNotMatch(off.script, /flush|nft -f/);
  });

  it("does not trust a name: addresses only", () => {
    const s = { ...settings, hosts: [{ ...settings.hosts[0], address: "host.example" }] };
    assert.throws(() => hostSteps(s, s.hosts[0]), /hosts\[0\]\.address: "host\.example" is not an IP address/);
  });
});
