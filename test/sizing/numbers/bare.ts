/**
 * Settings with nothing but what the sizing reads, without the layers, whose modules take seconds to load. Tests of
 * whole stacks use ../helpers, whose settings the product itself completes.
 */
import assert from "node:assert/strict";
import type { SettingsError } from "../../../components/core/errors";
import { SettingsInvalid } from "../../../components/core/errors";
import type { HostRole } from "../../../components/domain/roles";
import type { HostSettings, Settings } from "../../../components/settings/types";
import type { PoolPlan } from "../../../components/sizing";

export const host = (name: string, roles: HostRole[], more: Partial<HostSettings> = {}): HostSettings => ({
  name,
  address: "198.18.0.1",
  roles,
  cpu: 16,
  memoryGiB: 64,
  disks: [],
  ssh: { user: "root", port: 22 },
  ...more,
});

/** So many hosts of a role, `a-1` on. */
export const hosts = (prefix: string, n: number, role: HostRole, more: Partial<HostSettings> = {}): HostSettings[] =>
  Array.from({ length: n }, (_, i) => host(`${prefix}-${i + 1}`, [role], more));

export const disks = (use: "database" | "wal" | "object-store", ...sizes: number[]): HostSettings["disks"] =>
  sizes.map((sizeGiB, i) => ({ id: `/dev/disk/by-id/${use}-${i}`, use, sizeGiB }));

/**
 * No host; TURN, group calls, monitoring and backups on; federation and presence off. Beyond 20,000 users with cores
 * whose ceiling allows them.
 */
export function bare(ccu: number, change: (s: Settings) => void = () => undefined): Settings {
  const settings = {
    ccu,
    activity: { profile: "typical" },
    coreSpeed: ccu > 20_000 ? 4 : 1,
    hosts: [],
    cluster: { install: { ingressController: true }, ipFamilies: ["IPv4"] },
    addressPools: [{ name: "public", addresses: ["203.0.113.10-203.0.113.20"], use: ["ingress"], create: true }],
    objectStore: { kind: "minio", survives: "host" },
    backups: { enabled: true, target: { kind: "object-store" }, schedule: "0 0 2 * * *", retentionDays: 30 },
    federation: { enabled: false },
    presence: { enabled: false },
    appservices: [],
    turn: { enabled: true, minPort: 49_152, maxPort: 55_000 },
    rtc: { enabled: true, udpPortMin: 55_001, udpPortMax: 60_000 },
    ingress: {},
    monitoring: { enabled: true, retentionDays: 15 },
    overrides: {
      minio: {},
      postgres: { parameters: {} },
      redis: {},
      pools: {},
      synapse: {},
      router: {},
      turn: {},
      rtc: {},
      web: {},
      ingress: {},
      monitoring: {},
    },
  } as unknown as Settings;
  change(settings);
  return settings;
}

/** A class of Synapse processes of a plan. */
export const pool = (cls: PoolPlan["class"], more: Partial<PoolPlan> = {}): PoolPlan => ({
  class: cls,
  kind: "Deployment",
  replicas: 2,
  maxReplicas: 3,
  cpu: 0.5,
  memoryMiB: 512,
  cpMin: 3,
  cpMax: 7,
  ...more,
});

/** The errors with which a plan is refused. */
export function refused(planned: () => unknown): readonly SettingsError[] {
  try {
    planned();
  } catch (error) {
    if (error instanceof SettingsInvalid) return error.errors;
    throw error;
  }
  return assert.fail("the plan was accepted");
}
