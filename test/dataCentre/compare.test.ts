/** What no stack can see alone: two primaries, a smaller standby, other names and versions. */
import assert from "node:assert/strict";
import { differences, type CentreStack } from "../../cli/dr/compare";
import { fenceText } from "../../cli/dr/fence";
import { differingSecrets, positionOf, statusText, type Observed } from "../../cli/dr/status";
import { hashesOf } from "../../components/keys/sharedHashes";
import { plan } from "../../components/plan";
import { centreConfig, NAMES, peers, type Name } from "../helpers/dataCentres";
import { settingsOf } from "../helpers/settings";

type Config = Record<string, any>;

function stack(self: Name, change: (config: Config) => void = () => undefined): CentreStack {
  const config: Config = structuredClone(centreConfig(self));
  change(config);
  const settings = settingsOf(config, self);
  return { stack: self, settings: { ...settings, dataCentre: settings.dataCentre! }, plan: plan(settings) };
}
/** The one difference between dc1 as it is and dc2 with a change. */
function found(change: (config: Config) => void): string {
  const all = differences([stack("dc1"), stack("dc2", change)]);
  assert.equal(all.length, 1, all.join("\n"));
  return all[0]!;
}

describe("the stacks of several data centres", () => {
  it("agree as they should be", () => assert.deepEqual(differences(NAMES.map((name) => stack(name))), []));

  it("are refused with two primaries", () =>
    assert.match(
      found((c) => {
        c.dataCentre.primary = "dc2";
      }),
      /two primaries: dc1 \(stack dc1\) and dc2 \(stack dc2\)/,
    ));
  it("are refused while they name different ones", () =>
    assert.match(
      found((c) => {
        c.dataCentre.primary = "dc3";
      }),
      /dc1 names dc1, dc2 names dc3/,
    ));
  it("are refused with one name twice", () =>
    assert.match(differences([stack("dc1"), { ...stack("dc1"), stack: "other" }]).join(), /both dc1/));
  it("are refused with other peers, and not with other keys for their archives", () => {
    assert.match(
      found((c) => {
        c.dataCentre.peers = peers();
        c.dataCentre.peers[2].archive.bucket = "elsewhere";
      }),
      /dataCentre\.peers dc3 differs/,
    );
    const other = stack("dc2", (c) => {
      c.dataCentre.peers[0].archive.accessKey = "AKIA-READER";
    });
    assert.deepEqual(differences([stack("dc1"), other]), []);
  });
  it("are refused with another name of the server", () =>
    assert.match(
      found((c) => {
        c.serverName = "example.net";
      }),
      /^serverName differs/,
    ));
  it("are refused with other public names", () =>
    assert.match(
      found((c) => {
        c.hostnames = { web: "web.example.org" };
      }),
      /^hostnames differs/,
    ));
  it("are refused with other rules for users", () =>
    assert.match(
      found((c) => {
        c.media = { maxUploadMiB: 50 };
      }),
      /^media differs/,
    ));
  it("are refused with another version, and not with another mirror", () => {
    assert.match(
      found((c) => {
        c.images = { overrides: { synapse: "registry.example.net/synapse:1.0" } };
      }),
      /image synapse differs.*synapse:1\.0/,
    );
    const mirrored = stack("dc2", (c) => {
      c.images = { mirror: "registry.dc2.example.net" };
    });
    assert.deepEqual(differences([stack("dc1"), mirrored]), []);
  });
  it("are refused with a standby that is smaller than its primary", () => {
    assert.match(
      found((c) => {
        c.overrides = { postgres: { maxConnections: stack("dc1").plan.postgres.maxConnections - 1 } };
      }),
      /dc2 is smaller than its primary dc1: max_connections/,
    );
    assert.match(
      found((c) => {
        c.overrides = { postgres: { storageGiB: 20 } };
      }),
      /PostgreSQL's volume, GiB is 20/,
    );
  });
});

describe("what is said of a data centre that is lost", () => {
  it("names its machines, its way out and the key of its archive", () => {
    const { settings } = stack("dc2");
    const text = fenceText(settings);
    for (const host of settings.hosts) assert.ok(text.includes(host.name), host.name);
    assert.match(text, /203\.0\.113\.40-203\.0\.113\.50/);
    assert.match(text, /bucket archive-dc2, folder synapse-postgres-dc2-1/);
  });
});

describe("the status of several data centres", () => {
  const observed = (
    name: Name,
    positions: string | undefined,
    secrets: Record<string, string> = { a: "1" },
  ): Observed => ({
    stack: name,
    settings: stack(name).settings,
    ...(positions === undefined
      ? {}
      : {
          positions,
          outputs: { version: "1", dataCentre: { primary: "dc1", secrets } },
          cluster: { status: { phase: "Cluster in healthy state" } },
        }),
  });

  it("says what would be lost now", () => {
    const text = statusText([observed("dc1", "f|1|5000|0"), observed("dc2", "t|1|4000|3")]);
    assert.match(text, /dc1 is written to, and no other/);
    assert.match(text, /dc2 instead of the primary now would lose the last 1000 bytes/);
    assert.match(text, /Secrets: the same\./);
  });
  it("cries out when two are written to", () =>
    assert.match(
      statusText([observed("dc1", "f|1|5000|0"), observed("dc2", "f|2|5100|0")]),
      /TWO DATABASES ARE WRITTEN TO: dc1, dc2/,
    ));
  it("says what does not answer, and compares no secrets with it", () => {
    const text = statusText([observed("dc1", undefined), observed("dc2", "t|1|4000|3")]);
    assert.match(text, /does not answer/);
    assert.match(text, /Secrets: not compared/);
  });
  it("names the secrets that differ, and shows none", () => {
    const all = [observed("dc1", "f|1|1|0", { a: "1", b: "2" }), observed("dc2", "t|1|1|0", { a: "1", b: "3" })];
    assert.deepEqual(differingSecrets(all), ["b"]);
    assert.match(statusText(all), /Secrets that differ, and must not: b\./);
  });
  it("reads nothing from an answer that is none", () => assert.equal(positionOf("psql: error"), undefined));
});

describe("hashes of shared secrets", () => {
  const KEY = "ed25519 a_1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  it("are the same for the same secrets, in a file's form too, and differ in one that differs", () => {
    const [a, b] = [
      hashesOf(KEY, { formSecret: "x", databasePassword: "y" }),
      hashesOf(`${KEY}\n`, { formSecret: "x\n", databasePassword: "z" }),
    ];
    assert.equal(a.formSecret, b.formSecret);
    assert.notEqual(a.databasePassword, b.databasePassword);
  });
  it("tell nothing without the signing key, and not that two secrets of one server are the same", () => {
    const a = hashesOf(KEY, { formSecret: "x", databasePassword: "x" });
    assert.notEqual(a.formSecret, a.databasePassword);
    assert.notEqual(hashesOf(KEY.replace("AAA", "BBB"), { formSecret: "x" }).formSecret, a.formSecret);
  });
});
