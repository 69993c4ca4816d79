/** Targets, dashboards and alert rules of all layers. Pure. */
import type { Layer, StackInput } from "../../core/layer";
import type { Dashboard, RuleGroup, Target } from "../../core/monitoring";

/** All scrape targets; monitors, network policies and tests are made from them. */
export const targets = (input: StackInput): Target[] => input.layers.flatMap((layer) => layer.targets?.(input) ?? []);

/** All dashboards, sorted by uid, so that a further one does not move the others. */
export const dashboards = (layers: readonly Layer[]): Dashboard[] =>
  layers.flatMap((layer) => layer.dashboards ?? []).sort((a, b) => (a.uid < b.uid ? -1 : 1));

/** All alert rules. Layers that name the same group share it. */
export function alertRules(input: StackInput): RuleGroup[] {
  const groups = new Map<string, RuleGroup>();
  for (const group of input.layers.flatMap((layer) => layer.alerts?.(input) ?? [])) {
    const known = groups.get(group.name);
    groups.set(group.name, known ? { ...known, rules: [...known.rules, ...group.rules] } : group);
  }
  return [...groups.values()];
}

/** Every query of every dashboard, for tests. */
export const dashboardQueries = (layers: readonly Layer[]): string[] =>
  dashboards(layers).flatMap((d) => d.rows.flatMap((r) => r.panels.flatMap((x) => x.queries.map(([, expr]) => expr))));
