/** Continuous archiving and base backups to object storage. Pure. */
import { SERVICES } from "../../core/names";
import type { Settings } from "../../settings/types";
import { renderResources } from "../../core/workload/pod";

/** Where WAL and base backups go: a bucket, and the Secret in the database's namespace that opens it. */
export interface BackupTarget {
  /** URL of the S3 API, complete. */
  endpoint: string;
  region: string;
  bucket: string;
  /** Folder within the bucket, with no slash at its ends. Default: none, the bucket is the backups' alone. */
  prefix?: string;
  secretName: string;
  /** Keys within the Secret. */
  accessKeyKey: string;
  secretKeyKey: string;
  /** Secret with the endpoint's CA, where the public does not know it. */
  endpointCa?: { name: string; key: string };
}

export const OBJECT_STORE = SERVICES.postgresCluster;
export const PLUGIN = "barman-cloud.cloudnative-pg.io";

/**
 * By the plugin where this stack installs it; else by what is within the operator (up to CloudNativePG 1.30;
 * 1.31 removes it).
 */
export const backupMethod = (settings: Settings): "plugin" | "barmanObjectStore" =>
  settings.cluster.install.barmanPlugin ? "plugin" : "barmanObjectStore";

const retention = (settings: Settings): string => `${settings.backups.retentionDays}d`;

/** Where a restored database comes from, as the Cluster names it. */
export const SOURCE = "before";

/** A name of the archive is written only where it is not what the operator takes anyway: the Cluster's. */
const serverName = (name: string): object => (name === SERVICES.postgresCluster ? {} : { serverName: name });

/**
 * Of a running Cluster's archive: seconds that an instance, which looks for a file there before it goes on, waits for
 * each answer of the store. Becoming primary it looks once, following a new primary three times, and until then nothing
 * is acknowledged. A MinIO pod that stands still makes the others wait up to a minute for files that exist
 * (grid.defaultSingleRequestTimeout), so with the client's own 60 s and five tries a frozen node cost minutes
 * (node-frozen). What it did not get it asks for again, 5 s later. Not of the archive that a restored database comes
 * from: there patience is right.
 */
const LOOKED_FOR = { restoreAdditionalCommandArgs: ["--read-timeout=3"] };
/**
 * Tries of each request, as AWS' clients have by default today; boto3's older default, five, takes half a minute of 3 s
 * each.
 */
const TRIES = 3;

/** What both ways call an object store. */
function objectStore(t: BackupTarget, wal: object = {}): object {
  const key = (name: string): object => ({ name: t.secretName, key: name });
  return {
    destinationPath: `s3://${t.bucket}/${t.prefix ? `${t.prefix}/` : ""}`,
    endpointURL: t.endpoint,
    ...(t.endpointCa ? { endpointCA: t.endpointCa } : {}),
    s3Credentials: { accessKeyId: key(t.accessKeyKey), secretAccessKey: key(t.secretKeyKey) },
    // At once, not spread over minutes: it is a standby's, which serves nobody. Waiting cost 4 min 4 s (measured).
    // Two at once: archiving keeps up with bursts after an outage of the store.
    wal: { compression: "gzip", maxParallel: 2, ...wal },
    data: { compression: "gzip", jobs: 2, immediateCheckpoint: true },
  };
}

const clientEnv = (t: BackupTarget): object => ({
  env: [
    { name: "AWS_DEFAULT_REGION", value: t.region },
    { name: "AWS_MAX_ATTEMPTS", value: String(TRIES) },
  ],
});

/** The part of the Cluster's spec. */
export function backupStanza(settings: Settings, target: BackupTarget | undefined): object {
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
    ...clientEnv(target),
    backup: {
      target: "prefer-standby",
      retentionPolicy: retention(settings),
      barmanObjectStore: { ...objectStore(target, LOOKED_FOR), ...serverName(settings.backups.archiveName) },
    },
  };
}

/** How the database begins: read at its creation, and never again. */
export function bootstrapStanza(
  settings: Settings,
  target: BackupTarget | undefined,
  empty: { database: string; owner: string; secret: { name: string } },
  options: object,
): object {
  const { restore } = settings.backups;
  if (!restore || !target) return { bootstrap: { initdb: { ...empty, ...options } } };
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
          : { barmanObjectStore: { ...objectStore(target), serverName: restore.from } }),
      },
    ],
  };
}

/** Spec of the plugin's ObjectStore. */
export function objectStoreSpec(settings: Settings, target: BackupTarget): object {
  return {
    configuration: objectStore(target, LOOKED_FOR),
    retentionPolicy: retention(settings),
    instanceSidecarConfiguration: {
      ...clientEnv(target),
      resources: renderResources({ cpu: 0.02, memoryMiB: 128, memoryLimitMiB: 512 }),
    },
  };
}

export function scheduledBackupSpec(settings: Settings): object {
  const method = backupMethod(settings);
  return {
    cluster: { name: SERVICES.postgresCluster },
    schedule: settings.backups.schedule,
    // The first at once: until there is one, WAL restores nothing.
    immediate: true,
    suspend: false,
    backupOwnerReference: "cluster",
    target: "prefer-standby",
    method,
    ...(method === "plugin" ? { pluginConfiguration: { name: PLUGIN } } : {}),
  };
}
