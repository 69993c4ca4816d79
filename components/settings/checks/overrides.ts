/** Sizes given by hand that could not run, whatever the plan says. */
import type { CheckInput } from ".";
import { isWorkerClass } from "../../domain/workerClasses";
import { WORKERS } from "../../domain/workers";

/**
 * Set by CloudNativePG itself, which refuses them (its documentation, "PostgreSQL Configuration", fixed parameters).
 */
const FIXED_BY_OPERATOR =
  /^(allow_alter_system|archive_(cleanup_command|command|mode)|bonjour(_name)?|cluster_name|config_file|data_directory|data_sync_retry|event_source|external_pid_file|hba_file|hot_standby|ident_file|listen_addresses|log_(destination|directory|file_mode|filename|rotation_age|rotation_size|truncate_on_rotation)|logging_collector|port|primary_(conninfo|slot_name)|promote_trigger_file|recovery_.*|restart_after_crash|restore_command|ssl(_.*)?|stats_temp_directory|synchronous_standby_names|syslog_.*|trigger_file|unix_socket_(directories|group|permissions))$/;

/** Parameters that have a field of their own, which the plan counts with. */
const OWN_FIELD: Record<string, string> = { max_connections: "overrides.postgres.maxConnections" };

/** Without these an acknowledged write can be lost. */
const DURABILITY: Record<string, RegExp> = {
  fsync: /^(off|false|no|0)$/i,
  full_page_writes: /^(off|false|no|0)$/i,
  synchronous_commit: /^(off|local|false|no|0)$/i,
};

export function checkOverrides(given: CheckInput): void {
  checkPools(given);
  checkPostgres(given);
  checkRedis(given);
  checkMinio(given);
}

function checkPools({ settings, report }: CheckInput): void {
  for (const [cls, pool] of Object.entries(settings.overrides.pools)) {
    const scaling = isWorkerClass(cls) ? WORKERS[cls].scaling : undefined;
    for (const key of ["replicas", "maxReplicas"] as const) {
      const n = pool[key];
      if (scaling?.mode === "single" && n !== undefined && n > 1) {
        report.add({
          path: `overrides.pools.${cls}.${key}`,
          given: String(n),
          allowed: `1: Synapse refuses a second process of this class (${scaling.why})`,
          remedy: "leave it out; give the one process more cpu and memoryMiB instead",
        });
      }
    }
    if (pool.replicas !== undefined && pool.maxReplicas !== undefined && pool.maxReplicas < pool.replicas) {
      report.add(
        {
          path: `overrides.pools.${cls}.maxReplicas`,
          given: String(pool.maxReplicas),
          allowed: `at least replicas (${pool.replicas})`,
          remedy: "raise maxReplicas or lower replicas",
        },
        [`overrides.pools.${cls}.replicas`],
      );
    }
  }
}

function checkPostgres({ settings, report }: CheckInput): void {
  const { parameters } = settings.overrides.postgres;
  for (const [name, value] of Object.entries(parameters)) {
    const path = `overrides.postgres.parameters.${name}`;
    if (!/^[a-z_][a-z0-9_.]*$/.test(name))
      report.add({
        path,
        given: "a name that PostgreSQL does not have",
        allowed: "names of postgresql.conf, in lower case",
        remedy: "correct the name",
      });
    else if (OWN_FIELD[name])
      report.add({
        path,
        given: value,
        allowed: `${OWN_FIELD[name]}, which the connection budget counts with`,
        remedy: `move it to ${OWN_FIELD[name]}`,
      });
    else if (FIXED_BY_OPERATOR.test(name))
      report.add({
        path,
        given: value,
        allowed: "parameters that CloudNativePG does not set itself; it refuses this one",
        remedy: "remove it",
      });
    else if (DURABILITY[name]?.test(value))
      report.add({ path, given: value, allowed: "values that lose no acknowledged write", remedy: "remove it" });
  }
}

function checkRedis({ settings, report }: CheckInput): void {
  const { instances } = settings.overrides.redis;
  if (instances !== undefined && instances % 2 === 0) {
    report.add({
      path: "overrides.redis.instances",
      given: String(instances),
      allowed: "an odd number, 3 to 9: an even one survives no more losses and can split in halves",
      remedy: `use ${instances - 1} or ${instances + 1}`,
    });
  }
  const hosts = settings.hosts.filter((host) => host.roles.includes("application")).length;
  if (instances !== undefined && hosts >= 3 && instances > hosts) {
    report.add(
      {
        path: "overrides.redis.instances",
        given: String(instances),
        allowed: `at most ${hosts}, the application hosts: two Sentinels on one host count as one when it is lost`,
        remedy: "add application hosts, or lower it",
      },
      ["hosts"],
    );
  }
}

function checkMinio({ input, settings, report }: CheckInput): void {
  if (settings.objectStore.kind === "s3") {
    if (Object.keys(input.overrides.minio).length > 0)
      report.add({
        path: "overrides.minio",
        given: "sizes of MinIO, while objectStore.kind is s3",
        allowed: "nothing: no MinIO is installed",
        remedy: "remove overrides.minio",
      });
    return;
  }
  const { nodes, drivesPerNode, parity } = settings.overrides.minio;
  if (parity !== undefined && drivesPerNode !== undefined && parity < drivesPerNode) {
    report.add({
      path: "overrides.minio.parity",
      given: `${parity}, with ${drivesPerNode} drives per node`,
      allowed: `at least ${drivesPerNode}: a lost node takes ${drivesPerNode} drives of a set with it`,
      remedy: `set parity to ${drivesPerNode}, or use fewer drives per node`,
    });
  }
  if (
    nodes !== undefined &&
    drivesPerNode !== undefined &&
    parity !== undefined &&
    parity * 2 > nodes * drivesPerNode
  ) {
    report.add({
      path: "overrides.minio.parity",
      given: `${parity}, with ${nodes} x ${drivesPerNode} = ${nodes * drivesPerNode} drives`,
      allowed: `at most half of the drives: ${Math.floor((nodes * drivesPerNode) / 2)}`,
      remedy: "lower parity, or add nodes or drives",
    });
  }
}
