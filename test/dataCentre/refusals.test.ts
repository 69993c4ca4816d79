/** Every combination of data centres that cannot work is refused, with its place and its remedy. */
import assert from "node:assert/strict";
import { formatErrors, resolveSettings } from "../../components/settings";
import { secretsInClear } from "../../components/settings/secretPaths";
import { centreConfig, peers, TOKEN, type Name } from "../helpers/dataCentres";

type Config = Record<string, any>;
type Change = (config: Config) => void;
/** The mistake, where, how it is made, the path of the error, and its words. */
type Case = [what: string, self: Name, change: Change, path: string, says: RegExp];

const centre =
  (more: Config): Change =>
  (config) => {
    Object.assign(config.dataCentre, more);
  };
const own =
  (section: string, more: Config): Change =>
  (config) => {
    config[section] = { ...config[section], ...more };
  };
const archive =
  (i: number, more: Config): Change =>
  ({ dataCentre }) => {
    Object.assign(dataCentre.peers[i].archive, more);
  };
const stream =
  (i: number, more: Config): Change =>
  ({ dataCentre }) => {
    Object.assign(dataCentre.peers[i].stream, more);
  };

const CASES: Case[] = [
  ["self that is no peer", "dc1", centre({ self: "dc9" }), "dataCentre.self", /dc1, dc2, dc3/],
  ["a primary that is no peer", "dc1", centre({ primary: "dc9" }), "dataCentre.primary", /stacks of all data centres/],
  ["a founder that is no peer", "dc1", centre({ foundedBy: "dc9" }), "dataCentre.foundedBy", /dc1, dc2, dc3/],
  [
    "one name twice, which would be two archives in one folder",
    "dc1",
    ({ dataCentre }) => {
      dataCentre.peers[2].name = "dc2";
    },
    "dataCentre.peers[2].name",
    /as dataCentre\.peers\[1\] has/,
  ],
  ["no other data centre", "dc1", centre({ peers: peers().slice(0, 1) }), "dataCentre.peers", /two data centres/],
  ["a name with a capital", "dc1", centre({ self: "DC1" }), "dataCentre.self", /lower-case/],
  [
    "a token in a standby",
    "dc2",
    centre({ promotionToken: TOKEN }),
    "dataCentre.promotionToken",
    /a standby of dc1.*pulumi config rm/s,
  ],
  ["a loss in a standby", "dc2", centre({ confirmLost: "dc1" }), "dataCentre.confirmLost", /only in the primary/],
  [
    "a token beside a loss",
    "dc2",
    centre({ primary: "dc2", promotionToken: TOKEN, confirmLost: "dc1" }),
    "dataCentre.confirmLost",
    /one of the two/,
  ],
  [
    "the loss of itself",
    "dc2",
    centre({ primary: "dc2", confirmLost: "dc2" }),
    "dataCentre.confirmLost",
    /the former primary/,
  ],
  [
    "something else for a token",
    "dc2",
    centre({ primary: "dc2", promotionToken: "dc1" }),
    "dataCentre.promotionToken",
    /npm run dr -- token/,
  ],
  ["no backups", "dc1", own("backups", { enabled: false }), "backups.enabled", /what is left when the stream breaks/],
  [
    "no plugin for the archives",
    "dc2",
    (config) => {
      config.cluster = { install: { barmanPlugin: false } };
    },
    "cluster.install.barmanPlugin",
    /read by the plugin/,
  ],
  [
    "a second place for the archive",
    "dc1",
    own("backups", {
      target: { kind: "s3", endpoint: "https://s3.example.org", bucket: "archive", accessKey: "a", secretKey: "s" },
    }),
    "backups.target",
    /move it to the entry of dc1/,
  ],
  [
    "a folder of its own for the archive",
    "dc1",
    own("backups", { archiveName: "synapse-postgres-2" }),
    "backups.archiveName",
    /synapse-postgres-dc1-1/,
  ],
  [
    "a restore in a standby",
    "dc2",
    own("backups", { restore: { from: "synapse-postgres" } }),
    "backups.restore",
    /only in the data centre that founded/,
  ],
  [
    "an import in a standby",
    "dc2",
    (config) => {
      config.database = { importFrom: { host: "old.example.org", majorVersion: 16, password: "secret-of-old" } };
    },
    "database.importFrom",
    /a copy of dc1's/,
  ],
  [
    "an archive in the data centre that it must survive: its own MinIO",
    "dc1",
    archive(0, { endpoint: "http://minio-api.minio.svc.cluster.local:9000" }),
    "dataCentre.peers[0].archive.endpoint",
    /in dc1 itself.*third site/s,
  ],
  [
    "an archive in the data centre that it must survive: one of its hosts",
    "dc1",
    (config) => archive(0, { endpoint: `https://${config.hosts[0].address}:9000` })(config),
    "dataCentre.peers[0].archive.endpoint",
    /in dc1 itself/,
  ],
  [
    "an archive in the data centre that it must survive: an address of its pool",
    "dc1",
    archive(0, { endpoint: "https://203.0.113.12" }),
    "dataCentre.peers[0].archive.endpoint",
    /in dc1 itself/,
  ],
  [
    "another archive by a name that every cluster has",
    "dc1",
    archive(1, { endpoint: "http://minio-api.minio.svc.cluster.local:9000" }),
    "dataCentre.peers[1].archive.endpoint",
    /from every data centre/,
  ],
  [
    "an archive among the media",
    "dc1",
    archive(0, { bucket: "media" }),
    "dataCentre.peers[0].archive.bucket",
    /a separate bucket/,
  ],
  [
    "one instance in a standby",
    "dc2",
    (config) => {
      config.overrides = { postgres: { instances: 1 } };
    },
    "overrides.postgres.instances",
    /3 to 9/,
  ],
  ["nobody who may follow", "dc1", stream(0, { from: [] }), "dataCentre.peers[0].stream.from", /one at least/],
  [
    "the whole Internet at the database's port",
    "dc1",
    stream(1, { from: ["0.0.0.0/0"] }),
    "dataCentre.peers[1].stream.from[0]",
    /not the whole Internet/,
  ],
  [
    "an address that no pool can give",
    "dc1",
    (config) => {
      stream(0, { host: "198.51.100.7" })(config);
      config.addressPools[0].use = ["ingress"];
    },
    "dataCentre.peers[0].stream.host",
    /use: \[any\]/,
  ],
  [
    "media that are in one data centre alone",
    "dc2",
    (config) => {
      config.objectStore = { kind: "minio" };
    },
    "objectStore",
    /acceptMediaLoss: true/,
  ],
  [
    "a certificate that a standby cannot get",
    "dc2",
    (config) => {
      config.tls = { mode: "acme", email: "admin@example.org" };
    },
    "tls.mode",
    /tls\.dns01/,
  ],
  [
    "a standby with secrets of its own",
    "dc2",
    (config) => {
      delete config.importSecrets.macaroonSecretKey;
      delete config.importSecrets.replicationPassword;
    },
    "importSecrets",
    /macaroonSecretKey, replicationPassword.*npm run dr -- escrow/s,
  ],
  [
    "a bridge's tokens that only the founder knows",
    "dc2",
    (config) => {
      config.appservices = [
        { id: "irc", url: "https://irc.example.net", senderLocalpart: "irc", asToken: "as-token-of-the-bridge" },
      ];
    },
    "appservices[0].hsToken",
    /output appservices/,
  ],
];

const errorsOf = (config: Config) => resolveSettings(config, "t", new Date("2026-11-30T00:00:00Z")).errors;

describe("data centres", () => {
  for (const self of ["dc1", "dc2", "dc3"] as const)
    it(`are accepted as they should be: ${self}`, () => {
      assert.deepEqual(errorsOf(centreConfig(self)), []);
      assert.deepEqual(errorsOf(centreConfig(self, { primary: "dc2" })), []);
    });

  for (const [what, self, change, path, says] of CASES)
    it(`refuse ${what}`, () => {
      const config = structuredClone(centreConfig(self));
      change(config);
      const errors = errorsOf(config);
      const mine = errors.filter((error) => error.path === path);
      assert.equal(mine.length, 1, formatErrors(errors));
      assert.match(formatErrors(mine), says);
      assert.deepEqual(
        errors.filter((error) => error.path !== path),
        [],
        "one mistake, one error",
      );
    });

  it("refuse keys of archives that are in clear", () => {
    const config = centreConfig("dc1");
    config.dataCentre.peers[1].archive.secretKey = "hunter2-hunter2";
    const errors = secretsInClear(config);
    assert.deepEqual(
      errors.map((error) => error.path),
      ["dataCentre.peers[1].archive.secretKey"],
    );
    assert.doesNotMatch(formatErrors(errors), /hunter2/);
  });

  it("say nothing about a stack that is the only one", () => {
    const { dataCentre: _, ...config } = centreConfig("dc1");
    config.tls = { mode: "acme", email: "admin@example.org" };
    config.objectStore = { kind: "minio" };
    config.backups = { acceptNoOffsite: true };
    assert.deepEqual(errorsOf(config), []);
  });
});
