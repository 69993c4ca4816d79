/** The storage classes that this stack makes, and which one each volume asks for. Pure. */
import { usePath } from "../hosts/mounts";
import type { DiskSettings, Settings, StorageClassSettings } from "../../settings/types";

const LOCAL_PATH = "rancher.io/local-path";

/**
 * Whether claims of a class can grow. A directory on a local disk has no size of its own, and its provisioner resizes
 * nothing: a claim that asked for more would stay pending. A class that exists already is its maker's matter.
 */
export const expandable = (c: StorageClassSettings): boolean => !c.create || c.provisioner !== LOCAL_PATH;

/** The provisioner that this stack installs serves the directories that its hosts have prepared, one for each disk. */
const ownLocal = (settings: Settings, c: StorageClassSettings): boolean =>
  c.create &&
  settings.cluster.install.localPathProvisioner &&
  c.provisioner === LOCAL_PATH &&
  c.parameters.nodePath === undefined;

/**
 * `object-store` disks that every storage host has. The provisioner keeps no two volumes of a class apart: a disk is
 * chosen by asking for the class that has only its directory.
 */
function objectStoreDisks(settings: Settings): number {
  const counts = settings.hosts
    .filter((h) => h.roles.includes("storage"))
    .map((h) => h.disks.filter((d) => d.use === "object-store").length);
  return counts.length === 0 ? 0 : Math.min(...counts);
}

/**
 * Class of a MinIO pod's drive, from 0: one of its own for each disk where this stack knows the disks, else the one
 * class.
 */
export function objectStoreClass(settings: Settings, drive: number): string {
  const c = settings.storage.objectStore;
  return drive > 0 && drive < objectStoreDisks(settings) && ownLocal(settings, c) ? `${c.name}-${drive + 1}` : c.name;
}

/** Every directory that the provisioner may serve: those of the uses, and of each further disk of any host. */
export function localPaths(settings: Settings): string[] {
  const uses: Array<DiskSettings["use"]> = ["database", "object-store", "local"];
  return uses.flatMap((use) => {
    const most = Math.max(1, ...settings.hosts.map((h) => h.disks.filter((d) => d.use === use).length));
    return Array.from({ length: most }, (_, i) => usePath(use, i + 1));
  });
}

/** Each once, also where two uses share one. */
export function storageClasses(settings: Settings): StorageClassSettings[] {
  const { database, objectStore, general } = settings.storage;
  const made = new Map<string, StorageClassSettings>();
  const make = (c: StorageClassSettings, name: string, path: string): void => {
    if (!c.create || made.has(name)) return;
    // Without the parameter the provisioner takes any of its directories at random.
    made.set(
      name,
      ownLocal(settings, c) ? { ...c, name, parameters: { nodePath: path, ...c.parameters } } : { ...c, name },
    );
  };
  make(database, database.name, usePath("database"));
  for (let drive = 0; drive < Math.max(1, objectStoreDisks(settings)); drive++)
    make(objectStore, objectStoreClass(settings, drive), usePath("object-store", drive + 1));
  make(general, general.name, usePath("local"));
  return [...made.values()];
}
