import { MAX_REPLICAS, WORKER_CLASSES } from "../../domain/workerClasses";
import { decimal, int, list, oneOf, section, text, texts } from "./fields";

const cpu = () =>
  decimal(0.01, 1024, { doc: "Requested cores of each pod.", allowed: "cores, more than 0" }).optional();
const memoryMiB = (min = 16) => int(min, 16_777_216, { doc: "Memory of each pod, MiB: request and limit." }).optional();
const replicas = (min: number, doc = "Pods.") => int(min, MAX_REPLICAS, { doc }).optional();
const storageGiB = (doc: string) => int(1, 1_000_000, { doc }).optional();

const pool = section(
  {
    replicas: replicas(1, "Processes."),
    maxReplicas: replicas(1, "Bound of the autoscaler, where the class has one."),
    cpu: cpu(),
    memoryMiB: memoryMiB(128),
    cpMax: int(2, 1000, { doc: "Largest database connection pool of each process." }).optional(),
  },
  { doc: "Sizes of one class." },
);

export const overrideSections = {
  overrides: section(
    {
      pools: section(Object.fromEntries(WORKER_CLASSES.map((cls) => [cls, pool.optional()])), {
        doc: `Synapse, by class of process: ${WORKER_CLASSES.join(", ")}.`,
      }).prefault({}),
      postgres: section(
        {
          instances: int(3, 9, {
            doc: "PostgreSQL instances. Three are the least that keeps every acknowledged write and stays writable with one lost.",
            allowed: "a whole number from 3 to 9",
          }).optional(),
          cpu: cpu(),
          memoryMiB: memoryMiB(512),
          storageGiB: storageGiB("Data volume of each instance, GiB."),
          walStorageGiB: storageGiB("WAL volume of each instance, GiB."),
          maxConnections: int(50, 10_000, {
            doc: "max_connections. The plan checks that every pool at its largest fits.",
          }).optional(),
          parameters: texts({ doc: "postgresql.conf, on top of the plan's." }).default({}),
          poolerInstances: int(2, 20, { doc: "PgBouncer pods." }).optional(),
        },
        { doc: "PostgreSQL." },
      ).prefault({}),
      redis: section(
        {
          instances: int(3, 9, {
            doc: "Redis and Sentinel pods of each of the two deployments; an odd number.",
            allowed: "3, 5, 7 or 9",
          }).optional(),
          memoryMiB: memoryMiB(64),
          cpu: cpu(),
        },
        { doc: "Redis." },
      ).prefault({}),
      minio: section(
        {
          nodes: int(3, 64, { doc: "MinIO pods, one a host." }).optional(),
          drivesPerNode: int(1, 32, { doc: "Drives of each." }).optional(),
          pools: list(int(3, 64, { doc: "Nodes of one server pool." }), {
            doc: "Nodes of each MinIO server pool, oldest first. A pool never changes its size: grow by appending one.",
          }).optional(),
          parity: int(1, 8, { doc: "Parity drives of an erasure set." }).optional(),
          driveGiB: storageGiB("Size of each drive, GiB."),
          cpu: cpu(),
          memoryMiB: memoryMiB(256),
        },
        { doc: "MinIO." },
      ).prefault({}),
      router: section(
        { replicas: replicas(2), cpu: cpu(), memoryMiB: memoryMiB() },
        { doc: "HAProxy before Synapse." },
      ).prefault({}),
      ingress: section(
        { replicas: replicas(2), cpu: cpu(), memoryMiB: memoryMiB() },
        { doc: "Ingress controller." },
      ).prefault({}),
      turn: section({ cpu: cpu(), memoryMiB: memoryMiB() }, { doc: "coturn; one pod on each call host." }).prefault({}),
      rtc: section({ replicas: replicas(2), cpu: cpu(), memoryMiB: memoryMiB() }, { doc: "LiveKit." }).prefault({}),
      web: section(
        { replicas: replicas(2), cpu: cpu(), memoryMiB: memoryMiB() },
        { doc: "Element Web, admin UI, well-known." },
      ).prefault({}),
      monitoring: section(
        {
          replicas: replicas(2),
          cpu: cpu(),
          memoryMiB: memoryMiB(256),
          storageGiB: storageGiB("Volume of each Prometheus, GiB."),
        },
        { doc: "Prometheus." },
      ).prefault({}),
      synapse: section(
        {
          globalCacheFactor: decimal(0.1, 100, { doc: "caches.global_factor." }).optional(),
          eventCacheSize: text(
            { doc: "event_cache_size.", allowed: "a number, with K or M: 10K" },
            (v) => /^[1-9]\d*[KM]?$/.test(v),
            "10K",
          ).optional(),
          logLevel: oneOf(["DEBUG", "INFO", "WARNING", "ERROR"], {
            doc: "Log level. DEBUG slows every process and logs what users do.",
          }).optional(),
        },
        { doc: "Synapse as a whole." },
      ).prefault({}),
    },
    { doc: "Sizes in place of the plan's. The plan checks the result as a whole." },
  ).prefault({}),
};
