/** Numbers of Redis instances that could not elect a master. */
import type { CheckInput } from "../../core/layer";

export function checkRedis({ settings, report }: CheckInput): void {
  const { instances } = settings.overrides.redis;
  if (instances !== undefined && instances % 2 === 0) {
    report.add({
      path: "overrides.redis.instances",
      given: String(instances),
      allowed: "an odd number, 3 to 9: an even one survives no more losses and can split in halves",
      remedy: `use ${instances - 1} or ${instances + 1}`,
    });
  }
  const hosts = settings.hosts.filter((host) => host.roles.includes("application")).length;
  if (instances !== undefined && hosts >= 3 && instances > hosts) {
    report.add(
      {
        path: "overrides.redis.instances",
        given: String(instances),
        allowed: `at most ${hosts}, the application hosts: two Sentinels on one host count as one when it is lost`,
        remedy: "add application hosts, or lower it",
      },
      ["hosts"],
    );
  }
}
