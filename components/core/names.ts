/** Every name that one layer uses to reach another, in one place. Pure. */

/** The namespaces of the stack, and those of the cluster that it uses. */
export const NAMESPACES = {
  matrix: "matrix",
  minio: "minio",
  livekit: "livekit",
  coturn: "coturn",
  monitoring: "monitoring",
  ingress: "nginx-ingress",
  metallb: "metallb-system",
  certManager: "cert-manager",
  cnpg: "cnpg-system",
  localPath: "local-path-storage",
  kubeSystem: "kube-system",
} as const;
/** One of `NAMESPACES`. */
export type Namespace = (typeof NAMESPACES)[keyof typeof NAMESPACES];

/** `<service>.<namespace>.svc.<cluster domain>`: the complete name, so that resolvers do not try their search list. */
export function serviceFqdn(service: string, namespace: string, clusterDomain: string): string {
  return `${service}.${namespace}.svc.${clusterDomain}`;
}

/** Stable DNS name of a StatefulSet's pod behind its headless Service. */
export function podFqdn(pod: string, service: string, namespace: string, clusterDomain: string): string {
  return `${pod}.${serviceFqdn(service, namespace, clusterDomain)}`;
}

/** Ports by what listens there: those of containers, and mostly also of the Services in front. */
export const PORTS = {
  synapseHttp: 8008,
  synapseReplication: 9093,
  synapseEventReplication: 9200,
  synapseMetrics: 9000,
  synapseHealth: 8080,
  postgres: 5432,
  redis: 6379,
  sentinel: 26379,
  s3: 9000,
  routerHttp: 8008,
  routerFederation: 8009,
  routerAdmin: 8010,
  routerHealth: 8404,
  web: 8080,
  turn: 3478,
  turnTls: 5349,
  livekitHttp: 7880,
  livekitTcp: 7881,
  livekitMetrics: 6789,
  jwt: 8080,
  redisExporter: 9121,
  postgresMetrics: 9187,
  poolerMetrics: 9127,
  ingressMetrics: 9113,
  nodeExporter: 9100,
  kubeStateMetrics: 8080,
  prometheus: 9090,
  alertmanager: 9093,
  grafana: 3000,
} as const;

/** Names of the Kubernetes Services, mostly also of the workloads behind them. */
export const SERVICES = {
  postgresCluster: "synapse-postgres",
  postgresRw: "synapse-postgres-rw",
  pooler: "synapse-postgres-pooler-rw",
  redisSynapse: "redis-synapse",
  redisSynapseMaster: "redis-synapse-master",
  redisLivekit: "redis-livekit",
  redisLivekitMaster: "redis-livekit-master",
  minioHeadless: "minio",
  minioApi: "minio-api",
  router: "haproxy",
  elementWeb: "element-web",
  admin: "synapse-admin",
  wellKnown: "well-known",
  livekit: "livekit",
  jwt: "lk-jwt-service",
  coturn: "coturn",
} as const;

/** Name of the Service and the workload of a Synapse worker class. */
export const synapseService = (cls: string): string => `synapse-${cls}`;

/** Keys of the node labels that workloads select by; the hosts layer sets them. */
export const NODE_LABELS = {
  role: (role: string): string => `matrix-ha.dev/role-${role}`,
  turn: "coturn",
  rtc: "livekit",
  zone: "topology.kubernetes.io/zone",
  /**
   * The zone again, once for each MinIO pool that is spread over zones: Kubernetes accepts one strict spread for each
   * key, and each pool needs its own.
   */
  poolZone: (pool: number): string => `matrix-ha.dev/minio-pool-${pool}-zone`,
} as const;

/**
 * Label of Synapse's pods that may exist once and are guarded in the database: they may be deleted while nobody knows
 * whether they still run (layers/synapse/scripts).
 */
export const ONLY_ONE = { "matrix-ha.dev/only-one": "guarded" } as const;

/**
 * Names of the Kubernetes Secrets, by what they hold. The layer that makes a Secret defines the keys in it; a reader
 * elsewhere (another layer, outputs.ts) repeats them: `username` and `password` of `database`, `password` of
 * `redisSynapse`, `accessKey` and `secretKey` of `mediaS3`. They change together.
 */
export const SECRETS = {
  synapse: "synapse-secrets",
  database: "synapse-database",
  redisSynapse: "redis-synapse",
  redisLivekit: "redis-livekit",
  minioRoot: "minio-root",
  mediaS3: "synapse-media-s3",
  backupS3: "synapse-backup-s3",
  turn: "coturn",
  livekit: "livekit-keys",
} as const;
