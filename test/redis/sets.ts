/** What the layer reads of a plan: a set of Redis of a size, in seven lines instead of a whole stack. */
import type { PlanInput } from "../../components/core/layer";
import type { HostSettings, Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";

/** @param zones The zone of each application host; a database host is in zone d. */
export function setOf(instances: number, zones: string[] = ["a", "b", "c"]): PlanInput {
  const host = (zone: string, role: string, i: number): HostSettings =>
    ({ name: `${role}-${i}`, zone, roles: [role] }) as HostSettings;
  return {
    settings: {
      hosts: [...zones.map((z, i) => host(z, "application", i)), host("d", "database", 0)],
      rtc: { enabled: true },
      cluster: { domain: "cluster.local" },
      overrides: { redis: {} },
    } as Settings,
    plan: {
      redis: {
        instances,
        // The majority.
        quorum: Math.floor(instances / 2) + 1,
        cpu: 0.5,
        memoryMiB: 2048,
        maxmemoryMiB: 1536,
        proxy: { replicas: 2, cpu: 0.1, memoryMiB: 64 },
      },
    } as Plan,
  };
}
