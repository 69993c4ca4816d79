/** The words in which a layer says what is watched of it. Pure. */
export interface Target {
  /** Name of the PodMonitor. */
  name: string;
  namespace: string;
  /** Pods: our own by app.kubernetes.io/component (several: any of them), others by their labels. */
  pods: { components: string[] } | { labels: Record<string, string> };
  /** Container port, which the pod declares. */
  port: number;
  paths: string[];
  /** Label `job` of what is read; absent: the pods' component. */
  job?: string;
  /** Label `layer`: what the alert rules select by. */
  layer: string;
  /** On the nodes' own network. */
  hostNetwork?: boolean;
  /** Metrics of Synapse carry the labels of its own dashboards: instance (server), job (class), index (process). */
  synapse?: boolean;
}

/** Pods of this stack, by their component. */
export const own = (...components: string[]): Target["pods"] => ({ components });

/** An alert and its page in the runbook, in one place. */
export interface AlertRule {
  alert: string;
  /** PromQL. */
  expr: string;
  /** How long it must hold; "0m": at once. */
  for: string;
  /**
   * critical: wakes the person on call, users notice or data is one failure away from loss. warning: today. info: to
   * know.
   */
  severity: "critical" | "warning" | "info";
  /** One line; may use Alertmanager's templates. */
  summary: string;
  /** What the runbook says. */
  meaning: string;
  look: string[];
  act: string[];
}

export interface RuleGroup {
  name: string;
  title: string;
  rules: AlertRule[];
}

/** `expr` of a count that is 0, not absent, when nothing is there. */
export const countOrZero = (selector: string): string => `(count(${selector}) or vector(0))`;

export interface DashboardPanel {
  title: string;
  unit: string;
  queries: Array<[legend: string, expr: string]>;
  kind?: "stat";
}
export interface DashboardRow {
  title: string;
  panels: DashboardPanel[];
}
export interface Dashboard {
  uid: string;
  title: string;
  rows: DashboardRow[];
}

export const panel = (title: string, unit: string, ...queries: Array<[string, string]>): DashboardPanel => ({
  title,
  unit,
  queries,
});
export const stat = (title: string, unit: string, expr: string): DashboardPanel => ({
  title,
  unit,
  queries: [["", expr]],
  kind: "stat",
});
export const quantile = (q: number, metric: string, selector: string, by = ""): string =>
  `histogram_quantile(${q}, sum by (le${by}) (rate(${metric}_bucket{${selector}}[5m])))`;
