/** Volumes that are directories of the hosts' disks: whose provisioner makes them. Pure. */
import type { Settings, StorageClassSettings } from "../settings/types";
import { DISTRIBUTION_FACTS, LOCAL_PATH, OWN_LOCAL_PATH } from "./distributions";

const LOCAL_PATHS: readonly string[] = [LOCAL_PATH, OWN_LOCAL_PATH];

/** The name under which this stack's own provisioner works. */
export const localProvisioner = ({ cluster }: Settings): string =>
  DISTRIBUTION_FACTS[cluster.distribution].localProvisioner;

/** Whether the volumes of a class that this stack makes are directories, which have no size of their own. */
export const isLocal = (c: StorageClassSettings): boolean => c.create && LOCAL_PATHS.includes(c.provisioner);

/** Whether a class is served by this stack's own provisioner, from the directories of the prepared hosts. */
export const ownLocal = (settings: Settings, c: StorageClassSettings): boolean =>
  c.create &&
  settings.cluster.install.localPathProvisioner &&
  c.provisioner === localProvisioner(settings) &&
  c.parameters.nodePath === undefined;
