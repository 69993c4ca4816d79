import assert from "node:assert/strict";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { cnpgClusterSpec, memoryLimitMiB } from "../../components/layers/postgres/cnpgCluster";
import { parameterProblem } from "../../components/layers/postgres/parameters";
import { plan } from "../../components/plan";
import { resolveSettings } from "../../components/settings";
import { PostgresCluster, type BackupTarget } from "../../components/layers/postgres";
import { StackSecrets } from "../../components/keys/secrets";
import { SECRET_SPECS } from "../../components/layers/registry";
import type { Settings } from "../../components/settings/types";
import { quantityValue } from "../../components/core/workload/quantities";
import type { Plan } from "../../components/sizing/types";
import { SIZES, tier } from "../../lab/common/tiers";
import { fixtureContext, fixturePlan, fixtureSettings } from "../fixtures/context";
import { crdProblems } from "../helpers/crdSchemas";
import { kubernetesProblems } from "../helpers/kubernetesSchemas";
import type { Peer } from "../../components/core/edges";
import { edges } from "../../components/topology";

const TARGET: BackupTarget = {
  endpoint: "http://minio-api.minio.svc.cluster.local:9000",
  region: "eu-1",
  bucket: "backup",
  secretName: "synapse-backup-s3",
  accessKeyKey: "accessKey",
  secretKeyKey: "secretKey",
};

async function postgres(
  change: (s: Settings, p: Plan) => void = () => undefined,
  backup: BackupTarget | undefined = TARGET,
): Promise<RegisteredResource[]> {
  const { resources } = await evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = fixtureContext(change);
      new PostgresCluster(
        "postgres",
        { ctx, secrets: new StackSecrets("secrets", { settings: ctx.settings, specs: SECRET_SPECS }), backup },
        { provider: ctx.provider },
      );
      return {};
    },
  });
  return resources;
}
const one = (list: RegisteredResource[], k: string): RegisteredResource => {
  const found = list.filter((r) => r.inputs?.kind === k);
  assert.equal(found.length, 1, `${found.length} of ${k}`);
  return found[0]!;
};
const withoutPlugin = (s: Settings): void => {
  s.cluster.install.barmanPlugin = false;
};
const none = (list: RegisteredResource[], k: string): void =>
  assert.ok(!list.some((r) => r.inputs?.kind === k), `${k} is registered`);
const mebibytes = (quantity: string): number => quantityValue(quantity) / 2 ** 20;

describe("PostgreSQL", () => {
  let all: RegisteredResource[];
  let spec: any;
  before(async () => {
    all = await postgres();
    spec = one(all, "Cluster").inputs.spec;
  });

  for (const [name, change, backup] of [
    [
      "with an import",
      (s: Settings) => {
        s.database.importFrom = {
          host: "old.example.org",
          port: 5432,
          majorVersion: 16,
          database: "synapse",
          user: "synapse",
          password: "old-password",
          sslMode: "disable",
        };
      },
      TARGET,
    ],
    ["by the plugin", () => undefined, TARGET],
    ["by the operator itself", withoutPlugin, TARGET],
    ["without backups", () => undefined, undefined],
  ] as Array<[string, (s: Settings) => void, BackupTarget | undefined]>) {
    it(`registers objects that the operator's own definitions accept: ${name}`, async () => {
      const list = backup ? await postgres(change, backup) : await evaluateWithoutBackup();
      const problems = list
        .filter((r) => r.inputs?.kind)
        .flatMap((r) =>
          (crdProblems(r.inputs) ?? kubernetesProblems(r.inputs) ?? ["of no known kind"]).map(
            (p) => `${r.inputs.kind}: ${p}`,
          ),
        );
      assert.deepEqual(problems, []);
    });
  }

  it("does not acknowledge a write that only one instance has, nor promote one that may lack it", () => {
    assert.deepEqual(spec.postgresql.synchronous, {
      method: "any",
      number: 1,
      dataDurability: "required",
      failoverQuorum: true,
    });
    assert.equal(spec.instances, 3);
    assert.equal(spec.failoverDelay, 0);
  });

  it("survives the loss of as many instances as its number allows: failover quorum and writes, counted here again", () => {
    for (const instances of [3, 4, 5, 6, 7, 8, 9]) {
      const settings = fixtureSettings();
      settings.overrides.postgres.instances = instances;
      const [database] = settings.hosts.filter((h) => h.roles.includes("database"));
      for (let i = 3; i < instances; i++)
        settings.hosts.push({ ...database!, name: `db-${i}`, address: `10.9.9.${i}` });
      const rendered = cnpgClusterSpec({ settings, plan: plan(settings) }) as {
        postgresql: { synchronous: { number: number } };
      };
      const w = rendered.postgresql.synchronous.number;
      const standbys = instances - 1;
      /** Whether writes go on after the loss of the primary and `lost - 1` standbys. */
      const survives = (lost: number): boolean => {
        const reachable = instances - lost;
        return reachable + w > standbys && reachable - 1 >= w;
      };
      const most = Math.floor((instances - 1) / 2);
      for (let lost = 1; lost <= most; lost++) assert.ok(survives(lost), `${lost} of ${instances} lost, W = ${w}`);
      // A write that was acknowledged is on the primary and W standbys: one of them is left.
      assert.ok(w >= most);
    }
  });

  it("has parameters that the server accepts, at every size", () => {
    for (const ccu of SIZES)
      for (const [name, value] of Object.entries(
        plan(resolveSettings(tier(ccu).config, "t").settings!).postgres.parameters,
      ))
        assert.equal(parameterProblem(name, value), undefined, `${name} = "${value}"`);
  });

  it("waits for a dead primary's lease no longer than measured, with renewal before expiry", () => {
    const l = spec.primaryLease;
    assert.ok(
      l.leaseDurationSeconds <= 6 &&
        l.renewDeadlineSeconds < l.leaseDurationSeconds &&
        l.retryPeriodSeconds < l.renewDeadlineSeconds,
      JSON.stringify(l),
    );
  });

  it("gives Synapse the database that it demands, with its own password", () => {
    const i = spec.bootstrap.initdb;
    assert.deepEqual(
      [i.database, i.owner, i.encoding, i.localeCollate, i.localeCType, i.dataChecksums],
      ["synapse", "synapse", "UTF8", "C", "C", true],
    );
    const secret = one(all, "Secret");
    assert.equal(i.secret.name, secret.inputs.metadata.name);
    assert.equal(secret.inputs.type, "kubernetes.io/basic-auth");
    assert.equal(secret.inputs.stringData.username, i.owner);
    assert.ok(secret.inputs.stringData.password.length >= 40);
    assert.ok(
      secret.secretPaths.some((p) => p.includes("password")) || secret.secretPaths.includes("stringData"),
      `secret: ${secret.secretPaths.join(", ")}`,
    );
    assert.equal(spec.enableSuperuserAccess, false);
  });

  it("never has two instances on a host, and only on database hosts", () => {
    assert.deepEqual(
      [spec.affinity.podAntiAffinityType, spec.affinity.topologyKey],
      ["required", "kubernetes.io/hostname"],
    );
    assert.equal(spec.affinity.nodeSelector["matrix-ha.dev/role-database"], "true");
    assert.ok(spec.affinity.tolerations.some((t: any) => t.key === "matrix-ha.dev/role-database"));
    // The operator waits half a minute for each answer of an instance that is not marked as deleted.
    assert.equal(
      spec.affinity.tolerations.find((t: any) => t.key === "node.kubernetes.io/unreachable").tolerationSeconds,
      1,
    );
  });

  it("keeps WAL on a volume of its own, of a class whose folder is another file system", () => {
    const { storageGiB, walStorageGiB } = fixturePlan().postgres;
    assert.deepEqual([spec.storage.size, spec.walStorage.size], [`${storageGiB}Gi`, `${walStorageGiB}Gi`]);
    assert.deepEqual(
      [spec.storage.storageClass, spec.walStorage.storageClass],
      ["matrix-ha-database", "matrix-ha-database-wal"],
    );
  });

  it("requests at least the shared buffers, which the operator checks, and limits memory above the request", () => {
    const request = mebibytes(spec.resources.requests.memory);
    assert.ok(request >= 8 * 1024, `${request} MiB for shared_buffers ${spec.postgresql.parameters.shared_buffers}`);
    assert.ok(mebibytes(spec.resources.limits.memory) > request);
    assert.equal(spec.resources.limits.cpu, undefined);
    assert.deepEqual([256, 1024, 24576].map(memoryLimitMiB), [512, 2048, 30720]);
  });

  it("is waited for, protected, and left alone by a destroy", () => {
    const r = one(all, "Cluster");
    assert.equal(r.inputs.metadata.annotations["pulumi.com/waitFor"], "condition=Ready");
    assert.ok(r.protect && r.retainOnDelete);
  });

  it("leaves the stack where nothing is to be protected, and stays with its volumes", async () => {
    const r = one(
      await postgres((s) => {
        s.deletionProtection = false;
      }),
      "Cluster",
    );
    assert.ok(!r.protect && r.retainOnDelete);
  });

  it("pools sessions, and any one pooler can carry every connection without exceeding the server's", () => {
    const p = one(all, "Pooler").inputs.spec;
    const n = Object.fromEntries(Object.entries<string>(p.pgbouncer.parameters).map(([k, v]) => [k, Number(v)]));
    const plan = fixturePlan().postgres;
    assert.equal(p.pgbouncer.poolMode, "session");
    assert.ok(n.default_pool_size! >= plan.connectionsAtMax && n.max_client_conn! > plan.connectionsAtMax);
    assert.ok(n.max_db_connections! >= n.default_pool_size! && n.max_db_connections! < plan.maxConnections);
    assert.ok(
      n.server_idle_timeout! <= 60,
      "connections that clients left stay open on a pooler while they are opened on another",
    );
    assert.equal(
      p.template.spec.containers[0].name,
      "pgbouncer",
      "the operator completes only a container of this name",
    );
    assert.equal(p.instances, 3);
  });

  it("has a budget for the poolers, which selects what the operator labels", () => {
    const b = one(all, "PodDisruptionBudget").inputs;
    assert.deepEqual(b.spec.selector.matchLabels, { "cnpg.io/poolerName": one(all, "Pooler").inputs.metadata.name });
    assert.equal(b.spec.maxUnavailable, 1);
  });

  it("has the poolers and the schedule after the cluster", () => {
    const cluster = one(all, "Cluster").urn;
    for (const k of ["Pooler", "ScheduledBackup"]) assert.ok(one(all, k).dependencies.includes(cluster), k);
    assert.ok(one(all, "Cluster").dependencies.includes(one(all, "ObjectStore").urn));
    assert.ok(one(all, "Cluster").dependencies.includes(one(all, "Secret").urn));
  });

  it("archives through the plugin where it is installed", () => {
    assert.deepEqual(
      spec.plugins.map((p: any) => [p.name, p.isWALArchiver, p.parameters.barmanObjectName]),
      [["barman-cloud.cloudnative-pg.io", true, one(all, "ObjectStore").inputs.metadata.name]],
    );
    assert.equal(spec.backup, undefined);
    const store = one(all, "ObjectStore").inputs.spec;
    assert.equal(store.retentionPolicy, "30d");
    assert.equal(store.configuration.destinationPath, "s3://backup/");
    const b = one(all, "ScheduledBackup").inputs.spec;
    assert.deepEqual([b.method, b.immediate, b.schedule], ["plugin", true, "0 0 2 * * *"]);
  });

  it("archives by the operator itself where it is not", async () => {
    const list = await postgres(withoutPlugin);
    const s = one(list, "Cluster").inputs.spec;
    assert.equal(s.plugins, undefined);
    assert.equal(s.backup.barmanObjectStore.endpointURL, TARGET.endpoint);
    assert.deepEqual(s.backup.barmanObjectStore.s3Credentials.secretAccessKey, {
      name: "synapse-backup-s3",
      key: "secretKey",
    });
    assert.deepEqual(s.env, [
      { name: "AWS_DEFAULT_REGION", value: "eu-1" },
      { name: "AWS_MAX_ATTEMPTS", value: "3" },
    ]);
    assert.equal(one(list, "ScheduledBackup").inputs.spec.method, "barmanObjectStore");
    none(list, "ObjectStore");
  });

  it("restores from an archive to a chosen moment if asked, writes to another archive, and backs up again at once", async () => {
    for (const plugin of [true, false]) {
      const list = await postgres((s) => {
        s.cluster.install.barmanPlugin = plugin;
        Object.assign(s.backups, {
          archiveName: "db-2",
          restore: { from: "synapse-postgres", targetTime: "2026-11-20T14:30:00Z" },
        });
      });
      assert.deepEqual(
        list.filter((r) => r.inputs?.kind).flatMap((r) => crdProblems(r.inputs) ?? []),
        [],
      );
      const s = one(list, "Cluster").inputs.spec;
      assert.equal(s.bootstrap.initdb, undefined);
      const { source, database, owner, recoveryTarget } = s.bootstrap.recovery;
      assert.deepEqual(
        [database, owner, recoveryTarget],
        ["synapse", "synapse", { targetTime: "2026-11-20T14:30:00Z" }],
      );
      const from = s.externalClusters.find((c: any) => c.name === source);
      assert.equal(plugin ? from.plugin.parameters.serverName : from.barmanObjectStore.serverName, "synapse-postgres");
      assert.equal(plugin ? s.plugins[0].parameters.serverName : s.backup.barmanObjectStore.serverName, "db-2");
      if (!plugin) {
        const { restoreAdditionalCommandArgs, ...wal } = s.backup.barmanObjectStore.wal;
        assert.deepEqual(
          { ...from.barmanObjectStore, serverName: 0 },
          { ...s.backup.barmanObjectStore, wal, serverName: 0 },
          "the same store, by the same keys",
        );
        assert.deepEqual(
          restoreAdditionalCommandArgs,
          ["--read-timeout=3"],
          "a standby does not wait long for an archive that hangs; a restored database does",
        );
      }
      const schedule = one(list, "ScheduledBackup");
      assert.equal(schedule.inputs.spec.immediate, true);
      assert.notEqual(
        schedule.urn,
        one(all, "ScheduledBackup").urn,
        "another resource: the first backup of the new archive is made at once",
      );
    }
    const latest = one(
      await postgres((s) => {
        Object.assign(s.backups, { archiveName: "db-2", restore: { from: "db-1" } });
      }),
      "Cluster",
    ).inputs.spec;
    assert.equal(latest.bootstrap.recovery.recoveryTarget, undefined);
  });

  it("keeps to its folder of a bucket that it shares, either way", async () => {
    const shared = { ...TARGET, bucket: "ours", prefix: "synapse-backups" };
    assert.equal(
      one(await postgres(undefined, shared), "ObjectStore").inputs.spec.configuration.destinationPath,
      "s3://ours/synapse-backups/",
    );
    assert.equal(
      one(await postgres(withoutPlugin, shared), "Cluster").inputs.spec.backup.barmanObjectStore.destinationPath,
      "s3://ours/synapse-backups/",
    );
  });

  it("neither archives nor schedules without a target", async () => {
    const list = await evaluateWithoutBackup();
    assert.equal(one(list, "Cluster").inputs.spec.plugins, undefined);
    none(list, "ScheduledBackup");
    none(list, "ObjectStore");
  });

  it("declares that only poolers and instances reach the database", () => {
    const all = edges({ settings: fixtureSettings(), plan: fixturePlan() });
    const name = (p: Peer): string => ("component" in p ? p.component : "label" in p ? p.label : "other");
    const callers = all
      .filter((e) => name(e.to) === "synapse-postgres" && e.ports.some((p) => p.port === 5432))
      .map((e) => name(e.from))
      .sort();
    assert.deepEqual(callers, ["synapse-postgres", "synapse-postgres-pooler-rw"]);
    for (const pool of fixturePlan().synapse.pools)
      assert.ok(
        all.some((e) => name(e.from) === `synapse-${pool.class}` && name(e.to) === "synapse-postgres-pooler-rw"),
        pool.class,
      );
  });
});

async function evaluateWithoutBackup(): Promise<RegisteredResource[]> {
  const { resources } = await evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = fixtureContext();
      new PostgresCluster(
        "postgres",
        { ctx, secrets: new StackSecrets("secrets", { settings: ctx.settings, specs: SECRET_SPECS }) },
        { provider: ctx.provider },
      );
      return {};
    },
  });
  return resources;
}
