export { Monitoring, type MonitoringArgs } from "./Monitoring";
export { monitoringEdges, prometheusPeer } from "./edges";
export { alertRules, dashboards, targets } from "./watched";
export { runbook } from "./runbook";
