export { Monitoring, type MonitoringArgs } from "./Monitoring";
export { monitoringEdges, PROMETHEUS_PEER } from "./edges";
export { targets, type Target } from "./targets";
export { alertRules, runbook, type AlertRule, type RuleGroup } from "./rules";
