/** Checks of the number of Redis instances: refuses those that could not elect a master. */
import type { CheckInput } from "../../core/layer";

export function checkRedis({ settings, report }: CheckInput): void {
  const { instances } = settings.overrides.redis;
  if (instances === undefined) return;
  if (instances % 2 === 0) {
    report.add({
      path: "overrides.redis.instances",
      given: String(instances),
      allowed: "an odd number from 3 to 9: an even one tolerates no more losses and can split into halves",
      remedy: `use ${instances - 1} or ${instances + 1}`,
    });
  }
  const hosts = settings.hosts.filter((host) => host.roles.includes("application")).length;
  if (hosts >= 3 && instances > hosts) {
    report.add(
      {
        path: "overrides.redis.instances",
        given: String(instances),
        allowed: `at most ${hosts}, the number of application hosts: Sentinels that share a host are lost together`,
        remedy: "add application hosts, or lower overrides.redis.instances",
      },
      ["hosts"],
    );
  }
}
