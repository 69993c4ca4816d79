/** The cost of losing a host of each role, and notes about the machines. Pure. */
import type { PlanInput } from "../../core/layer";
import { HOST_ROLES } from "../../domain/roles";
import type { Settings } from "../../settings/types";
import { FENCED, LOST_NODE_TOLERATION, NODE_LOST, NODE_REPLACED } from "../../sizing/failures";
import { hostsOf } from "../../sizing/hosts";
import type { FailureCost, ZoneEffect } from "../../sizing/types";
import type { LostZone } from "../../sizing/zones";

export function hostFailures({ settings, plan }: PlanInput): FailureCost[] {
  return HOST_ROLES.flatMap((role): FailureCost[] => {
    const hosts = hostsOf(settings, role);
    if (hosts.length === 0) return [];
    const shared = hosts.some((h) => h.roles.length > 1)
      ? ` ; its other roles (${[...new Set(hosts.flatMap((h) => h.roles))].filter((r) => r !== role).join(", ")}) at the same time`
      : "";
    const line = (effect: string, seconds: number, source: string): FailureCost[] => [
      { failure: `Host lost: ${role}`, effect: effect + shared, seconds, source },
    ];
    switch (role) {
      case "control-plane":
        return hosts.length >= 3
          ? line("none: the others hold etcd's quorum", 0, "etcd, majority of the members")
          : line(
              "no pod is moved or restarted elsewhere until it is back; running pods continue",
              FENCED,
              "no quorum without it; bound by repair",
            );
      case "application":
        return line(
          "its pods move to other hosts, those that exist once at once",
          NODE_REPLACED,
          "bound: node declared lost after 40 to 50 s, replaced within 5 s; others move after 80 s",
        );
      case "database":
        return line("at worst a failover", 60, "target; the pod's failover measured");
      case "storage":
        return plan.minio
          ? line("none: reads and writes continue", 0, `parity ${plan.minio.parity} of ${plan.minio.erasureSetDrives}`)
          : [];
      case "call":
        return line(
          `1/${hosts.length} of the calls reconnect`,
          NODE_LOST + LOST_NODE_TOLERATION,
          "client reconnect; the node's own services are not moved; a bound",
        );
    }
  });
}

export function hostNotes({ settings }: PlanInput): string[] {
  const notes = sharedHosts(settings);
  const controlPlane = settings.hosts.filter((h) => h.roles.includes("control-plane")).length;
  if (controlPlane === 1 || controlPlane === 2)
    notes.push(
      `${controlPlane} control-plane ${controlPlane === 1 ? "host is" : "hosts are"} not highly available: etcd needs 3 to lose one.`,
    );
  notes.push(
    "Reserved on every host for the system: 0.5 core + 1 GiB + 5 %, and 0.65 core + 1 GiB more beside a control plane.",
  );
  return notes;
}

function sharedHosts({ hosts }: Settings): string[] {
  const shared = hosts.filter((h) => h.roles.length > 1);
  if (shared.length === 0) return [];
  const groups = new Map<string, number>();
  for (const h of shared) groups.set(h.roles.join(", "), (groups.get(h.roles.join(", ")) ?? 0) + 1);
  return [...groups].map(
    ([roles, n]) =>
      `${n} of ${hosts.length} hosts carry several roles (${roles}): losing one takes a part of each at the same time; everything still fits on the others.`,
  );
}

/** The control plane: etcd needs more than half of its members. */
export function controlPlaneZoneLoss({ settings }: PlanInput, zone: LostZone): ZoneEffect[] {
  const members = hostsOf(settings, "control-plane").length;
  const lost = zone.lost.filter((h) => h.roles.includes("control-plane")).length;
  if (lost === 0) return [];
  const part = "control plane";
  if (members - lost > members / 2)
    return [
      {
        part,
        outcome: "goes on",
        effect: "none: the others hold etcd's quorum",
        seconds: 0,
        source: `${members - lost} of ${members} members are left, a majority`,
      },
    ];
  return [
    {
      part,
      outcome: "stops",
      effect: "no pod is moved or restarted elsewhere, so nothing below recovers by itself; running pods continue",
      seconds: 0,
      source: `${lost} of ${members} control-plane hosts are there, and etcd needs more than half`,
      remedy: "Put the control-plane hosts into three zones, so that none has half of them",
    },
  ];
}
