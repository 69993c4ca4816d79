/** Checks that each role has as many hosts as the layers need. */
import type { CheckInput, RoleNeed } from "../../core/layer";
import { HOST_ROLES } from "../../domain/roles";
import { LAYERS } from "../../layers/registry";

/** Paths of errors about hosts as a whole and about their roles. */
const ROLES = /^hosts(\[\d+\](\.roles?\b.*)?)?$/;

export function checkHostCounts({ settings, report }: CheckInput): void {
  // When a role is wrong, it is not known which hosts are missing. Otherwise several roles may lack hosts, all reported
  // for the path `hosts`.
  if (report.hasAt(ROLES)) return;
  const needs = LAYERS.flatMap((layer) => layer.roles ?? [])
    .filter((need) => need.when?.(settings) ?? true)
    .sort((a, b) => HOST_ROLES.indexOf(a.role) - HOST_ROLES.indexOf(b.role));
  // Several layers may need the same role: one error.
  const seen = new Set<string>();
  for (const need of needs) {
    const have = settings.hosts.filter((host) => host.roles.includes(need.role)).length;
    const { count, why } = wanted(need, settings);
    if (seen.has(need.role) || have >= count) continue;
    seen.add(need.role);
    report.addAnother({
      path: "hosts",
      given: `${have} ${have === 1 ? "host" : "hosts"} with the role ${need.role}`,
      allowed: `at least ${count}: ${why}`,
      remedy: `add ${count - have} ${need.role} ${count - have === 1 ? "host" : "hosts"}, or give the role to hosts that exist${need.otherwise ? `; or ${need.otherwise}` : ""}`,
    });
  }
}

function wanted(need: RoleNeed, settings: CheckInput["settings"]): { count: number; why: string } {
  const more = need.more?.(settings);
  return more && more.count > need.least ? more : { count: need.least, why: need.why };
}
