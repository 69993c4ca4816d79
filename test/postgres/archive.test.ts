/** What the operator and its plugin are told about backups, and about a restore: each object as a whole. */
import assert from "node:assert/strict";
import {
  backupMethod,
  backupStanza,
  bootstrapStanza,
  objectStoreSpec,
  OBJECT_STORE,
  PLUGIN,
  scheduledBackupSpec,
  SOURCE,
} from "../../components/layers/postgres/backups";
import type { Settings } from "../../components/settings/types";
import { planned, TARGET, withoutPlugin } from "./planned";

const withTarget = (change: (s: Settings) => void = () => undefined) => ({ ...planned(change), target: TARGET });

const CREDENTIALS = {
  accessKeyId: { name: "synapse-backup-s3", key: "accessKey" },
  secretAccessKey: { name: "synapse-backup-s3", key: "secretKey" },
};
const ENV = [
  { name: "AWS_DEFAULT_REGION", value: "eu-1" },
  // boto3's older default of five would take half a minute at 3 s each.
  { name: "AWS_MAX_ATTEMPTS", value: "3" },
];
/** An instance does not wait long for an archive that hangs: until it has looked there, no write is acknowledged. */
const LOOKED_FOR = { restoreAdditionalCommandArgs: ["--read-timeout=3"] };
/** The plugin's sidecar has lz4 and zstd. */
const BY_PLUGIN = {
  destinationPath: "s3://backup/",
  endpointURL: "https://s3.example.net",
  s3Credentials: CREDENTIALS,
  wal: { compression: "zstd", maxParallel: 2, ...LOOKED_FOR },
  data: { compression: "lz4", jobs: 4, immediateCheckpoint: true },
};
/** PostgreSQL's own image need have neither. */
const BY_OPERATOR = {
  ...BY_PLUGIN,
  wal: { compression: "gzip", maxParallel: 2, ...LOOKED_FOR },
  data: { compression: "gzip", jobs: 4, immediateCheckpoint: true },
};

const renamed = (s: Settings): void => {
  s.backups.archiveName = "db-2";
};
const restored =
  (from: string, targetTime?: string) =>
  (s: Settings): void => {
    renamed(s);
    s.backups.restore = { from, ...(targetTime ? { targetTime } : {}) };
  };
const both =
  (...changes: Array<(s: Settings) => void>) =>
  (s: Settings): void => {
    for (const change of changes) change(s);
  };

describe("the database's archive", () => {
  it("is written by the plugin where this stack installs it, else by the operator itself", () => {
    assert.equal(backupMethod(planned().settings), "plugin");
    assert.equal(backupMethod(planned(withoutPlugin).settings), "barmanObjectStore");
  });

  it("has names that do not change: what is deployed is found by them", () => {
    assert.deepEqual([OBJECT_STORE, PLUGIN, SOURCE], ["synapse-postgres", "barman-cloud.cloudnative-pg.io", "before"]);
  });

  it("is described to the plugin in full, with memory for each process of a base backup", () => {
    assert.deepEqual(objectStoreSpec(withTarget()), {
      configuration: BY_PLUGIN,
      retentionPolicy: "30d",
      instanceSidecarConfiguration: {
        env: ENV,
        resources: {
          requests: { cpu: "20m", memory: "128Mi", "ephemeral-storage": "138Mi" },
          // 256 MiB, and 128 for each of the four processes.
          limits: { memory: "768Mi", "ephemeral-storage": "572Mi" },
        },
      },
    });
  });

  it("is described to the operator in full", () => {
    assert.deepEqual(backupStanza(withTarget(withoutPlugin)), {
      env: ENV,
      backup: { target: "prefer-standby", retentionPolicy: "30d", barmanObjectStore: BY_OPERATOR },
    });
  });

  it("is kept as many days as the settings say", () => {
    const days = (s: Settings): void => {
      s.backups.retentionDays = 7;
    };
    const plugin = objectStoreSpec(withTarget(days)) as { retentionPolicy: string };
    const operator = backupStanza(withTarget(both(withoutPlugin, days))) as { backup: { retentionPolicy: string } };
    assert.deepEqual([plugin.retentionPolicy, operator.backup.retentionPolicy], ["7d", "7d"]);
  });

  it("is in its folder of a bucket that it shares, and trusts the authority that signed the endpoint's certificate", () => {
    const endpointCa = { name: "synapse-backup-s3", key: "ca.crt" };
    const target = { ...TARGET, prefix: "synapse-backups", endpointCa };
    const spec = objectStoreSpec({ ...planned(), target }) as { configuration: object };
    assert.deepEqual(spec.configuration, {
      ...BY_PLUGIN,
      destinationPath: "s3://backup/synapse-backups/",
      endpointCA: endpointCa,
    });
  });

  it("is attached to the Cluster by the plugin, under the name of the settings where it is not the Cluster's own", () => {
    const parameters = (more: object): object => ({
      plugins: [
        {
          name: "barman-cloud.cloudnative-pg.io",
          enabled: true,
          isWALArchiver: true,
          parameters: { barmanObjectName: "synapse-postgres", ...more },
        },
      ],
    });
    assert.deepEqual(backupStanza(withTarget()), parameters({}));
    assert.deepEqual(backupStanza(withTarget(renamed)), parameters({ serverName: "db-2" }));
    const operator = backupStanza(withTarget(both(withoutPlugin, renamed))) as { backup: object };
    assert.deepEqual((operator.backup as { barmanObjectStore: object }).barmanObjectStore, {
      ...BY_OPERATOR,
      serverName: "db-2",
    });
  });

  it("is not there without a target", () => {
    assert.deepEqual(backupStanza(planned()), {});
    assert.deepEqual(backupStanza(planned(withoutPlugin)), {});
  });

  it("gets a base backup at once and then by the schedule, from a standby", () => {
    const expected = {
      cluster: { name: "synapse-postgres" },
      schedule: "0 0 2 * * *",
      // Without a base backup, archived WAL cannot be restored.
      immediate: true,
      suspend: false,
      backupOwnerReference: "cluster",
      target: "prefer-standby",
    };
    assert.deepEqual(scheduledBackupSpec(planned().settings), {
      ...expected,
      method: "plugin",
      pluginConfiguration: { name: "barman-cloud.cloudnative-pg.io" },
    });
    assert.deepEqual(scheduledBackupSpec(planned(withoutPlugin).settings), {
      ...expected,
      method: "barmanObjectStore",
    });
    const weekly = planned(({ backups }) => {
      backups.schedule = "0 0 3 * * 0";
    }).settings;
    assert.equal((scheduledBackupSpec(weekly) as { schedule: string }).schedule, "0 0 3 * * 0");
  });
});

describe("a new database", () => {
  const DATABASE = { database: "synapse", owner: "synapse", secret: { name: "synapse-database" } };
  const OPTIONS = { encoding: "UTF8" };
  const empty = { bootstrap: { initdb: { ...DATABASE, encoding: "UTF8" } } };
  const MOMENT = "2026-11-20T14:30:00Z";

  it("is empty unless a restore is asked for, and an archive is there to restore from", () => {
    assert.deepEqual(bootstrapStanza(withTarget(), DATABASE, OPTIONS), empty);
    assert.deepEqual(bootstrapStanza(planned(), DATABASE, OPTIONS), empty);
    assert.deepEqual(bootstrapStanza(planned(restored("synapse-postgres")), DATABASE, OPTIONS), empty);
  });

  it("is restored by the plugin, to the latest moment or to the one that is asked for", () => {
    const expected = (recovery: object): object => ({
      bootstrap: { recovery: { source: "before", ...DATABASE, ...recovery } },
      externalClusters: [
        {
          name: "before",
          plugin: {
            name: "barman-cloud.cloudnative-pg.io",
            parameters: { barmanObjectName: "synapse-postgres", serverName: "synapse-postgres" },
          },
        },
      ],
    });
    assert.deepEqual(
      bootstrapStanza(withTarget(restored("synapse-postgres")), DATABASE, OPTIONS),
      expected({}),
      "the archive is named even where it is the Cluster's own name: the source has another",
    );
    assert.deepEqual(
      bootstrapStanza(withTarget(restored("synapse-postgres", MOMENT)), DATABASE, OPTIONS),
      expected({ recoveryTarget: { targetTime: MOMENT } }),
    );
  });

  it("is restored by the operator from the same store, with the client's own patience: there waiting does no harm", () => {
    const { restoreAdditionalCommandArgs: _, ...wal } = BY_OPERATOR.wal;
    assert.deepEqual(
      bootstrapStanza(withTarget(both(withoutPlugin, restored("synapse-postgres"))), DATABASE, OPTIONS),
      {
        bootstrap: { recovery: { source: "before", ...DATABASE } },
        externalClusters: [
          { name: "before", barmanObjectStore: { ...BY_OPERATOR, wal, serverName: "synapse-postgres" } },
        ],
      },
    );
  });

  it("a database that is missing is made with what the old PostgreSQL holds; its password is in a Secret", () => {
    const { settings, plan } = planned((s) => {
      s.database.importFrom = {
        host: "old.example.org",
        port: 5433,
        majorVersion: 16,
        database: "matrix",
        user: "reader",
        password: "old-password",
        sslMode: "require",
      };
    });
    const empty = { database: "synapse", owner: "synapse", secret: { name: "synapse-db" } };
    assert.deepEqual(bootstrapStanza({ settings, plan }, empty, { localeCollate: "C" }), {
      bootstrap: {
        initdb: {
          ...empty,
          localeCollate: "C",
          import: { type: "microservice", databases: ["matrix"], source: { externalCluster: "imported" } },
        },
      },
      externalClusters: [
        {
          name: "imported",
          connectionParameters: {
            host: "old.example.org",
            port: "5433",
            user: "reader",
            dbname: "matrix",
            sslmode: "require",
          },
          password: { name: "synapse-postgres-import", key: "password" },
        },
      ],
    });
  });
});
