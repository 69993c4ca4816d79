/**
 * What backups take and how long a restore lasts: base backups, the archive of the WAL, both as the store keeps them.
 * Estimates that make the order of magnitude known before the store is full; the alerts watch what is really there.
 */
import { parseCron } from "../schema/syntax/schedule";
import type { Settings } from "../settings/types";
import { activityOf, messagesPerDay } from "./activity";
import { BACKUPS, SYNAPSE } from "./anchors";
import { COSTS, figure } from "./costs";
import { interpolate } from "./interpolate";
import type { Plan } from "./types";

/** Days for which MinIO keeps deleted objects of the backups' bucket (objectstore/provision.ts). */
export const BACKUP_VERSION_DAYS = 7;
const GIB = 2 ** 30;
const DAYS_A_MONTH = 365 / 12;

/** Base backups a day, of a schedule. @example basesPerDay("0 0 2 * * *") === 1 */
export function basesPerDay(schedule: string): number {
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = parseCron(schedule);
  const daily = second.values.size * minute.values.size * hour.values.size;
  // A day counts when either of the two fields names it, if both are given.
  const days =
    dayOfMonth.any && dayOfWeek.any
      ? 1
      : Math.min(
          1,
          (dayOfMonth.any ? 0 : dayOfMonth.values.size / DAYS_A_MONTH) +
            (dayOfWeek.any ? 0 : dayOfWeek.values.size / 7),
        );
  return (daily * days * month.values.size) / 12;
}

export interface BackupInput {
  settings: Settings;
  /** Data volume of an instance: a database cannot be larger. */
  storageGiB: number;
}

/** The archive's figures; undefined where backups are off. */
export function planBackups({ settings, storageGiB }: BackupInput): Plan["backups"] {
  const { backups, objectStore, ccu } = settings;
  if (!backups.enabled) return undefined;
  const onSite = backups.target.kind === "object-store" && objectStore.kind === "minio";
  // At least what the sizes that were run were made for.
  const eventsPerDay = Math.max(
    interpolate(SYNAPSE.messagesPerSecond.row, ccu) * BACKUPS.meanShare * 86_400,
    messagesPerDay({ users: ccu, activity: activityOf(settings) }),
  );
  const walGiBPerDay = (eventsPerDay * figure(COSTS, "message", "walBytes").value) / GIB;
  const growthGiBPerDay = (eventsPerDay * figure(COSTS, "message", "databaseBytes").value) / GIB;
  const perDay = basesPerDay(backups.schedule);
  const kept = backups.retentionDays + (onSite ? BACKUP_VERSION_DAYS : 0);
  // A moment is restored from the last base backup before it: the window starts with one that is older.
  const bases = Math.ceil(kept * perDay) + 1;
  const walDays = kept + 1 / perDay;
  const sizeAt = (days: number): { database: number; store: number } => {
    const database = Math.min(storageGiB, growthGiBPerDay * days);
    // Those kept are of different days: each as large as the database was then.
    const sum = Array.from({ length: bases }, (_, i) =>
      Math.min(storageGiB, growthGiBPerDay * Math.max(0, days - i / perDay)),
    ).reduce((a, b) => a + b, 0);
    return {
      database,
      store: sum * BACKUPS.baseRatio + walGiBPerDay * Math.min(days, walDays) * BACKUPS.walRatio,
    };
  };
  const year = sizeAt(365);
  const seconds = (gib: number, mibPerSecond: number): number => Math.ceil((gib * 1024) / mibPerSecond);
  return {
    onSite,
    bases,
    walGiBPerDay: tenth(walGiBPerDay * BACKUPS.walRatio),
    databaseGiB: Math.ceil(year.database),
    storeGiB: Math.ceil(year.store),
    storeGiBByMonth: Array.from({ length: 24 }, (_, m) => Math.ceil(sizeAt((m + 1) * DAYS_A_MONTH).store)),
    restoreSeconds:
      seconds(year.database, BACKUPS.restoreMiBPerSecond) + seconds(walGiBPerDay / perDay, BACKUPS.replayMiBPerSecond),
    ...archiving(ccu),
  };
}

const tenth = (n: number): number => Math.round(n * 10) / 10;

/** Processes that compress and send, by size: the archive must keep up with the rate that the stack is made for. */
function archiving(ccu: number): { walParallel: number; baseJobs: number } {
  return {
    walParallel: Math.round(interpolate(BACKUPS.walParallel.row, ccu)),
    baseJobs: Math.round(interpolate(BACKUPS.baseJobs.row, ccu)),
  };
}

/** Months until media and backups together fill the usable space; undefined where two years do not. */
export function monthsUntilFull(
  minio: Pick<NonNullable<Plan["minio"]>, "usableGiB" | "growthGiBPerYear">,
  backups: Plan["backups"],
): number | undefined {
  for (let month = 1; month <= 24; month++) {
    const media = (minio.growthGiBPerYear / 12) * month;
    const kept = backups?.onSite ? backups.storeGiBByMonth[month - 1] : 0;
    if (media + kept > minio.usableGiB) return month - 1;
  }
  return undefined;
}
