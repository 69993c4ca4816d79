import assert from "node:assert/strict";
import * as fs from "node:fs";
import { diskMounts } from "../../components/layers/hosts";
import { disksStep } from "../../components/layers/hosts/steps/disks";
import type { DiskSettings, HostSettings } from "../../components/settings/types";
import { fixtureSettings } from "../fixtures/plan";
import { Sandbox } from "./sandbox";

/** A disk that is a sparse file; what it carries (type, label, UUID) is kept beside it by the stand-ins. */
function machine(disks: DiskSettings[]): {
  box: Sandbox;
  host: HostSettings;
  script: string;
  device: (n: number) => string;
} {
  const box = new Sandbox();
  const devices = disks.map((d, i) => {
    const file = `${box.root}/dev/disk${i}`;
    fs.mkdirSync(`${box.root}/dev`, { recursive: true });
    fs.writeFileSync(file, "");
    fs.truncateSync(file, d.sizeGiB * 2 ** 30);
    return file;
  });
  const host = { ...fixtureSettings().hosts[0], disks: disks.map((d, i) => ({ ...d, id: devices[i] })) };
  // Options are told as whole words: the random name of the sandbox's directory may contain any of them.
  box
    .file("etc/fstab", "# a line without its end")
    .fake(
      "lsblk",
      `case " $* " in *" -dnro "*) [ -e "$3" ] && echo disk ;; *) for d; do :; done; basename "$d"; cat "$d.children" 2>/dev/null || true ;; esac`,
    )
    .fake(
      "blkid",
      `for d; do :; done
      case " $* " in
        *" -o export "*) [ -e "$d.signature" ] && { cat "$d.signature"; exit 0; }; exit "$(cat "$d.blkid" 2>/dev/null || echo 2)" ;;
        *" -s LABEL "*) sed -n 's/^LABEL=//p' "$d.signature" 2>/dev/null ;;
        *" -s TYPE "*) sed -n 's/^TYPE=//p' "$d.signature" 2>/dev/null ;;
        *" -s UUID "*) sed -n 's/^UUID=//p' "$d.signature" 2>/dev/null ;;
      esac`,
    )
    .fake("wipefs", `for d; do :; done; cat "$d.wipefs" 2>/dev/null || true`)
    .fake("blockdev", `stat -c %s "$2"`)
    .fake(
      "findmnt",
      `case " $* " in *" -M "*) for p; do :; done; sed -n "s|^$p ||p" "$SANDBOX/mounts" 2>/dev/null ;; *) for d; do :; done; sed -n "s| $d$||p" "$SANDBOX/mounts" 2>/dev/null ;; esac; true`,
    )
    .fake(
      "mount",
      `uuid=$(awk -v p="$1" '$2 == p {sub("UUID=", "", $1); print $1}' "$SANDBOX/etc/fstab"); for s in "$SANDBOX"/dev/*.signature; do grep -q "UUID=$uuid" "$s" && echo "$1 \${s%.signature}" >>"$SANDBOX/mounts"; done; true`,
    )
    .fake(
      "mkfs.ext4",
      `for d; do :; done; printf 'TYPE=ext4\\nLABEL=%s\\nUUID=u-%s\\n' "$7" "$(basename "$d")" >"$d.signature"; case " $* " in *" -e remount-ro "*) echo "Remount read-only" >"$d.errors" ;; esac`,
    )
    .fake(
      "tune2fs",
      `for d; do :; done; case "$1" in -l) echo "Errors behavior:          $(cat "$d.errors" 2>/dev/null || echo Continue)" ;; -e) echo "Remount read-only" >"$d.errors" ;; esac`,
    )
    .fake(
      "mkfs.xfs",
      `for d; do :; done; printf 'TYPE=xfs\\nLABEL=%s\\nUUID=u-%s\\n' "$3" "$(basename "$d")" >"$d.signature"`,
    )
    .fake("chattr")
    .fake("systemctl");
  return { box, host, script: disksStep(host, { root: box.root }).script, device: (n) => devices[n] };
}

const GIB: DiskSettings = { id: "", use: "database", sizeGiB: 1 };
const made = (calls: string[]): string[] => calls.filter((c) => c.startsWith("mkfs."));

describe("hosts: disks", () => {
  const boxes: Sandbox[] = [];
  const prepared = (disks: DiskSettings[]): ReturnType<typeof machine> => {
    const m = machine(disks);
    boxes.push(m.box);
    return m;
  };
  after(() => boxes.forEach((b) => b.remove()));

  it("formats a blank disk, mounts it by UUID, and changes nothing the second time", () => {
    const { box, host, script, device } = prepared([GIB, { ...GIB, use: "object-store" }]);
    const first = box.run(script);
    assert.equal(first.status, 0, first.stderr);
    const [db, store] = diskMounts(host);
    assert.deepEqual(made(first.calls), [
      `mkfs.ext4 -q -m 0 -e remount-ro -L ${db.label} ${device(0)}`,
      `mkfs.xfs -q -L ${store.label} ${device(1)}`,
    ]);
    const fstab = box.read("etc/fstab");
    assert.match(fstab, /^# a line without its end\n/);
    assert.match(
      fstab,
      new RegExp(`^UUID=u-disk0 ${box.root}${db.path} ext4 defaults,noatime,nofail,\\S+,errors=remount-ro 0 2$`, "m"),
    );
    // XFS has no such option: it shuts itself down.
    assert.match(fstab, new RegExp(`^UUID=u-disk1 ${box.root}${store.path} xfs (?!.*errors=)`, "m"));
    assert.match(first.stdout, /formatted/);

    const second = box.run(script);
    assert.equal(second.status, 0, second.stderr);
    assert.match(second.stdout, /^disks: nothing changed$/m);
    assert.equal(box.read("etc/fstab"), fstab);
    assert.deepEqual(
      second.calls.filter((c) => /^(mkfs|mount )/.test(c)),
      [],
    );
  });

  for (const [was, options] of [
    ["Continue", "defaults,noatime,nofail,x-systemd.device-timeout=30s"],
    ["Continue", "defaults,errors=continue,noatime,nofail"],
    ["Remount read-only", "defaults,noatime,nofail"],
  ])
    it(`a disk that was formatted earlier stops on errors too, while it is mounted (${was}, ${options})`, () => {
      const { box, host, script, device } = prepared([GIB]);
      const path = `${box.root}${diskMounts(host)[0].path}`;
      fs.writeFileSync(`${device(0)}.signature`, `TYPE=ext4\nLABEL=${diskMounts(host)[0].label}\nUUID=old\n`);
      fs.writeFileSync(`${device(0)}.errors`, was);
      box.file("etc/fstab", `UUID=1 / ext4 defaults,errors=continue 0 1\nUUID=old ${path} ext4 ${options} 0 2\n`);
      box.file("mounts", `${path} ${device(0)}\n`);
      const r = box.run(script);
      assert.equal(r.status, 0, r.stderr);
      const kept = options.replace("errors=continue,", "");
      assert.equal(
        box.read("etc/fstab"),
        `UUID=1 / ext4 defaults,errors=continue 0 1\nUUID=old ${path} ext4 ${kept},errors=remount-ro 0 2\n`,
      );
      assert.deepEqual(
        r.calls.filter((c) => /^(tune2fs -e|mount|mkfs)/.test(c)),
        was === "Continue" ? [`tune2fs -e remount-ro ${device(0)}`, `mount -o remount,errors=remount-ro ${path}`] : [],
      );
      const again = box.run(script);
      assert.match(again.stdout, /^disks: nothing changed$/m);
    });

  it("mounts a disk that carries our label without formatting it (a reinstalled host)", () => {
    const { box, host, script, device } = prepared([GIB]);
    fs.writeFileSync(`${device(0)}.signature`, `TYPE=ext4\nLABEL=${diskMounts(host)[0].label}\nUUID=old\n`);
    const r = box.run(script);
    assert.equal(r.status, 0, r.stderr);
    assert.deepEqual(made(r.calls), []);
    assert.match(box.read("etc/fstab"), /^UUID=old /m);
    const path = `${box.root}${diskMounts(host)[0].path}`;
    assert.deepEqual(
      r.calls.filter((c) => c.startsWith("mount ")),
      [`mount ${path}`, `mount -o remount,errors=remount-ro ${path}`],
    );
  });

  const dirty: Array<[what: string, dirt: (device: string, box: Sandbox) => void, says: RegExp]> = [
    [
      "a file system",
      (d) => fs.writeFileSync(`${d}.signature`, "TYPE=ext4\nLABEL=home\nUUID=x\n"),
      /TYPE=ext4 LABEL=home/,
    ],
    [
      "a foreign label of the same form",
      (d) => fs.writeFileSync(`${d}.signature`, "TYPE=ext4\nLABEL=mhad-0000000\nUUID=x\n"),
      /mhad-0000000/,
    ],
    ["contradictory signatures", (d) => fs.writeFileSync(`${d}.blkid`, "8"), /blkid answers 8/],
    ["an unreadable surface", (d) => fs.writeFileSync(`${d}.blkid`, "4"), /blkid answers 4/],
    [
      "a signature that only wipefs sees",
      (d) => fs.writeFileSync(`${d}.wipefs`, "sda 0x218 LVM2_member"),
      /LVM2_member/,
    ],
    ["partitions", (d) => fs.writeFileSync(`${d}.children`, "disk0p1\n"), /partitions or volumes: disk0p1/],
    ["a mount", (d, box) => box.file("mounts", `/srv ${d}\n`), /mounted file system at \/srv/],
    ["data at its start", (d) => poke(d, 4096), /first 4 MiB/],
    ["data in the middle", (d) => poke(d, 512 * 2 ** 20), /data at 512 MiB/],
    ["data at its end (a backup GPT, old RAID)", (d) => poke(d, 2 ** 30 - 512), /last MiB/],
  ];
  for (const [what, dirt, says] of dirty) {
    it(`refuses a disk with ${what}, says what it found, and touches nothing`, () => {
      const { box, script, device } = prepared([GIB]);
      dirt(device(0), box);
      const r = box.run(script);
      assert.notEqual(r.status, 0);
      assert.match(r.stderr, /is not blank and was left as it is/);
      assert.match(r.stderr, says);
      assert.deepEqual(made(r.calls), []);
      assert.equal(box.read("etc/fstab"), "# a line without its end");
    });
  }

  it("refuses a disk much smaller than the settings say, one that is missing, and our label on another file system", () => {
    const small = prepared([{ ...GIB, sizeGiB: 1 }]);
    const r = small.box.run(small.script.replace(/ 1$/m, " 2"));
    assert.notEqual(r.status, 0);
    assert.match(r.stderr, /holds 1 GiB, the settings say 2/);

    const gone = prepared([GIB]);
    fs.rmSync(gone.device(0));
    assert.match(gone.box.run(gone.script).stderr, /is no block device/);

    const other = prepared([GIB]);
    fs.writeFileSync(`${other.device(0)}.signature`, `TYPE=btrfs\nLABEL=${diskMounts(other.host)[0].label}\nUUID=x\n`);
    const o = other.box.run(other.script);
    assert.match(o.stderr, /carries our label .* but is btrfs/);
    for (const m of [gone, other]) assert.deepEqual(made(m.box.run(m.script).calls), []);
  });

  it("refuses to move a disk to another directory because the settings were reordered", () => {
    const { box, host, script } = prepared([GIB, GIB]);
    assert.equal(box.run(script).status, 0);
    const turned = disksStep({ ...host, disks: [...host.disks].reverse() }, { root: box.root }).script;
    const r = box.run(turned);
    assert.notEqual(r.status, 0);
    assert.match(r.stderr, /its data stay where they are/);
    assert.deepEqual(made(r.calls), []);
  });

  it("names disks by their id: twelve characters, stable, distinct", () => {
    const host = {
      ...fixtureSettings().hosts[0],
      disks: [
        { ...GIB, id: "/dev/disk/by-id/a" },
        { ...GIB, id: "/dev/disk/by-id/b", use: "local" as const },
      ],
    };
    const labels = diskMounts(host).map((d) => d.label);
    assert.deepEqual(
      diskMounts({ ...host, disks: [...host.disks].reverse() })
        .map((d) => d.label)
        .reverse(),
      labels,
    );
    assert.equal(new Set(labels).size, 2);
    for (const label of labels) assert.equal(label.length, 12);
  });
});

function poke(file: string, at: number): void {
  const fd = fs.openSync(file, "r+");
  fs.writeSync(fd, "x", at);
  fs.closeSync(fd);
}
