export { Monitoring, type MonitoringArgs } from "./Monitoring";
export { monitoringEdges, PROMETHEUS_PEER } from "./edges";
export { INGRESS_COMPONENT, targets, type Target } from "./targets";
export { alertRules, runbook, type AlertRule, type RuleGroup } from "./rules";
