/** The two forms of the alert rules: for Prometheus, and for operators. Pure. */
import type { AlertRule, RuleGroup } from "../../core/monitoring";

/** Anchor of an alert in docs/runbook.md. */
export const anchor = (rule: AlertRule): string => rule.alert.toLowerCase();

/** A group in Prometheus' format. */
export function prometheusGroup(group: RuleGroup): object {
  return {
    name: `matrix-ha.${group.name}`,
    rules: group.rules.map((r) => ({
      alert: r.alert,
      expr: r.expr,
      ...(r.for === "0m" ? {} : { for: r.for }),
      labels: { severity: r.severity, layer_group: group.name },
      annotations: { summary: r.summary, description: r.meaning, runbook: `docs/runbook.md#${anchor(r)}` },
    })),
  };
}

/** Text of docs/runbook.md: a section for each alert. */
export function runbook(groups: RuleGroup[]): string {
  const section = (r: AlertRule): string =>
    [
      `### ${r.alert}`,
      "",
      `*${r.severity}*${r.for === "0m" ? "" : `, after ${r.for}`}`,
      "",
      r.meaning.replace(/\{\{.*?\}\}/g, "…"),
      "",
      "Look at:",
      ...r.look.map((l) => `- ${l.replace(/\{\{.*?\}\}/g, "<pod>")}`),
      "",
      "Do:",
      ...r.act.map((a) => `- ${a}`),
      "",
    ].join("\n");
  return [
    "# Runbook",
    "",
    "One section for each alert of this stack: what it means, what to look at, what to do. Generated from the alert rules",
    "(`components/layers/*/alerts.ts`) by `npm run generate`; change it there. Figures are those of the 1,000-user stack.",
    "",
    "Certificates that cert-manager does not issue are not watched: no metric knows their date. With `tls.mode: given` they are",
    "yours to renew; with `tls.mode: own-ca` the stack makes them for a year, and `pulumi up` within the last 60 days renews them.",
    "",
    ...groups.flatMap((g) => [`## ${g.title}`, "", ...g.rules.map(section)]),
  ].join("\n");
}
