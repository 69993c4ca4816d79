/** The volume of PostgreSQL's WAL: a file system of its own on every database host that this stack prepares. Pure. */
import { ownLocal } from "../../domain/localVolumes";
import type { HostSettings, Settings } from "../../settings/types";
import { usePath } from "./mounts";

/**
 * Whether the WAL has a file system of its own. A claim on a local disk is a directory without a size: in the data's
 * file system, WAL that cannot be archived would fill the data's disk. Elsewhere the class makes volumes with a size,
 * or the hosts are not ours to prepare.
 */
export const walApart = (settings: Settings): boolean =>
  settings.prepareHosts && ownLocal(settings, settings.storage.database);

/** Class of the WAL volumes. */
export const walClass = (settings: Settings): string =>
  walApart(settings) ? `${settings.storage.database.name}-wal` : settings.storage.database.name;

/** Whether a host has a disk for nothing but WAL. */
export const hasWalDisk = (host: Pick<HostSettings, "disks">): boolean => host.disks.some((d) => d.use === "wal");

/** Where it is mounted, on every database host. */
export const WAL_PATH = usePath("wal");
/** Without a disk of its own: the file that holds the file system. */
export const WAL_IMAGE = `${usePath("database")}/wal.img`;
