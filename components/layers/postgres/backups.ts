/** Continuous archiving and base backups to object storage. Pure. */
import { SERVICES } from "../../core/names";
import { otherCentres } from "../../domain/dataCentre";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import { diskOf, OPERATORS_VOLUMES, renderEnv, renderResources } from "../../core/workload/pod";
import { isProxied, proxyEnv } from "../cluster/reach/proxy";

/** Destination of WAL and base backups: a bucket, and a Secret in the database's namespace with its credentials. */
export interface BackupTarget {
  /** URL of the S3 API. @example "https://s3.example.com" */
  endpoint: string;
  /** Region that requests are signed for. */
  region: string;
  /** Existing bucket. */
  bucket: string;
  /** Folder within the bucket, without slashes at its ends. @default the bucket's top */
  prefix?: string;
  /** Secret with the credentials. */
  secretName: string;
  /** Key of the access key within the Secret. */
  accessKeyKey: string;
  /** Key of the secret key within the Secret. */
  secretKeyKey: string;
  /** Secret and key with the CA of the endpoint's certificate. @default public CAs */
  endpointCa?: { name: string; key: string };
}

export const OBJECT_STORE = SERVICES.postgresCluster;
export const PLUGIN = "barman-cloud.cloudnative-pg.io";

/**
 * The plugin where this stack installs it, otherwise the operator's built-in method (CloudNativePG 1.31 removes it).
 */
export const backupMethod = (settings: Settings): "plugin" | "barmanObjectStore" =>
  settings.cluster.install.barmanPlugin ? "plugin" : "barmanObjectStore";

const retention = (settings: Settings): string => `${settings.backups.retentionDays}d`;

/** The Cluster's name for the archive that a database is restored from. */
export const SOURCE = "before";

/** Names the archive only where it differs from the operator's default, the Cluster's name. */
const serverName = (name: string): object => (name === SERVICES.postgresCluster ? {} : { serverName: name });

/**
 * For the archive of a running Cluster: how long an instance waits for each answer of the store. It looks for a file
 * there once before it becomes primary and three times before it follows a new one, and until then no write is
 * acknowledged. While one MinIO pod is frozen, the others wait up to a minute for files that exist
 * (grid.defaultSingleRequestTimeout), so with the client's defaults, 60 s and five tries, a frozen node cost minutes
 * (scenario node-frozen). The instance repeats a failed look-up after 5 s. The archive that a database is restored from
 * keeps the long timeout: there waiting does no harm.
 */
const LOOKED_FOR = { restoreAdditionalCommandArgs: ["--read-timeout=3"] };
/**
 * Tries of each request: the default of today's AWS clients. boto3's older default of five would take half a minute at
 * 3 s each.
 */
const TRIES = 3;

/**
 * How the archive is packed. The plugin's sidecar brings lz4 and zstd: lz4 costs a fraction of gzip's CPU for files
 * that one process has to unpack again at a restore, zstd packs WAL, which comes the whole day, better. The operator's
 * built-in method runs in PostgreSQL's own image, which need not have either.
 */
function packing(settings: Settings, plan: Plan): { wal: object; data: object } {
  const plugin = backupMethod(settings) === "plugin";
  const { walParallel, baseJobs } = plan.backups!;
  return {
    wal: { compression: plugin ? "zstd" : "gzip", maxParallel: walParallel },
    data: { compression: plugin ? "lz4" : "gzip", jobs: baseJobs },
  };
}

/** The object store in the form that both methods share. */
function objectStore({ settings, plan, target: t }: Archive, more: object = {}): object {
  const { wal, data } = packing(settings, plan);
  const key = (name: string): object => ({ name: t.secretName, key: name });
  return {
    destinationPath: `s3://${t.bucket}/${t.prefix ? `${t.prefix}/` : ""}`,
    endpointURL: t.endpoint,
    ...(t.endpointCa ? { endpointCA: t.endpointCa } : {}),
    s3Credentials: { accessKeyId: key(t.accessKeyKey), secretAccessKey: key(t.secretKeyKey) },
    // immediateCheckpoint: spreading the checkpoint cost 4 min 4 s (measured), and a standby, which takes the backup,
    // has no clients to spare.
    wal: { ...wal, ...more },
    data: { ...data, immediateCheckpoint: true },
  };
}

/** Whether an archive is reached through the proxy: this one, or another's, which the same program reads. */
const isAnyProxied = (t: BackupTarget, settings: Settings): boolean =>
  [t.endpoint, ...otherCentres(settings).map(({ archive }) => archive.endpoint)].some((url) =>
    isProxied(url, settings),
  );

const clientEnv = (t: BackupTarget, settings: Settings): object => ({
  env: [
    { name: "AWS_DEFAULT_REGION", value: t.region },
    { name: "AWS_MAX_ATTEMPTS", value: String(TRIES) },
    ...(isAnyProxied(t, settings) ? renderEnv(proxyEnv(settings)) : []),
  ],
});

/** What is archived, how, and where. */
export interface Archive {
  settings: Settings;
  plan: Plan;
  target: BackupTarget;
}

/** The Cluster's part about backups; empty without a target. */
export function backupStanza(archive: Partial<Archive> & Omit<Archive, "target">): object {
  const { settings, plan, target } = archive;
  if (!target) return {};
  if (backupMethod(settings) === "plugin")
    return {
      plugins: [
        {
          name: PLUGIN,
          enabled: true,
          isWALArchiver: true,
          parameters: { barmanObjectName: OBJECT_STORE, ...serverName(settings.backups.archiveName) },
        },
      ],
    };
  return {
    ...clientEnv(target, settings),
    backup: {
      target: "prefer-standby",
      retentionPolicy: retention(settings),
      barmanObjectStore: {
        ...objectStore({ settings, plan, target }, LOOKED_FOR),
        ...serverName(settings.backups.archiveName),
      },
    },
  };
}

/** How the database is created, and from what. */
export interface Bootstrap {
  bootstrap: object;
  /** Other PostgreSQL servers and archives. @default none */
  externalClusters?: object[];
}

/** How the database is created: empty, or restored. The operator reads it only once. */
export function bootstrapStanza(
  archive: Partial<Archive> & Omit<Archive, "target">,
  empty: { database: string; owner: string; secret: { name: string } },
  options: object,
): Bootstrap {
  const { settings, plan, target } = archive;
  const { restore } = settings.backups;
  if (!restore || !target) return importStanza(settings, { ...empty, ...options });
  return {
    bootstrap: {
      recovery: {
        source: SOURCE,
        ...empty,
        ...(restore.targetTime ? { recoveryTarget: { targetTime: restore.targetTime } } : {}),
      },
    },
    externalClusters: [
      {
        name: SOURCE,
        ...(backupMethod(settings) === "plugin"
          ? { plugin: { name: PLUGIN, parameters: { barmanObjectName: OBJECT_STORE, serverName: restore.from } } }
          : { barmanObjectStore: { ...objectStore({ settings, plan, target }), serverName: restore.from } }),
      },
    ],
  };
}

/** The Cluster's name for the PostgreSQL that a new database is read from. */
export const IMPORTED = "imported";
/** Secret with the password of that PostgreSQL. */
export const IMPORT_SECRET = "synapse-postgres-import";

/**
 * A new database: empty, or with what another PostgreSQL holds. The operator dumps that one database and restores it
 * as the owner of the new one (`microservice`), so that every table belongs to Synapse and indexes are built anew.
 */
function importStanza(settings: Settings, initdb: { database: string }): Bootstrap {
  const from = settings.database.importFrom;
  if (!from) return { bootstrap: { initdb } };
  return {
    bootstrap: {
      initdb: {
        ...initdb,
        import: { type: "microservice", databases: [from.database], source: { externalCluster: IMPORTED } },
      },
    },
    externalClusters: [
      {
        name: IMPORTED,
        connectionParameters: {
          host: from.host,
          port: String(from.port),
          user: from.user,
          dbname: from.database,
          sslmode: from.sslMode,
        },
        password: { name: IMPORT_SECRET, key: "password" },
      },
    ],
  };
}

/**
 * Spec of the ObjectStore that describes another data centre's archive. It is read only, so nothing of it is thrown
 * away. The region is in the Secret: variables of the sidecar are those of all its ObjectStores, and would clash.
 */
export function archiveSpec(archive: Archive): object {
  const { s3Credentials, ...rest } = objectStore(archive, LOOKED_FOR) as { s3Credentials: object };
  return {
    configuration: {
      ...rest,
      s3Credentials: { ...s3Credentials, region: { name: archive.target.secretName, key: "region" } },
    },
  };
}

/** Spec of the plugin's ObjectStore. */
export function objectStoreSpec({ settings, plan, target }: Archive): object {
  return {
    configuration: objectStore({ settings, plan, target }, LOOKED_FOR),
    retentionPolicy: retention(settings),
    instanceSidecarConfiguration: {
      ...clientEnv(target, settings),
      // Each process of a base backup holds a part of the upload.
      resources: renderResources(
        { cpu: 0.02, memoryMiB: 128, memoryLimitMiB: 256 + 128 * plan.backups!.baseJobs },
        diskOf(OPERATORS_VOLUMES),
      ),
    },
  };
}

export function scheduledBackupSpec(settings: Settings): object {
  const method = backupMethod(settings);
  return {
    cluster: { name: SERVICES.postgresCluster },
    schedule: settings.backups.schedule,
    // The first one at once: without a base backup, archived WAL cannot be restored.
    immediate: true,
    suspend: false,
    backupOwnerReference: "cluster",
    target: "prefer-standby",
    method,
    ...(method === "plugin" ? { pluginConfiguration: { name: PLUGIN } } : {}),
  };
}
