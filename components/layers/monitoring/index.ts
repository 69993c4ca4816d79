export { Monitoring, type MonitoringArgs } from "./Monitoring";
export { monitoringEdges, PROMETHEUS_PEER } from "./edges";
export { alertRules, dashboards, targets } from "./watched";
export { runbook } from "./runbook";
