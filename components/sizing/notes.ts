/** What an operator should know about a plan and would not see in its numbers. */
import { ingressClassNotes } from "../domain/ingressClasses";
import { jwtServiceEnabled } from "../domain/calls";
import type { Settings } from "../settings/types";
import { LARGEST_CCU, SMALLEST_CCU } from "./interpolate";
import type { Plan } from "./types";

const number = (n: number): string => n.toLocaleString("en-US");

export function planNotes(settings: Settings, plan: Plan): string[] {
  const notes: string[] = [];
  const { ccu } = plan;
  if (plan.extrapolated)
    notes.push(
      `Nothing was measured beyond ${number(LARGEST_CCU)} users: these numbers continue the slope between 10,000 and 20,000. Test with load before you rely on them.`,
    );
  if (ccu < SMALLEST_CCU) notes.push(`Planned as for ${SMALLEST_CCU} users, the smallest size that was run.`);
  const single = plan.synapse.pools.filter((p) => p.replicas === 1 && p.recoverySeconds !== undefined);
  notes.push(
    `Single points that Synapse imposes, with seconds to be back: ${single.map((p) => `${p.class} ${p.recoverySeconds}`).join(", ")}. Each event persister is one for its share of the rooms. When their node is lost they return only after it is fenced.`,
  );
  if (plan.minio) notes.push(...storageNotes(plan.minio));
  notes.push(
    "MetalLB announces each address from one node at a time: failover, not load sharing. More addresses, or BGP, spread load.",
  );
  notes.push(...ingressClassNotes(settings.cluster.ingressClass));
  if (settings.turn.enabled && settings.tls.mode === "acme")
    notes.push(
      "No TURN over TLS with tls.mode acme: the authority asks at the name's own address, which is coturn's, not the ingress'. TURN over UDP and TCP works (media are encrypted anyway); for turns: use tls.mode given, with a certificate for hostnames.turn.",
    );
  if (settings.rtc.enabled && !jwtServiceEnabled(settings))
    notes.push(
      "rtc.jwtService is false: clients are told of no SFU. Group calls work once a token service is run elsewhere and announced.",
    );
  notes.push(...sharedHosts(settings));
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

function storageNotes(m: NonNullable<Plan["minio"]>): string[] {
  const months = Math.floor((m.usableGiB / Math.max(1, m.growthGiBPerYear)) * 12);
  return [
    `Media grow by about ${number(m.growthGiBPerYear)} GiB in the first year; ${number(m.usableGiB)} GiB are usable: ${months >= 24 ? "more than two years" : `about ${months} ${months === 1 ? "month" : "months"}`}.${months < 12 ? " Plan a second MinIO pool, media retention or an external S3." : ""}`,
    `MinIO's pools (${m.pools.join(" + ")} nodes, ${m.drivesPerNode} ${m.drivesPerNode === 1 ? "drive" : "drives"} each) never change once formatted: growth appends one, and media are largely unavailable meanwhile (about 50 s, 10 s a node). Keep disks per storage host and overrides.minio as they are.`,
  ];
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
