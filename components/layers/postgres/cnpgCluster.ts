/** The CloudNativePG Cluster that holds Synapse's database. Pure. */
import { imageRef, imageVersion } from "../../core/images";
import { NAMESPACES, PORTS, SECRETS, SERVICES } from "../../core/names";
import { isStandby } from "../../domain/dataCentre";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import { gibi } from "../../core/workload/quantities";
import { labels, selectorLabels } from "../../core/workload/metadata";
import { onNodes, overZones } from "../../core/workload/placement";
import { diskOf, pullSecrets, renderResources } from "../../core/workload/pod";
import { SECCOMP } from "../../core/workload/hardening";
import { PRIORITIES } from "../../core/priorities";
import { expandable } from "../cluster/storageClasses";
import { walClass } from "../hosts/walVolume";
import { backupStanza, bootstrapStanza, type BackupTarget } from "./backups";
import { IMAGES } from "./images";
import { bootstrapAmong, streamRules, topologyStanza } from "./topology";

export const POSTGRES_APP = "postgresql";
/** Name of the database and of its owner. */
export const DATABASE = "synapse";
/**
 * Seconds until an instance on an unreachable node is marked as deleted. Before the operator acts, it queries every
 * instance that is not marked, and waits 30 s for a frozen one; it did so twice before another instance was primary
 * (scenario node-frozen, 79 s of 136 s). The volume stays, and once the node is back the instance starts as a standby,
 * as after any failover.
 */
const UNREACHABLE_SECONDS = 1;
/** Ports of an instance besides PostgreSQL's own. */
export const INSTANCE_PORTS = { status: 8000, metrics: PORTS.postgresMetrics } as const;
/** Labels that instance pods have, and the Jobs that create them have not. */
export const INSTANCE_LABELS = { "cnpg.io/cluster": SERVICES.postgresCluster, "cnpg.io/podRole": "instance" } as const;

/**
 * The lease of a dead primary delays its replacement. The operator's defaults (15/10/2) cost 16 of 31.7 s after the
 * loss of a primary; with these values writes resumed after 20.8 s in total (measured, 2026-11-21).
 */
export const PRIMARY_LEASE = { leaseDurationSeconds: 6, renewDeadlineSeconds: 4, retryPeriodSeconds: 1 } as const;

/**
 * Memory limit, MiB, for a request in MiB. It leaves room for a burst of sessions: enough to save a small instance from
 * an out-of-memory kill, bounded so that a large one does not overcommit the node.
 */
export const memoryLimitMiB = (requestMiB: number): number =>
  requestMiB + Math.max(requestMiB / 4, Math.min(requestMiB, 1024));

export interface CnpgClusterInput {
  settings: Settings;
  plan: Plan;
  /** Destination of WAL and base backups. @default no backups */
  backup?: BackupTarget;
}

/**
 * How long a primary that cannot reach the API server waits for each of the other instances. Without an answer it
 * counts as isolated, and after three failed checks in 30 s it is stopped. With the operator's default of 1 s, a new
 * primary on an overloaded machine was stopped 20 s after it had taken over (measured): busy is not isolated.
 */
const ISOLATION_MILLISECONDS = 3000;

/**
 * Room on the node's disk beside the volumes: the operator's program, WAL on its way to and from the archive. Wide: who
 * exceeds it is evicted, and a database must not be.
 */
const SCRATCH = diskOf([{ sizeMiB: 4096, usualMiB: 256 }]);

export function cnpgClusterSpec({ settings, plan, backup }: CnpgClusterInput): object {
  const p = plan.postgres;
  const application = { database: DATABASE, owner: DATABASE, secret: { name: SECRETS.database } };
  const probe = { periodSeconds: 5, timeoutSeconds: 5, successThreshold: 1 };
  return {
    description: "Synapse's database",
    instances: p.instances,
    imageName: imageRef(settings, IMAGES.postgresql),
    imagePullPolicy: "IfNotPresent",
    ...pullSecrets(settings),
    // The operator copies these labels onto pods, volumes and Services, so that policies and rules match them like all
    // other objects of the stack.
    inheritedMetadata: {
      labels: { ...selectorLabels(settings, SERVICES.postgresCluster), "app.kubernetes.io/part-of": "matrix-ha" },
    },
    serviceAccountTemplate: {
      metadata: {
        labels: labels(settings, SERVICES.postgresCluster, POSTGRES_APP, imageVersion(settings, IMAGES.postgresql)),
      },
    },
    enableSuperuserAccess: false,
    // Synapse refuses any collation but C: with others, indexes break when the C library changes its rules.
    ...bootstrapAmong(
      settings,
      bootstrapStanza({ settings, plan, target: backup }, application, {
        encoding: "UTF8",
        localeCollate: "C",
        localeCType: "C",
        dataChecksums: true,
      }),
      application,
    ),
    ...topologyStanza(settings),
    postgresql: {
      parameters: p.parameters,
      ...streamRules(settings),
      // A write is acknowledged once so many standbys have it too. With fewer standbys writes stop: losing acknowledged
      // messages would be worse. The quorum keeps the operator from promoting an instance that may lack such a write.
      synchronous: { method: "any", number: p.syncStandbys, dataDurability: "required", failoverQuorum: true },
    },
    storage: {
      size: gibi(p.storageGiB),
      storageClass: settings.storage.database.name,
      resizeInUseVolumes: expandable(settings.storage.database),
    },
    // WAL that cannot be archived fills this volume, not the one of the data: another file system (hosts/walVolume.ts).
    walStorage: {
      size: gibi(p.walStorageGiB),
      storageClass: walClass(settings),
      resizeInUseVolumes: expandable(settings.storage.database),
    },
    resources: renderResources(
      {
        cpu: p.cpu,
        memoryMiB: p.memoryMiB,
        memoryLimitMiB: memoryLimitMiB(p.memoryMiB),
      },
      SCRATCH,
    ),
    affinity: {
      enablePodAntiAffinity: true,
      podAntiAffinityType: "required",
      topologyKey: "kubernetes.io/hostname",
      ...onNodes({ role: "database", unreachableSeconds: UNREACHABLE_SECONDS }),
    },
    topologySpreadConstraints: [overZones(INSTANCE_LABELS)],
    priorityClassName: PRIORITIES.data.name,
    probes: {
      startup: { ...probe, failureThreshold: 720 }, // an hour: after a crash, recovery replays WAL
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
    // At once: the lease and the quorum protect the data; a delay adds nothing.
    failoverDelay: 0,
    primaryLease: PRIMARY_LEASE,
    // Seconds of a graceful stop. Sessions get no time to end by themselves, since PgBouncer's never do: a primary that
    // had been frozen and had lost its lease served them for another 14 s (measured) and acknowledged writes that the
    // new primary never received.
    smartShutdownTimeout: 0,
    stopDelay: 60,
    switchoverDelay: 30,
    primaryUpdateStrategy: "unsupervised",
    primaryUpdateMethod: "switchover",
    enablePDB: true,
    replicationSlots: { highAvailability: { enabled: true } },
    monitoring: { disableDefaultQueries: false, enablePodMonitor: false },
    seccompProfile: SECCOMP,
    ...backupStanza({ settings, plan, target: backup }),
  };
}

/**
 * Seconds until the database must be ready. Three instances start one after the other, each as a copy: 148 s on shared
 * cores with an empty database (measured). One that is imported or restored is ready when all of its data are: a day,
 * since dumps of large servers take hours.
 */
const readySeconds = ({ database, backups }: Settings): number =>
  database.importFrom || backups.restore ? 86_400 : 1200;

/**
 * What a deployment waits for. In a standby not for instances that are ready: a primary that was demoted has none until
 * its successor's log arrives (cloudnative-pg issue 5754), and its successor is deployed after it. Nothing in a standby
 * needs the database; `npm run dr -- status` says how far it is.
 */
const awaited = (settings: Settings): string => (isStandby(settings) ? "Initialized" : "Ready");

export const clusterMetadata = (
  settings: Settings,
): { name: string; namespace: string; labels: Record<string, string>; annotations: Record<string, string> } => ({
  name: SERVICES.postgresCluster,
  namespace: NAMESPACES.matrix,
  labels: labels(settings, SERVICES.postgresCluster, POSTGRES_APP, imageVersion(settings, IMAGES.postgresql)),
  annotations: {
    "pulumi.com/waitFor": `condition=${awaited(settings)}`,
    "pulumi.com/timeoutSeconds": String(readySeconds(settings)),
  },
});
