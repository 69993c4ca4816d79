/** What the store holds that a later deployment must not lose: media. Pure. */
import type { Guard, PlanInput } from "../../core/layer";
import { OWN_MINIO, storeName } from "../../domain/mediaStore";
import type { SettingsError } from "../../settings/types";

interface HeldMinio {
  pools: number[];
  drivesPerNode: number;
  driveGiB: number;
  /** As `objectStore.survives`, which decides the layout. */
  survives: "host" | "zone";
}

/** Where the media are. */
interface HeldMedia {
  /** As `storeName` gives it. */
  store: string;
  /** The layout of MinIO, while it is there. */
  minio?: HeldMinio;
  /** A move that has begun. */
  moving?: { store: string; survives: "host" | "zone"; copied: boolean };
}

function held({ settings: { objectStore }, plan: { minio } }: PlanInput): HeldMedia {
  return {
    store: storeName(objectStore),
    ...(minio
      ? {
          minio: {
            pools: minio.pools,
            drivesPerNode: minio.drivesPerNode,
            driveGiB: minio.driveGiB,
            survives: minio.survives,
          },
        }
      : {}),
    ...(objectStore.moveFrom ? { moving: { ...objectStore.moveFrom } } : {}),
  };
}

/** What to write in moveFrom: the layout of a MinIO that is left does not change. */
const moveFrom = (store: string, survives: "host" | "zone" | undefined, copied = false): string =>
  `{store: "${store}"${store === OWN_MINIO && survives === "zone" ? ", survives: zone" : ""}${copied ? ", copied: true" : ""}}`;

const nameOf = (store: string): string => (store === OWN_MINIO ? "the stack's own MinIO" : store);

/** The media are looked for where they are not. */
function movedAway(before: HeldMedia, { settings: { objectStore } }: PlanInput): SettingsError[] {
  const store = storeName(objectStore);
  if (before.store === store || objectStore.moveFrom?.store === before.store) return [];
  return [
    {
      path: "objectStore",
      given: `${nameOf(store)}, where the media are in ${nameOf(before.store)}`,
      allowed:
        "another store only with objectStore.moveFrom: the media must be copied first, and the former store stays until then",
      remedy: `add objectStore.moveFrom: ${moveFrom(before.store, before.minio?.survives)} and follow docs/operate.md, "Move the media to another store"; or keep objectStore as it was`,
    },
  ];
}

/** A move is called off before everything is copied. */
function unfinished({ moving }: HeldMedia, { settings: { objectStore } }: PlanInput): SettingsError[] {
  const going = moving === undefined || moving.copied || objectStore.moveFrom?.store === moving.store;
  // Back to the former store is a move of its own, which movedAway() has looked at.
  if (going || storeName(objectStore) === moving.store) return [];
  return [
    {
      path: "objectStore.moveFrom",
      given: objectStore.moveFrom ? `"${objectStore.moveFrom.store}"` : "nothing",
      allowed: `{store: "${moving.store}"}, until a deployment has said that everything is copied from there`,
      remedy: `copy the media, set objectStore.moveFrom: ${moveFrom(moving.store, moving.survives, true)}, run pulumi up, and only then remove it`,
    },
  ];
}

/** MinIO never changes the drives that it has formatted: it grows by a further pool. */
function otherDrives({ minio: before }: HeldMedia, { settings, plan: { minio: now } }: PlanInput): SettingsError[] {
  if (!before || !now) return [];
  const errors: SettingsError[] = [];
  const pools = (list: number[]): string => `[${list.join(", ")}]`;
  if (before.pools.some((nodes, i) => now.pools[i] !== nodes))
    errors.push({
      path: "overrides.minio.pools",
      given: `pools of ${pools(now.pools)} nodes, where the deployed ones are ${pools(before.pools)}`,
      allowed: "the pools that hold media, in their order, and new ones behind them",
      remedy: `set overrides.minio.pools: ${pools(before.pools)}, with as many storage hosts; add to its end to grow`,
    });
  if (before.drivesPerNode !== now.drivesPerNode)
    errors.push({
      path: "overrides.minio.drivesPerNode",
      given: `${now.drivesPerNode}, where the deployed MinIO has ${before.drivesPerNode}`,
      allowed: `${before.drivesPerNode}: MinIO does not start with other drives than those it has formatted`,
      remedy: `set overrides.minio.drivesPerNode: ${before.drivesPerNode}`,
    });
  // Of listed disks the size is known, and a volume on a local disk is as large as the disk. Where none is listed, the
  // size is assumed from the number of users; the claims keep theirs, and the plan would count space that is not there.
  const listed = settings.hosts.some((h) => h.disks.some((d) => d.use === "object-store"));
  if (!listed && before.driveGiB !== now.driveGiB)
    errors.push({
      path: "overrides.minio.driveGiB",
      given: `${now.driveGiB} GiB, where the deployed volumes have ${before.driveGiB} GiB`,
      allowed: `${before.driveGiB}: volumes of a StatefulSet keep their size`,
      remedy: `set overrides.minio.driveGiB: ${before.driveGiB}; for more space add storage hosts, which make another pool`,
    });
  return errors;
}

export const mediaGuard: Guard = {
  now: held,
  lost: (before, input) => {
    const media = before as HeldMedia;
    return [...movedAway(media, input), ...unfinished(media, input), ...otherDrives(media, input)];
  },
};
