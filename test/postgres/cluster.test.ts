/** What CloudNativePG is told about the database: the whole Cluster, and the whole Pooler. */
import assert from "node:assert/strict";
import { clusterMetadata, cnpgClusterSpec, memoryLimitMiB } from "../../components/layers/postgres/cnpgCluster";
import { pgbouncerParameters, poolerMetadata, poolerSpec } from "../../components/layers/postgres/pooler";
import { planned, TARGET } from "./planned";

const hostRole = (role: string, unreachable: number): object => ({
  nodeSelector: { "kubernetes.io/os": "linux", [`matrix-ha.dev/role-${role}`]: "true" },
  tolerations: [
    { key: `matrix-ha.dev/role-${role}`, operator: "Exists", effect: "NoSchedule" },
    { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 30 },
    { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: unreachable },
  ],
});

const labelsOf = (component: string, name: string, version: string): object => ({
  "app.kubernetes.io/name": name,
  "app.kubernetes.io/component": component,
  "app.kubernetes.io/instance": "t",
  "app.kubernetes.io/part-of": "matrix-ha",
  "app.kubernetes.io/managed-by": "pulumi",
  "app.kubernetes.io/version": version,
});

/** Seconds between a sign of death and the next, as each kind of probe counts. */
const everyFive = { periodSeconds: 5, timeoutSeconds: 5, successThreshold: 1 };

const CLUSTER = {
  description: "Synapse's database",
  instances: 3,
  imageName: "ghcr.io/cloudnative-pg/postgresql:18.6-standard-trixie",
  imagePullPolicy: "IfNotPresent",
  inheritedMetadata: {
    labels: {
      "app.kubernetes.io/component": "synapse-postgres",
      "app.kubernetes.io/instance": "t",
      "app.kubernetes.io/part-of": "matrix-ha",
    },
  },
  serviceAccountTemplate: {
    metadata: { labels: labelsOf("synapse-postgres", "postgresql", "18.6-standard-trixie") },
  },
  enableSuperuserAccess: false,
  // Synapse refuses a database with another collation than C.
  bootstrap: {
    initdb: {
      database: "synapse",
      owner: "synapse",
      secret: { name: "synapse-database" },
      encoding: "UTF8",
      localeCollate: "C",
      localeCType: "C",
      dataChecksums: true,
    },
  },
  postgresql: {
    parameters: { max_connections: "300", shared_buffers: "8192MB" },
    // An acknowledged write is on two instances, and only one that has it is promoted.
    synchronous: { method: "any", number: 1, dataDurability: "required", failoverQuorum: true },
  },
  // A local volume is a directory: nothing to resize.
  storage: { size: "1651Gi", storageClass: "matrix-ha-database", resizeInUseVolumes: false },
  walStorage: { size: "1139Gi", storageClass: "matrix-ha-database-wal", resizeInUseVolumes: false },
  resources: {
    // 256 MiB that are usual beside the volumes, 10 MiB of logs; at most 4 GiB and 60 MiB of logs.
    requests: { cpu: "6", memory: "24Gi", "ephemeral-storage": "266Mi" },
    limits: { memory: "30Gi", "ephemeral-storage": "4156Mi" },
  },
  affinity: {
    enablePodAntiAffinity: true,
    podAntiAffinityType: "required",
    topologyKey: "kubernetes.io/hostname",
    // The operator waits half a minute for each answer of an instance that is not marked as deleted.
    ...hostRole("database", 1),
  },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "topology.kubernetes.io/zone",
      // Hosts are demanded, zones only preferred: there may be fewer zones than instances.
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: { "cnpg.io/cluster": "synapse-postgres", "cnpg.io/podRole": "instance" } },
    },
  ],
  priorityClassName: "matrix-ha-data",
  probes: {
    startup: { ...everyFive, failureThreshold: 720 }, // an hour for recovery after a crash
    readiness: { ...everyFive, failureThreshold: 3 },
    liveness: {
      periodSeconds: 10,
      timeoutSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
      // 1 s, the operator's default, stopped a primary that was only busy.
      isolationCheck: { enabled: true, connectionTimeout: 3000, requestTimeout: 3000 },
    },
  },
  failoverDelay: 0,
  primaryLease: { leaseDurationSeconds: 6, renewDeadlineSeconds: 4, retryPeriodSeconds: 1 },
  // PgBouncer's sessions never end by themselves; a primary without its lease must not serve them any longer.
  smartShutdownTimeout: 0,
  stopDelay: 60,
  switchoverDelay: 30,
  primaryUpdateStrategy: "unsupervised",
  primaryUpdateMethod: "switchover",
  enablePDB: true,
  replicationSlots: { highAvailability: { enabled: true } },
  monitoring: { disableDefaultQueries: false, enablePodMonitor: false },
  seccompProfile: { type: "RuntimeDefault" },
  plugins: [
    {
      name: "barman-cloud.cloudnative-pg.io",
      enabled: true,
      isWALArchiver: true,
      parameters: { barmanObjectName: "synapse-postgres" },
    },
  ],
};

const PORT = { tcpSocket: { port: "pgbouncer" } };
const POOLER_PODS = { matchLabels: { "cnpg.io/poolerName": "synapse-postgres-pooler-rw" } };
const PGBOUNCER = {
  max_client_conn: "1314",
  default_pool_size: "204",
  max_db_connections: "224", // 20 more than the pool, and fewer than the server's 300
  server_login_retry: "1",
  server_connect_timeout: "5",
  query_wait_timeout: "30", // during a failover clients wait instead of failing
  server_idle_timeout: "60",
  tcp_keepalive: "1",
  tcp_keepidle: "10",
  tcp_keepintvl: "5",
  tcp_keepcnt: "3",
};

const POOLER = {
  cluster: { name: "synapse-postgres" },
  type: "rw",
  instances: 3,
  pgbouncer: { poolMode: "session", parameters: PGBOUNCER },
  // A new one runs before an old one stops.
  deploymentStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  template: {
    metadata: {
      labels: { "app.kubernetes.io/part-of": "matrix-ha", "app.kubernetes.io/version": "1.26.1" },
    },
    spec: {
      enableServiceLinks: false,
      // On SIGTERM PgBouncer waits for sessions that Synapse never closes.
      terminationGracePeriodSeconds: 5,
      priorityClassName: "matrix-ha-core",
      ...hostRole("application", 30),
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          whenUnsatisfiable: "DoNotSchedule",
          nodeTaintsPolicy: "Honor",
          topologyKey: "kubernetes.io/hostname",
          labelSelector: POOLER_PODS,
          matchLabelKeys: ["pod-template-hash"],
        },
        {
          maxSkew: 1,
          topologyKey: "topology.kubernetes.io/zone",
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: POOLER_PODS,
          matchLabelKeys: ["pod-template-hash"],
        },
      ],
      containers: [
        {
          name: "pgbouncer",
          image: "ghcr.io/cloudnative-pg/pgbouncer:1.26.1",
          imagePullPolicy: "IfNotPresent",
          resources: {
            requests: { cpu: "250m", memory: "256Mi", "ephemeral-storage": "138Mi" },
            limits: { memory: "512Mi", "ephemeral-storage": "572Mi" },
          },
          startupProbe: { ...PORT, periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 90, successThreshold: 1 },
          readinessProbe: { ...PORT, periodSeconds: 3, timeoutSeconds: 3, failureThreshold: 2, successThreshold: 1 },
          livenessProbe: { ...PORT, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6, successThreshold: 1 },
        },
      ],
    },
  },
};

describe("the database's Cluster", () => {
  it("is exactly this with the settings of an example", () => {
    assert.deepEqual(cnpgClusterSpec({ ...planned(), backup: TARGET }), CLUSTER);
  });

  it("is the same without backups, but for the archive", () => {
    const { plugins: _, ...rest } = CLUSTER;
    assert.deepEqual(cnpgClusterSpec(planned()), rest);
  });

  it("has as many instances, confirmations and GiB as the plan says", () => {
    const spec = cnpgClusterSpec(
      planned((_s, { postgres }) => {
        Object.assign(postgres, { instances: 5, syncStandbys: 2, storageGiB: 7, walStorageGiB: 9, memoryMiB: 512 });
      }),
    ) as typeof CLUSTER;
    assert.equal(spec.instances, 5);
    assert.equal(spec.postgresql.synchronous.number, 2);
    assert.equal(spec.storage.size, "7Gi");
    assert.equal(spec.walStorage.size, "9Gi");
    assert.deepEqual([spec.resources.requests.memory, spec.resources.limits.memory], ["512Mi", "1Gi"]);
  });

  it("resizes volumes of a class whose provisioner can, WAL among them, which then has no class of its own", () => {
    const spec = cnpgClusterSpec(
      planned(({ storage }) => {
        storage.database = { create: true, name: "fast", provisioner: "csi.example.com", parameters: {} };
      }),
    ) as typeof CLUSTER;
    assert.deepEqual(spec.storage, { size: "1651Gi", storageClass: "fast", resizeInUseVolumes: true });
    assert.deepEqual(spec.walStorage, { size: "1139Gi", storageClass: "fast", resizeInUseVolumes: true });
  });

  it("pulls its images with the secret of the settings", () => {
    const input = planned(({ images }) => {
      images.pullSecret = "registry";
    });
    const cluster = cnpgClusterSpec(input) as { imagePullSecrets?: unknown };
    const pooler = poolerSpec(input) as { template: { spec: { imagePullSecrets?: unknown } } };
    assert.deepEqual(cluster.imagePullSecrets, [{ name: "registry" }]);
    assert.deepEqual(pooler.template.spec.imagePullSecrets, [{ name: "registry" }]);
  });

  it("is named, labelled and waited for: three instances start one after the other", () => {
    assert.deepEqual(clusterMetadata(planned().settings), {
      name: "synapse-postgres",
      namespace: "matrix",
      labels: labelsOf("synapse-postgres", "postgresql", "18.6-standard-trixie"),
      annotations: { "pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "1200" },
    });
  });

  it("is waited for a day where it is filled from another database or from a backup", () => {
    const seconds = (change: Parameters<typeof planned>[0]): string | undefined =>
      clusterMetadata(planned(change).settings).annotations["pulumi.com/timeoutSeconds"];
    const imported = seconds(({ database }) => {
      database.importFrom = {
        host: "10.1.1.1",
        port: 5432,
        user: "synapse",
        password: "marker",
        database: "synapse",
        sslMode: "require",
        majorVersion: 16,
      };
    });
    const restored = seconds(({ backups }) => {
      backups.restore = { from: "synapse-postgres" };
    });
    assert.deepEqual([imported, restored], ["86400", "86400"]);
  });

  it("limits memory to twice a small request, 1 GiB more than a medium one, and a quarter more than a large one", () => {
    assert.deepEqual([512, 1024, 2048, 4096, 4100, 8192].map(memoryLimitMiB), [1024, 2048, 3072, 5120, 5125, 10_240]);
  });
});

describe("the poolers", () => {
  it("are exactly this with the settings of an example", () => {
    assert.deepEqual(poolerSpec(planned()), POOLER);
  });

  it("are waited for, all of them", () => {
    assert.deepEqual(poolerMetadata(planned().settings, 4), {
      name: "synapse-postgres-pooler-rw",
      namespace: "matrix",
      labels: labelsOf("synapse-postgres-pooler-rw", "pgbouncer", "1.26.1"),
      annotations: { "pulumi.com/waitFor": "jsonpath={.status.instances}=4" },
    });
  });

  it("leave the server ten connections, for superusers, replication and the operator", () => {
    const most = (maxConnections: number): string | undefined =>
      pgbouncerParameters(
        planned((_s, { postgres }) => {
          postgres.maxConnections = maxConnections;
        }).plan,
      ).max_db_connections;
    assert.deepEqual([210, 233, 234, 235].map(most), ["200", "223", "224", "224"]);
  });

  it("have a version that a label can hold: 63 characters, of a tag that may have 128", () => {
    const spec = poolerSpec(
      planned(({ images }) => {
        images.overrides.pgbouncer = `registry.example.org/pgbouncer:1.26.1-${"a".repeat(100)}`;
      }),
    ) as typeof POOLER;
    assert.equal(spec.template.metadata.labels["app.kubernetes.io/version"], `1.26.1-${"a".repeat(56)}`);
  });
});
