import { scriptFrom } from "../../../core/scripts";
import type { HostSettings, Settings } from "../../../settings/types";
import { databaseVolumes } from "../../../sizing/postgres";
import { usePath } from "../mounts";
import { hasWalDisk, WAL_IMAGE, WAL_PATH, walApart } from "../walVolume";
import type { HostStep, StepOptions } from "./shell";

/**
 * A file system of a fixed size for WAL, where no disk is given for it: a file on the database's disk, allocated as a
 * whole, so that neither can take the other's room. Not a project quota: where one is reached, ext4 answers EDQUOT,
 * which the operator does not take for a full disk (it looks for ENOSPC), and a disk in use cannot be given one.
 * None for hosts without a database, or with a disk for WAL.
 */
export function walStep(settings: Settings, host: HostSettings, { root = "" }: StepOptions = {}): HostStep | undefined {
  if (!host.roles.includes("database") || !walApart(settings) || hasWalDisk(host)) return undefined;
  return {
    name: "wal",
    why: "a file system of its own for PostgreSQL's WAL, so that WAL cannot fill the disk of the data",
    script: scriptFrom(__dirname, "wal.sh", {
      ROOT: root,
      IMAGE: root + WAL_IMAGE,
      DISK: root + usePath("database"),
      MOUNT: root + WAL_PATH,
      GIB: databaseVolumes(settings).walStorageGiB,
    }),
  };
}
