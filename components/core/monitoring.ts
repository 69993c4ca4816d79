/** How a layer declares its metrics, alerts and dashboards. Pure. */

/** A metrics endpoint that Prometheus scrapes. */
export interface Target {
  /** Name of the PodMonitor. */
  name: string;
  /** Namespace of the pods. */
  namespace: string;
  /** The pods: our own by app.kubernetes.io/component (any of several), those of operators by their labels. */
  pods: { components: string[] } | { labels: Record<string, string> };
  /** Number of a container port that the pod declares. */
  port: number;
  /** HTTP paths, each scraped: `/metrics`. */
  paths: string[];
  /** Label `job` of the metrics. @default the pods' component */
  job?: string;
  /** Label `layer` of the metrics, by which the alert rules select. */
  layer: string;
  /** The pods use the nodes' network. @default false */
  hostNetwork?: boolean;
  /**
   * Adds the labels that Synapse's own dashboards use: instance (server), job (class), index (process).
   * @default false
   */
  synapse?: boolean;
}

/** `pods` of a target: pods of this stack, by their components. */
export const own = (...components: string[]): Target["pods"] => ({ components });

/** An alert and its page in the runbook, in one place. */
export interface AlertRule {
  /** Name in CamelCase, unique in the stack; heading of its page in the runbook. */
  alert: string;
  /** Condition, PromQL. */
  expr: string;
  /** How long the condition must hold, as Prometheus writes durations: `15m`; `0m` fires at once. */
  for: string;
  /**
   * critical: wakes the person on call; users notice, or one more failure loses data. warning: to be handled today.
   * info: no action needed.
   */
  severity: "critical" | "warning" | "info";
  /** One line; may use Alertmanager's templates: `{{ $labels.node }}`. */
  summary: string;
  /** For the runbook: what the alert means. */
  meaning: string;
  /** For the runbook: where to look, in order; commands or names of other alerts. */
  look: string[];
  /** For the runbook: what to do. */
  act: string[];
}

/** The alerts of one subject. */
export interface RuleGroup {
  /** Name of the Prometheus rule group. */
  name: string;
  /** Heading in the runbook. */
  title: string;
  rules: AlertRule[];
}

/** PromQL that counts series; the result is 0, not absent, when there are none. */
export const countOrZero = (selector: string): string => `(count(${selector}) or vector(0))`;

/** A panel of a dashboard. */
export interface DashboardPanel {
  title: string;
  /** Unit by its Grafana id: `s`, `bytes`, `percentunit`. */
  unit: string;
  /** Legend (Grafana's templates allowed) and PromQL of each line. */
  queries: Array<[legend: string, expr: string]>;
  /** `stat`: only the latest value. @default a time series */
  kind?: "stat";
}
/** A row of a dashboard. */
export interface DashboardRow {
  title: string;
  panels: DashboardPanel[];
}
/** A Grafana dashboard. */
export interface Dashboard {
  /** Part of its address in Grafana; never changes. */
  uid: string;
  title: string;
  rows: DashboardRow[];
}

/** A time series, one line for each query: `[legend, PromQL]`. */
export const panel = (title: string, unit: string, ...queries: Array<[string, string]>): DashboardPanel => ({
  title,
  unit,
  queries,
});
/** The latest value of one query. */
export const stat = (title: string, unit: string, expr: string): DashboardPanel => ({
  title,
  unit,
  queries: [["", expr]],
  kind: "stat",
});
/**
 * PromQL of a quantile over the last five minutes.
 *
 * @param q 0 to 1.
 * @param metric Name of a histogram, without `_bucket`.
 * @param by More labels to keep, with a leading comma.
 * @example
 *   quantile(0.99, "synapse_http_server_response_time_seconds", 'servlet="SyncRestServlet"', ", job");
 */
export const quantile = (q: number, metric: string, selector: string, by = ""): string =>
  `histogram_quantile(${q}, sum by (le${by}) (rate(${metric}_bucket{${selector}}[5m])))`;
