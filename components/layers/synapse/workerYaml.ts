/** The part of the configuration that differs between classes: listeners, connections, caches. Pure. */
import { yamlText } from "../../core/yaml";
import { PORTS } from "../../core/names";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import type { WorkerClass } from "../../domain/workerClasses";
import { databaseSection, type Yaml } from "./homeserverYaml";
import { isWriter, poolOf, replicationPort } from "./instances";
import { mediaSection, type MediaStore } from "./mediaYaml";
import { MOUNTS, SHARED_FILES, pythonName } from "./paths";
import { resourcesOf, routingInput } from "./routingTable";

interface ClassInput {
  settings: Settings;
  plan: Plan;
  class: WorkerClass;
}
/** What a class's configuration is made from. */
export interface WorkerInput {
  settings: Settings;
  plan: Plan;
  class: WorkerClass;
  /** The object store; used where the class serves media. */
  s3: MediaStore;
}

/** Ports that a class listens on; its Service has the same ports under the same names. */
export function portsOf(input: ClassInput): Record<string, number> {
  const serves = resourcesOf(input.class, routingInput(input)).length > 0;
  return {
    ...(serves ? { http: PORTS.synapseHttp } : {}),
    ...(isWriter(input.plan, input.class) ? { replication: replicationPort(input.plan, input.class) } : {}),
    metrics: PORTS.synapseMetrics,
    health: PORTS.synapseHealth,
  };
}

function listeners(input: ClassInput): Yaml[] {
  // `::` takes IPv4 too, but only where the node has IPv6.
  const bind_addresses = input.settings.cluster.ipFamilies.includes("IPv6") ? ["::"] : ["0.0.0.0"];
  const names = resourcesOf(input.class, routingInput(input));
  const ports = portsOf(input);
  return [
    { type: "http", port: PORTS.synapseHealth, bind_addresses, resources: [{ names: ["health"] }] },
    { type: "metrics", port: PORTS.synapseMetrics, bind_addresses },
    ...(ports.http
      ? [{ type: "http", port: ports.http, bind_addresses, x_forwarded: true, resources: [{ names, compress: false }] }]
      : []),
    ...(ports.replication
      ? [{ type: "http", port: ports.replication, bind_addresses, resources: [{ names: ["replication"] }] }]
      : []),
  ];
}

/** The configuration of a class as an object. @throws Error where the plan does not have the class */
export function workerConfig(input: WorkerInput): Yaml {
  const { plan, settings } = input;
  const pool = poolOf(plan, input.class);
  if (!pool) throw new Error(`synapse: the plan has no pool of class ${input.class}`);
  const log = `${MOUNTS.shared}/${SHARED_FILES.log}`;
  const serves = resourcesOf(input.class, routingInput(input));
  return {
    ...(input.class === "main"
      ? { listeners: listeners(input), log_config: log }
      : {
          worker_app: "synapse.app.generic_worker",
          worker_listeners: listeners(input),
          worker_log_config: log,
          worker_pid_file: `${MOUNTS.tmp}/worker.pid`,
        }),
    ...(serves.includes("media") ? mediaSection(settings, input.s3) : {}),
    // Synapse merges its files by top-level key, so the whole section is repeated here.
    database: databaseSection(settings.cluster.domain, pool.cpMin, pool.cpMax),
    caches: {
      global_factor: plan.synapse.globalCacheFactor,
      expire_caches: true,
      cache_entry_ttl: "30m",
      sync_response_cache_duration: "2m",
      // Caches shrink before memory reaches its limit (1.5 x the request). This needs jemalloc and is ignored without.
      cache_autotuning: {
        max_cache_memory_usage: `${Math.floor(pool.memoryMiB)}M`,
        target_cache_memory_usage: `${Math.floor(pool.memoryMiB * 0.85)}M`,
        min_cache_ttl: "5m",
      },
    },
  };
}

/** The configuration of a class as YAML. */
export const renderWorkerYaml = (input: WorkerInput): string => yamlText(workerConfig(input));

/**
 * Python's logging configuration of all processes.
 *
 * @param level @example "INFO"
 * @param proxied Whether there is a proxy.
 */
export function renderLogYaml(level: string, proxied = false): string {
  return yamlText({
    version: 1,
    disable_existing_loggers: false,
    formatters: { precise: { format: "%(asctime)s %(levelname)s %(name)s - %(request)s - %(message)s" } },
    filters: { lost: { "()": pythonName(SHARED_FILES.lost, "EndWhenLost") } },
    handlers: {
      console: { class: "logging.StreamHandler", formatter: "precise", filters: ["lost"], stream: "ext://sys.stdout" },
    },
    // Statements at debug level hold access tokens.
    loggers: {
      "synapse.storage.SQL": { level: "INFO" },
      // And the proxy's URL, with its password.
      ...(proxied ? { "synapse.http.proxyagent": { level: "INFO" }, "synapse.config.server": { level: "INFO" } } : {}),
    },
    root: { level, handlers: ["console"] },
  });
}
