/**
 * The host steps on this machine's own kernel: real block devices (loop), file systems, mounts and packet filter.
 * By hand, as root: npm run test:real -- test/real/hosts.test.ts
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { diskMounts, usePath, WAL_PATH } from "../../components/layers/hosts";
import { disksStep } from "../../components/layers/hosts/steps/disks";
import { walStep } from "../../components/layers/hosts/steps/wal";
import { firewallRules } from "../../components/layers/hosts/steps/firewall";
import type { DiskSettings, HostSettings, Settings } from "../../components/settings/types";
import { fixtureSettings } from "../fixtures/plan";

const sh = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: "utf8" }).trim();
const bash = (script: string): { status: number | null; stdout: string; stderr: string } =>
  spawnSync("bash", ["-c", script], { encoding: "utf8" });
/** mount(8) reads /etc/fstab; here it is told of the sandbox's. */
function withFstabOf(root: string, script: string): string {
  const mount = /^ {2}mount "\$path"$/m;
  assert.match(script, mount);
  return script.replace(mount, `  mount -T ${root}/etc/fstab "$path"`);
}

describe("hosts, for real: disks", () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-real-"));
  const loops: string[] = [];
  const disk = (mib: number): string => {
    const file = path.join(root, `disk${loops.length}`);
    fs.writeFileSync(file, "");
    fs.truncateSync(file, mib * 2 ** 20);
    loops.push(sh("losetup", "-f", "--show", file));
    return loops[loops.length - 1];
  };
  const host = (...disks: DiskSettings[]): HostSettings => ({ ...fixtureSettings().hosts[0], disks });
  const run = (h: HostSettings): ReturnType<typeof bash> => bash(withFstabOf(root, disksStep(h, { root }).script));

  before(() => fs.mkdirSync(path.join(root, "etc"), { recursive: true }));
  after(() => {
    for (const h of loops) spawnSync("umount", [h]);
    for (const h of loops) spawnSync("losetup", ["-d", h]);
    spawnSync("chattr", ["-R", "-i", path.join(root, "var")]);
    fs.rmSync(root, { recursive: true, force: true });
  });

  it("a disk that went on after errors stops on them, while it is mounted, and after the next mount", () => {
    const h = host({ id: disk(1024), use: "database", sizeGiB: 1 });
    const [m] = diskMounts(h);
    const at = root + m!.path;
    // As an earlier version left it.
    sh("mkfs.ext4", "-q", "-m", "0", "-L", m!.label, h.disks[0]!.id);
    const uuid = sh("blkid", "-p", "-s", "UUID", "-o", "value", h.disks[0]!.id);
    fs.writeFileSync(path.join(root, "etc/fstab"), `UUID=${uuid} ${at} ext4 defaults,noatime,nofail 0 2\n`);
    fs.mkdirSync(at, { recursive: true });
    sh("mount", "-o", "noatime", h.disks[0]!.id, at);
    const behaviour = (): string => /^Errors behavior: +(.*)$/m.exec(sh("dumpe2fs", "-h", h.disks[0]!.id))![1]!;
    assert.equal(behaviour(), "Continue");
    const writing = fs.openSync(path.join(at, "open"), "w");
    const r = run(h);
    assert.equal(r.status, 0, r.stderr);
    fs.writeSync(writing, "still");
    fs.closeSync(writing);
    assert.equal(behaviour(), "Remount read-only");
    assert.match(fs.readFileSync(path.join(root, "etc/fstab"), "utf8"), /nofail,errors=remount-ro 0 2/);
    // What the kernel does now: it shows the option only where the superblock says otherwise.
    sh("tune2fs", "-e", "continue", h.disks[0]!.id);
    assert.match(
      fs.readFileSync("/proc/mounts", "utf8"),
      new RegExp(`^${h.disks[0]!.id} \\S+ ext4 \\S*errors=remount-ro`, "m"),
    );
    spawnSync("umount", [at]);
    fs.rmSync(path.join(root, "etc/fstab"));
  });

  it("formats two blank disks (ext4 and XFS), mounts them, and is idle the second time; files survive", () => {
    const h = host(
      { id: disk(1024), use: "database", sizeGiB: 1 },
      { id: disk(1024), use: "object-store", sizeGiB: 1 },
    );
    const first = run(h);
    assert.equal(first.status, 0, first.stderr);
    for (const m of diskMounts(h)) {
      assert.equal(sh("findmnt", "-nro", "FSTYPE,LABEL", "-M", root + m.path), `${m.filesystem} ${m.label}`);
      fs.writeFileSync(path.join(root + m.path, "kept"), "x");
    }
    assert.match(run(h).stdout, /^disks: nothing changed$/m);
    for (const m of diskMounts(h)) spawnSync("umount", [root + m.path]);
    const again = run(h);
    assert.match(again.stdout, /mounted/);
    assert.doesNotMatch(again.stdout, /formatted/);
    for (const m of diskMounts(h)) assert.equal(fs.readFileSync(path.join(root + m.path, "kept"), "utf8"), "x");
    for (const m of diskMounts(h)) spawnSync("umount", [root + m.path]);
  });

  const dirt: Array<[string, (dev: string) => void, RegExp]> = [
    ["ext4", (d) => sh("mkfs.ext4", "-q", d), /TYPE=ext4/],
    ["XFS", (d) => sh("mkfs.xfs", "-q", d), /TYPE=xfs/],
    ["swap", (d) => sh("mkswap", d), /TYPE=swap/],
    [
      "a partition table",
      (d) => {
        const sector = Buffer.alloc(512);
        // One Linux partition, 100 MiB from 1 MiB on.
        sector.set([0, 0, 0, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 0x20, 3, 0], 446);
        sector.set([0x55, 0xaa], 510);
        fs.writeFileSync(d, sector, { flag: "r+" });
      },
      /(PTTYPE=dos|partitions)/,
    ],
    [
      "raw data at 700 MiB",
      (d) => sh("dd", "if=/dev/urandom", `of=${d}`, "bs=1M", "seek=704", "count=1", "status=none"),
      /data at 704 MiB/,
    ],
  ];
  for (const [what, make, says] of dirt) {
    it(`leaves a disk with ${what} exactly as it is`, () => {
      const dev = disk(1024);
      make(dev);
      // Its file, holes and all: summing a gibibyte twice takes a minute on a busy machine.
      const file = path.join(root, `disk${loops.length - 1}`);
      sh("blockdev", "--flushbufs", dev);
      sh("cp", "--sparse=auto", file, `${file}.before`);
      const r = run(host({ id: dev, use: "local", sizeGiB: 1 }));
      assert.notEqual(r.status, 0);
      assert.match(r.stderr, says);
      sh("blockdev", "--flushbufs", dev);
      sh("cmp", file, `${file}.before`);
    });
  }
});

describe("hosts, for real: the volume of the WAL", () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-wal-"));
  const data = root + usePath("database");
  const wal = root + WAL_PATH;
  let loop: string;
  const settings = (walStorageGiB: number): Settings => {
    const s = fixtureSettings();
    s.overrides.postgres.walStorageGiB = walStorageGiB;
    return s;
  };
  const run = (gib: number, more: (h: HostSettings) => void = () => undefined): ReturnType<typeof bash> => {
    const s = settings(gib);
    const host = s.hosts.find((h) => h.roles.includes("database"))!;
    more(host);
    const step = walStep(s, host, { root })!;
    return bash(withFstabOf(root, step.script));
  };
  /** Takes that many MiB of a file system, as far as it has them. */
  const fill = (dir: string, mib: number): ReturnType<typeof bash> =>
    bash(`fallocate -l ${mib}M ${dir}/filling 2>&1 && dd if=/dev/zero of=${dir}/more bs=1M count=1 conv=fsync 2>&1`);
  const empty = (): void => {
    for (const dir of [wal, data])
      for (const name of ["filling", "more"]) fs.rmSync(path.join(dir, name), { force: true });
  };
  /** The kernel lets a root without CAP_SYS_RESOURCE (bit 24), as in some containers, not enlarge a mounted ext4. */
  const mayResize =
    (Number.parseInt(/CapEff:\s+(\w+)/.exec(fs.readFileSync("/proc/self/status", "utf8"))![1].slice(-8), 16) &
      (1 << 24)) !==
    0;

  before(() => {
    fs.mkdirSync(path.join(root, "etc"), { recursive: true });
    fs.mkdirSync(data, { recursive: true });
    fs.writeFileSync(path.join(root, "disk"), "");
    fs.truncateSync(path.join(root, "disk"), 3 * 2 ** 30);
    loop = sh("losetup", "-f", "--show", path.join(root, "disk"));
    sh("mkfs.ext4", "-q", "-m", "0", loop);
    sh("mount", loop, data);
  });
  after(() => {
    for (const at of [wal, data]) spawnSync("umount", [at]);
    spawnSync("losetup", ["-d", loop]);
    spawnSync("chattr", ["-R", "-i", path.join(root, "var")]);
    fs.rmSync(root, { recursive: true, force: true });
  });

  it("is a file system of its size; the second run changes nothing; it comes back after a start", () => {
    const first = run(1);
    assert.equal(first.status, 0, first.stderr);
    const size = Number(sh("df", "--output=size", "-B1", wal).split("\n")[1]);
    assert.ok(size > 0.9 * 2 ** 30 && size < 2 ** 30, String(size));
    assert.notEqual(fs.statSync(wal).dev, fs.statSync(data).dev);
    assert.match(run(1).stdout, /^wal: nothing changed$/m);
    fs.writeFileSync(path.join(wal, "kept"), "x");
    sh("umount", wal);
    assert.match(run(1).stdout, /^wal: mounted \S+$/m);
    assert.equal(fs.readFileSync(path.join(wal, "kept"), "utf8"), "x");
  });

  it("when it is full, WAL gets ENOSPC and the data's disk can still be written", () => {
    const full = fill(wal, 2000);
    assert.equal(full.status, 1);
    assert.match(full.stdout, /No space left on device/);
    assert.equal(fill(data, 300).status, 0);
    empty();
  });

  it("when the data's disk is full, WAL still has all its room", () => {
    assert.match(fill(data, 4000).stdout, /No space left on device/);
    assert.equal(fill(wal, 900).status, 0);
    empty();
  });

  it("grows (while it is mounted, where the kernel lets us), is not made smaller, and refuses a size that the disk has no room for", () => {
    if (!mayResize) sh("umount", wal);
    const grown = run(2);
    assert.equal(grown.status, 0, grown.stderr);
    assert.match(grown.stdout, /enlarged \S+ to 2 GiB/);
    assert.equal(fill(wal, 1500).status, 0);
    empty();
    assert.match(run(1).stdout, /stays at 2 GiB[^]*^wal: nothing changed$/m);
    const refused = run(5);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /the WAL volume needs 3 GiB more. Give the host a disk with use: wal/);
  });

  it("without its mount nothing can be written in its place", () => {
    sh("umount", wal);
    assert.equal(bash(`touch ${wal}/astray`).status, 1);
  });
});

describe("hosts, for real: firewall", () => {
  it("SSH's ports are a set to which the host adds", () => {
    const s = fixtureSettings();
    const rules = firewallRules(s, s.hosts[0]!, "22, 2201, 2222");
    const script = `set -e\ncat >$T <<'X'\n${rules}X\nnft -f $T\nnft add element inet matrix_ha ssh '{ 2300 }'\nnft add element inet matrix_ha ssh '{ 22 }'\nnft list table inet matrix_ha`;
    const r = spawnSync("unshare", ["-n", "bash", "-c", `T=$(mktemp); trap 'rm -f $T' EXIT\n${script}`], {
      encoding: "utf8",
    });
    assert.equal(r.status, 0, `${r.stderr}\n${rules}`);
    assert.match(
      r.stdout.replace(/\s+/g, " "),
      /set ssh \{ type inet_service elements = \{ 22, 2201, 2222, 2300 \} \}/,
    );
    assert.match(r.stdout, /tcp dport @ssh accept comment "SSH"/);
  });

  it("the kernel accepts every host's rules, twice, beside a foreign table", () => {
    for (const families of [["IPv4"], ["IPv4", "IPv6"]] as Array<Array<"IPv4" | "IPv6">>) {
      const s = fixtureSettings();
      s.cluster.ipFamilies = families;
      if (families.length > 1) s.cluster.podCidrs.push("fd00:10::/56");
      for (const h of s.hosts) {
        const rules = firewallRules(s, h);
        const script = `set -e\nnft add table inet other\ncat >$T <<'X'\n${rules}X\nnft -c -f $T\nnft -f $T\nnft -f $T\nnft list tables`;
        const r = spawnSync("unshare", ["-n", "bash", "-c", `T=$(mktemp); trap 'rm -f $T' EXIT\n${script}`], {
          encoding: "utf8",
        });
        assert.equal(r.status, 0, `${h.name}: ${r.stderr}\n${rules}`);
        assert.deepEqual(r.stdout.trim().split("\n").sort(), ["table inet matrix_ha", "table inet other"]);
      }
    }
  });
});
