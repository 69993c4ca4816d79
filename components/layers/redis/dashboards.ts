/** Redis' part of the dashboard that it shares with the router. Pure. */
import { panel, type DashboardRow } from "../../core/monitoring";

/** Row in the router's dashboard. */
export const REDIS_ROW: DashboardRow = {
  title: "Redis",
  panels: [
    panel("Masters", "none", ["{{job}}", 'count by (job) (redis_instance_info{layer="redis", role="master"})']),
    panel("Replicas of the master", "none", ["{{job}}", 'max by (job) (redis_connected_slaves{layer="redis"})']),
    panel("Commands", "ops", ["{{instance}}", 'rate(redis_commands_processed_total{layer="redis"}[5m])']),
    panel("Memory", "bytes", ["{{instance}}", 'redis_memory_used_bytes{layer="redis"}']),
  ],
};
