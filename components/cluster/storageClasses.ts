/** The storage classes that this stack makes. Pure. */
import { usePath } from "../hosts/mounts";
import type { DiskSettings, Settings, StorageClassSettings } from "../settings/types";

const LOCAL_PATH = "rancher.io/local-path";

/** Each once, also where two uses share one. */
export function storageClasses(settings: Settings): StorageClassSettings[] {
  const uses: Array<[StorageClassSettings, DiskSettings["use"]]> = [
    [settings.storage.database, "database"], [settings.storage.objectStore, "object-store"], [settings.storage.general, "local"],
  ];
  const made = new Map<string, StorageClassSettings>();
  for (const [c, use] of uses) {
    if (!c.create || made.has(c.name)) continue;
    // The provisioner that this stack installs serves the directories that its hosts have prepared, one for each use.
    const own = settings.cluster.install.localPathProvisioner && c.provisioner === LOCAL_PATH;
    made.set(c.name, own ? { ...c, parameters: { nodePath: usePath(use), ...c.parameters } } : c);
  }
  return [...made.values()];
}
