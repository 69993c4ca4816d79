/** PostgreSQL's WAL has a file system of its own: WAL that cannot be archived must not fill the disk of the data. */
import assert from "node:assert/strict";
import { renderHostScripts, WAL_PATH } from "../../components/layers/hosts";
import { localPaths, storageClasses } from "../../components/layers/cluster/storageClasses";
import { cnpgClusterSpec } from "../../components/layers/postgres/cnpgCluster";
import { plan } from "../../components/plan";
import type { DiskSettings, HostSettings, Settings } from "../../components/settings/types";
import { fixtureSettings } from "../fixtures/plan";

const settings = (change: (s: Settings) => void = () => undefined): Settings => {
  const s = fixtureSettings();
  change(s);
  return s;
};
const databases = (s: Settings): HostSettings[] => s.hosts.filter((h) => h.roles.includes("database"));
const withDisk = (s: Settings): void => {
  for (const h of databases(s)) {
    const disk: DiskSettings = { id: `/dev/disk/by-id/wal-${h.name}`, use: "wal", sizeGiB: 200 };
    h.disks = [...h.disks, disk];
  }
};
const rendered = (s: Settings): any => cnpgClusterSpec({ settings: s, plan: plan(s) });
const pathOf = (s: Settings, name: string): string | undefined =>
  storageClasses(s).find((c) => c.name === name)?.parameters.nodePath;

describe("hosts: the volume of the WAL", () => {
  for (const [how, change] of [
    ["in a file of the plan's size on the data's disk", () => undefined],
    ["on a disk of its own", withDisk],
  ] as Array<[string, (s: Settings) => void]>)
    it(`is another folder than the data's, which is a mount on every database host: ${how}`, () => {
      const s = settings(change);
      const { storage, walStorage } = rendered(s);
      assert.notEqual(walStorage.storageClass, storage.storageClass);
      assert.equal(pathOf(s, walStorage.storageClass), WAL_PATH);
      assert.notEqual(pathOf(s, storage.storageClass), WAL_PATH);
      assert.ok(localPaths(s).includes(WAL_PATH));
      for (const h of s.hosts) {
        const scripts = renderHostScripts(s)[h.name];
        const step = scripts.find((f) => /-wal\.sh$/.test(f.file));
        const disk = scripts.find((f) => /-disks\.sh$/.test(f.file))!.text.includes(` '${WAL_PATH}' `);
        const expected = !h.roles.includes("database") ? "none" : change === withDisk ? "disk" : "file";
        assert.equal(step ? "file" : disk ? "disk" : "none", expected, h.name);
        if (step) assert.match(step.text, new RegExp(`^gib=${plan(s).postgres.walStorageGiB}$`, "m"));
      }
    });

  it("with a disk of its own, the data have their whole disk", () => {
    assert.ok(plan(settings(withDisk)).postgres.walStorageGiB <= 170);
    const small = (s: Settings): void => {
      for (const h of databases(s)) h.disks[0].sizeGiB = 500;
    };
    const shared = plan(settings(small)).postgres.storageGiB;
    const alone = plan(settings((s) => (small(s), withDisk(s)))).postgres.storageGiB;
    assert.ok(alone > shared, `${alone} > ${shared}`);
  });

  for (const [why, change] of [
    ["the hosts are prepared by somebody else", (s: Settings) => (s.prepareHosts = false)],
    ["the provisioner is not ours", (s: Settings) => (s.cluster.install.localPathProvisioner = false)],
  ] as Array<[string, (s: Settings) => void]>)
    it(`stays in the class of the data, and a note says so, where ${why}`, () => {
      const s = settings(change);
      const { storage, walStorage } = rendered(s);
      assert.equal(walStorage.storageClass, storage.storageClass);
      assert.match(plan(s).notes.join("\n"), /WAL shares the file system of the data/);
    });
});
