/** PgBouncer in front of the primary, as CloudNativePG's Pooler. Pure. */
import { imageRef, imageVersion } from "../../core/images";
import { NAMESPACES, SERVICES } from "../../core/names";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import { PRIORITIES } from "../../core/priorities";
import { labels } from "../../core/workload/metadata";
import { onNodes, spread } from "../../core/workload/placement";
import { diskOf, OPERATORS_VOLUMES, pullSecrets, renderResources } from "../../core/workload/pod";
import { renderProbes, tcpProbes } from "../../core/workload/probes";
import { IMAGES } from "./images";

/** Label that only pooler pods have; the operator sets app.kubernetes.io/component to `pooler` by itself. */
export const POOLER_LABELS = { "cnpg.io/poolerName": SERVICES.pooler } as const;

const poolerLabels = (settings: Settings): Record<string, string> =>
  labels(settings, SERVICES.pooler, "pgbouncer", imageVersion(settings, IMAGES.pgbouncer));

export const poolerMetadata = (settings: Settings, replicas: number): object => ({
  name: SERVICES.pooler,
  namespace: NAMESPACES.matrix,
  labels: poolerLabels(settings),
  annotations: { "pulumi.com/waitFor": `jsonpath={.status.instances}=${replicas}` },
});

/**
 * Seconds that a stopping pooler gets. On SIGTERM PgBouncer waits for open sessions, and Synapse never closes its own,
 * so a drain or a rollout would hang. This is long enough for the Service to drop the pod; Synapse then opens its
 * sessions through another one.
 */
const STOP_SECONDS = 5;

export interface PoolerInput {
  settings: Settings;
  plan: Plan;
}

export function poolerSpec({ settings, plan }: PoolerInput): object {
  const p = plan.postgres.pooler;
  // The operator sets the other labels of its pods itself.
  const { "app.kubernetes.io/part-of": partOf, "app.kubernetes.io/version": version } = poolerLabels(settings);
  return {
    cluster: { name: SERVICES.postgresCluster },
    type: "rw",
    instances: p.replicas,
    pgbouncer: { poolMode: "session", parameters: pgbouncerParameters(plan) },
    deploymentStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    template: {
      metadata: { labels: { "app.kubernetes.io/part-of": partOf, "app.kubernetes.io/version": version } },
      spec: {
        enableServiceLinks: false,
        terminationGracePeriodSeconds: STOP_SECONDS,
        ...pullSecrets(settings),
        priorityClassName: PRIORITIES.core.name,
        ...onNodes({ role: "application" }),
        // A hard rule: when it was only a preference, all three pods were on one node after two drains, and its loss
        // would have broken every session.
        topologySpreadConstraints: spread(POOLER_LABELS, { replicas: p.replicas, rolling: true, hard: true }),
        // The operator completes the container of this name: command, mounts, users 998:996, read-only root, no
        // capabilities.
        containers: [
          {
            name: "pgbouncer",
            image: imageRef(settings, IMAGES.pgbouncer),
            imagePullPolicy: "IfNotPresent",
            resources: renderResources(
              { cpu: p.cpu, memoryMiB: p.memoryMiB, memoryLimitMiB: p.memoryMiB * 2 },
              diskOf(OPERATORS_VOLUMES),
            ),
            ...renderProbes(tcpProbes("pgbouncer")),
          },
        ],
      },
    },
  };
}

/**
 * pgbouncer.ini. With session pooling each client's connection occupies one of the server. Every pooler can carry all
 * of them, since one may have to while the others are replaced; Synapse's pools bound the total.
 */
export function pgbouncerParameters(plan: Plan): Record<string, string> {
  const { pooler, maxConnections } = plan.postgres;
  return {
    max_client_conn: String(pooler.maxClientConnections),
    default_pool_size: String(pooler.defaultPoolSize),
    // The server reserves some for superusers, replication and the operator.
    max_db_connections: String(Math.min(maxConnections - 10, pooler.defaultPoolSize + 20)),
    // During a failover: try each second, and let clients wait half a minute instead of failing.
    server_login_retry: "1",
    server_connect_timeout: "5",
    query_wait_timeout: "30",
    // When clients move to another pooler, this one soon releases its connections: the server counts both.
    server_idle_timeout: "60",
    tcp_keepalive: "1",
    tcp_keepidle: "10",
    tcp_keepintvl: "5",
    tcp_keepcnt: "3",
  };
}
