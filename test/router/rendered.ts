/** haproxy.cfg of the fixture's stack with federation, and its sections. */
import assert from "node:assert/strict";
import { bodyLimits } from "../../components/domain/bodies";
import { renderHaproxyCfg, type HaproxyInput } from "../../components/layers/router/haproxyCfg";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";

export const plan = fixturePlan();
export const bodies = bodyLimits(fixtureSettings(), plan.router);

export const cfg = (more: Partial<HaproxyInput> = {}): string =>
  renderHaproxyCfg({ plan, clusterDomain: "cluster.local", federation: true, bodies, ...more });

/** Lines of a section without its head, such as `backend synchrotron-by-user`. */
export function section(head: string, text = cfg()): string[] {
  const lines = text.split("\n");
  const start = lines.indexOf(head);
  assert.ok(start >= 0, `no section ${head}`);
  const end = lines.findIndex((l, i) => i > start && /^\S/.test(l));
  return lines
    .slice(start + 1, end < 0 ? undefined : end)
    .map((l) => l.trim())
    .filter(Boolean);
}
