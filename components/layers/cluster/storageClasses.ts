/** The storage classes that this stack makes, and the class of each volume. Pure. */
import { isLocal, ownLocal } from "../../domain/localVolumes";
import { usePath } from "../hosts/mounts";
import { walApart, walClass, WAL_PATH } from "../hosts/walVolume";
import type { DiskSettings, Settings, StorageClassSettings } from "../../settings/types";

/**
 * Whether claims of a class can grow. A directory on a local disk has no size of its own, and its provisioner cannot
 * resize: a larger claim would stay pending. Classes that exist already are assumed to allow it.
 */
export const expandable = (c: StorageClassSettings): boolean => !isLocal(c);

/**
 * Number of `object-store` disks that every storage host has. The provisioner may put two volumes of one class on the
 * same disk. Each disk therefore has a class that allows only its directory.
 */
function objectStoreDisks(settings: Settings): number {
  const counts = settings.hosts
    .filter((h) => h.roles.includes("storage"))
    .map((h) => h.disks.filter((d) => d.use === "object-store").length);
  return counts.length === 0 ? 0 : Math.min(...counts);
}

/**
 * Class of a drive of a MinIO pod: one class for each disk when this stack knows the disks, else the same for all.
 *
 * @param drive Number of the drive in its pod, from 0.
 */
export function objectStoreClass(settings: Settings, drive: number): string {
  const c = settings.storage.objectStore;
  return drive > 0 && drive < objectStoreDisks(settings) && ownLocal(settings, c) ? `${c.name}-${drive + 1}` : c.name;
}

/** Every directory that the provisioner may use: one for each use, and one for each further disk of any host. */
export function localPaths(settings: Settings): string[] {
  const uses: Array<DiskSettings["use"]> = ["database", "object-store", "local"];
  const paths = uses.flatMap((use) => {
    const most = Math.max(1, ...settings.hosts.map((h) => h.disks.filter((d) => d.use === use).length));
    return Array.from({ length: most }, (_, i) => usePath(use, i + 1));
  });
  return walApart(settings) ? [...paths, WAL_PATH] : paths;
}

/** The classes to make, each once even when two uses share it. */
export function storageClasses(settings: Settings): StorageClassSettings[] {
  const { database, objectStore, general } = settings.storage;
  const made = new Map<string, StorageClassSettings>();
  const make = (c: StorageClassSettings, name: string, path: string): void => {
    if (!c.create || made.has(name)) return;
    // Without this parameter the provisioner chooses any of its directories at random.
    made.set(
      name,
      ownLocal(settings, c) ? { ...c, name, parameters: { nodePath: path, ...c.parameters } } : { ...c, name },
    );
  };
  make(database, database.name, usePath("database"));
  if (walApart(settings)) make(database, walClass(settings), WAL_PATH);
  for (let drive = 0; drive < Math.max(1, objectStoreDisks(settings)); drive++)
    make(objectStore, objectStoreClass(settings, drive), usePath("object-store", drive + 1));
  make(general, general.name, usePath("local"));
  return [...made.values()];
}
