/** The CloudNativePG Cluster that holds Synapse's database. Pure. */
import { imageRef, imageVersion } from "../../core/images";
import { NAMESPACES, PORTS, SECRETS, SERVICES } from "../../core/names";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import { gibi } from "../../core/workload/quantities";
import { labels, selectorLabels } from "../../core/workload/metadata";
import { onNodes, overZones } from "../../core/workload/placement";
import { pullSecrets, renderResources } from "../../core/workload/pod";
import { SECCOMP } from "../../core/workload/hardening";
import { PRIORITIES } from "../../core/priorities";
import { expandable } from "../cluster/storageClasses";
import { backupStanza, bootstrapStanza, type BackupTarget } from "./backups";
import { IMAGES } from "./images";

export const POSTGRES_APP = "postgresql";
/** Database and owner. */
export const DATABASE = "synapse";
/**
 * Seconds until an instance on a node of which nothing is heard is marked as deleted. The operator asks every instance
 * that is not, 30 s each time for one that stands still, before it does anything: twice that until another was primary
 * (node-frozen, 79 s of 136 s). Its volume stays; when the node is back, the instance starts as a standby, as it would
 * anyhow after a failover.
 */
const UNREACHABLE_SECONDS = 1;
/** Ports of an instance besides PostgreSQL's own. */
export const INSTANCE_PORTS = { status: 8000, metrics: PORTS.postgresMetrics } as const;
/** Labels of instance pods (not of the Jobs that create them). */
export const INSTANCE_LABELS = { "cnpg.io/cluster": SERVICES.postgresCluster, "cnpg.io/podRole": "instance" } as const;

/**
 * Seconds that the dead primary's lease holds a replica back. The operator's defaults (15/10/2) cost 16 of 31.7 s
 * after the loss of a primary; with these, 20.8 s in all until writes (measured, 2026-11-21).
 */
export const PRIMARY_LEASE = { leaseDurationSeconds: 6, renewDeadlineSeconds: 4, retryPeriodSeconds: 1 } as const;

/**
 * Memory limit: room for a burst of sessions, bounded, so that a small request does not mean an out-of-memory kill
 * and a large one does not promise the node twice.
 */
export const memoryLimitMiB = (requestMiB: number): number =>
  requestMiB + Math.max(requestMiB / 4, Math.min(requestMiB, 1024));

export interface CnpgClusterInput {
  settings: Settings;
  plan: Plan;
  backup?: BackupTarget;
}

/**
 * How long a primary that does not reach the API server waits for each of the other instances before it counts as
 * isolated; three times in 30 s, and it is stopped. With the operator's 1 s a primary that had just taken over was
 * stopped 20 s later, because its machine was full (measured): busy is not isolated.
 */
const ISOLATION_MILLISECONDS = 3000;

export function cnpgClusterSpec({ settings, plan, backup }: CnpgClusterInput): object {
  const p = plan.postgres;
  const probe = { periodSeconds: 5, timeoutSeconds: 5, successThreshold: 1 };
  return {
    description: "Synapse's database",
    instances: p.instances,
    imageName: imageRef(settings, IMAGES.postgresql),
    imagePullPolicy: "IfNotPresent",
    ...pullSecrets(settings),
    // The operator copies these onto pods, volumes and Services: policies and rules find them like anything else of the
    // stack.
    inheritedMetadata: {
      labels: { ...selectorLabels(settings, SERVICES.postgresCluster), "app.kubernetes.io/part-of": "matrix-ha" },
    },
    serviceAccountTemplate: {
      metadata: {
        labels: labels(settings, SERVICES.postgresCluster, POSTGRES_APP, imageVersion(settings, IMAGES.postgresql)),
      },
    },
    enableSuperuserAccess: false,
    // Synapse refuses any other collation: indexes would break when the C library's rules change.
    ...bootstrapStanza(
      settings,
      backup,
      { database: DATABASE, owner: DATABASE, secret: { name: SECRETS.database } },
      { encoding: "UTF8", localeCollate: "C", localeCType: "C", dataChecksums: true },
    ),
    postgresql: {
      parameters: p.parameters,
      // A write counts when one standby has it too. Without any standby writes stop: losing acknowledged messages is
      // worse. The quorum keeps the operator from promoting an instance that may lack what was acknowledged.
      synchronous: { method: "any", number: 1, dataDurability: "required", failoverQuorum: true },
    },
    storage: {
      size: gibi(p.storageGiB),
      storageClass: settings.storage.database.name,
      resizeInUseVolumes: expandable(settings.storage.database),
    },
    // WAL that cannot be archived fills its own volume, not the data's.
    walStorage: {
      size: gibi(p.walStorageGiB),
      storageClass: settings.storage.database.name,
      resizeInUseVolumes: expandable(settings.storage.database),
    },
    resources: renderResources({
      cpu: p.cpu,
      memoryMiB: p.memoryMiB,
      memoryLimitMiB: memoryLimitMiB(p.memoryMiB),
    }),
    affinity: {
      enablePodAntiAffinity: true,
      podAntiAffinityType: "required",
      topologyKey: "kubernetes.io/hostname",
      ...onNodes({ role: "database", unreachableSeconds: UNREACHABLE_SECONDS }),
    },
    topologySpreadConstraints: [overZones(INSTANCE_LABELS)],
    priorityClassName: PRIORITIES.data.name,
    probes: {
      startup: { ...probe, failureThreshold: 720 }, // an hour: recovery after a crash replays WAL
      readiness: { ...probe, failureThreshold: 3 },
      // A primary that sees neither the API server nor its replicas stops itself.
      liveness: {
        ...probe,
        periodSeconds: 10,
        timeoutSeconds: 10,
        failureThreshold: 3,
        isolationCheck: {
          enabled: true,
          connectionTimeout: ISOLATION_MILLISECONDS,
          requestTimeout: ISOLATION_MILLISECONDS,
        },
      },
    },
    // At once: the lease and the quorum are what protects, not waiting.
    failoverDelay: 0,
    primaryLease: PRIMARY_LEASE,
    // Seconds of a graceful stop. None for sessions to end by themselves: PgBouncer's do not, and a primary that had
    // stood still and found its lease taken went on serving them, 14 s measured, acknowledging what the new primary
    // never had.
    smartShutdownTimeout: 0,
    stopDelay: 60,
    switchoverDelay: 30,
    primaryUpdateStrategy: "unsupervised",
    primaryUpdateMethod: "switchover",
    enablePDB: true,
    replicationSlots: { highAvailability: { enabled: true } },
    monitoring: { disableDefaultQueries: false, enablePodMonitor: false },
    seccompProfile: SECCOMP,
    ...backupStanza(settings, backup),
  };
}

export const clusterMetadata = (
  settings: Settings,
): { name: string; namespace: string; labels: Record<string, string>; annotations: Record<string, string> } => ({
  name: SERVICES.postgresCluster,
  namespace: NAMESPACES.matrix,
  labels: labels(settings, SERVICES.postgresCluster, POSTGRES_APP, imageVersion(settings, IMAGES.postgresql)),
  // Three instances in turn, each a copy of the last: 148 s on shared cores with an empty database (measured).
  annotations: { "pulumi.com/waitFor": "condition=Ready", "pulumi.com/timeoutSeconds": "1200" },
});
