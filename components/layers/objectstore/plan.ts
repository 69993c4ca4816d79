/** MinIO's resources, the cost of its failures, and how long its drives last. Pure. */
import type { PlanInput, ServiceRow } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { tied, type Demand } from "../../sizing/demands";
import { monthsUntilFull } from "../../sizing/backups";
import { MEASURED } from "../../sizing/failures";
import { hostsOf } from "../../sizing/hosts";
import { setDrivesOfZone, writeQuorum } from "../../sizing/minio";
import type { FailureCost, Plan, PlanParts, ZoneEffect } from "../../sizing/types";
import { replicasIn, type LostZone } from "../../sizing/zones";

/** Seconds for which MinIO pauses when its arguments change (a further pool): in total, and per node. */
export const MINIO_GROWTH = { measured: 50, perNode: 10 } as const;

const number = (n: number): string => n.toLocaleString("en-US");

export const objectStoreDemands = (_settings: Settings, { minio }: PlanParts): Demand[] =>
  minio ? [tied("minio", "storage", { ...minio, replicas: minio.nodes }, "overrides.minio")] : [];

export function objectStoreServices({ plan: { minio } }: PlanInput): ServiceRow[] {
  if (!minio) return [];
  const drives = `${minio.drivesPerNode} x ${number(minio.driveGiB)} GiB each`;
  return [
    {
      service: "MinIO",
      instances: minio.nodes,
      cpu: minio.cpu,
      memoryMiB: minio.memoryMiB,
      what: `${drives}, erasure set of ${minio.erasureSetDrives} with parity ${minio.parity}`,
    },
  ];
}

export function objectStoreFailures({ plan }: PlanInput): FailureCost[] {
  if (!plan.minio) return [];
  return [
    {
      failure: "MinIO: a pool added",
      effect: "media largely cannot be read or written while the pods restart in turn; text messages go on",
      seconds: Math.max(MINIO_GROWTH.measured, MINIO_GROWTH.perNode * plan.minio.nodes),
      source: `${MEASURED}: ${MINIO_GROWTH.measured} s, about ${MINIO_GROWTH.perNode} s a node: pods with the new arguments join only when most have them; a bound`,
    },
    {
      failure: "MinIO: pod or node",
      effect: "none with the remaining drives; an upload that was on its way to it may wait a minute",
      seconds: 0,
      source: `erasure set of ${plan.minio.erasureSetDrives}, parity ${plan.minio.parity}, at most ${plan.minio.drivesPerNode} drives leave with a node`,
    },
  ];
}

export const objectStoreNotes = ({ plan }: PlanInput): string[] =>
  plan.minio ? storageNotes(plan.minio, plan.backups) : [];

function storageNotes(m: NonNullable<Plan["minio"]>, backups: Plan["backups"]): string[] {
  const months = monthsUntilFull(m, backups);
  const beside = backups?.onSite
    ? ` and backups beside them by about ${number(backups.storeGiB)} GiB (${backups.bases} base backups and their WAL)`
    : "";
  return [
    `Media grow by about ${number(m.growthGiBPerYear)} GiB in the first year${beside}; ${number(m.usableGiB)} GiB are usable: ${months === undefined ? "two years or more" : `about ${months} ${months === 1 ? "month" : "months"}`}.${months !== undefined && months < 12 ? ` Plan a second MinIO pool, media retention${backups?.onSite ? ", fewer base backups (backups.schedule)" : ""} or an external S3.` : ""}`,
    `MinIO's pools (${m.pools.join(" + ")} nodes, ${m.drivesPerNode} ${m.drivesPerNode === 1 ? "drive" : "drives"} each) never change once formatted: growth appends one, and media are largely unavailable meanwhile (about 50 s, 10 s a node). Keep disks per storage host and overrides.minio as they are.`,
  ];
}

/** Drives of an erasure set that are lost with a zone: exact where each pool is spread strictly, else the most. */
export function setDrivesLost({ settings, plan }: PlanInput, zone: LostZone): number {
  const m = plan.minio!;
  const hosts = hostsOf(settings, "storage");
  if (m.survives === "zone")
    return zone.lost.some((h) => h.roles.includes("storage")) ? setDrivesOfZone(m.erasureSetDrives) : 0;
  const there = zone.lost.filter((h) => h.roles.includes("storage")).length;
  return Math.max(
    ...m.pools.map((nodes) => {
      // One pool is spread as evenly as there are hosts. Of several, nothing keeps the pods of one pool apart.
      const lost =
        m.pools.length === 1
          ? replicasIn(zone.name, { hosts, replicas: nodes, onePerHost: true })
          : Math.min(nodes, there);
      return Math.min(m.erasureSetDrives, lost * Math.ceil(m.erasureSetDrives / nodes));
    }),
  );
}

export function objectStoreZoneLoss(input: PlanInput, zone: LostZone): ZoneEffect[] {
  const m = input.plan.minio;
  if (!m) return [];
  const lost = setDrivesLost(input, zone);
  if (lost === 0) return [];
  const left = m.erasureSetDrives - lost;
  const part = "MinIO";
  const source = `${m.survives === "zone" || m.pools.length === 1 ? "" : "up to "}${lost} of ${m.erasureSetDrives} drives of a set are there; writes need ${writeQuorum(m)}, reads ${m.erasureSetDrives - m.parity}`;
  if (left >= writeQuorum(m))
    return [
      {
        part,
        outcome: "goes on",
        effect: "none with the remaining drives; an upload that was on its way may wait a minute",
        seconds: 0,
        source,
      },
    ];
  const remedy =
    "MinIO's pools never change: in a new stack, six storage hosts, two in each of three zones, with objectStore: { kind: minio, survives: zone } keep it; or use an S3 elsewhere";
  return left >= m.erasureSetDrives - m.parity
    ? [{ part, outcome: "stops", effect: "media can be read, and uploads fail", seconds: 0, source, remedy }]
    : [
        {
          part,
          outcome: "stops",
          effect: "media can be neither read nor written, and are lost if the zone's drives are",
          seconds: 0,
          source,
          remedy,
        },
      ];
}
