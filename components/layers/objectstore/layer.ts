/** The store of media, and of backups that do not go elsewhere: MinIO, or an existing S3. */
import type { Layer } from "../../core/layer";
import { checkMinio } from "./checks";
import { objectStoreAlerts } from "./alerts";
import { objectStoreEdges } from "./edges";
import { IMAGES } from "./images";
import {
  objectStoreDemands,
  objectStoreFailures,
  objectStoreNotes,
  objectStoreServices,
  objectStoreZoneLoss,
} from "./plan";
import { OBJECT_STORE_SECRETS } from "./secrets";
import { objectStoreOverrides, objectStoreSettings } from "./settings";
import { objectStoreTargets } from "./targets";

interface Declares {
  settings: typeof objectStoreSettings;
  overrides: typeof objectStoreOverrides;
  images: typeof IMAGES;
}

export const objectstore: Layer<Declares> = {
  name: "objectstore",
  settings: objectStoreSettings,
  overrides: objectStoreOverrides,
  checks: [checkMinio],
  roles: [
    {
      role: "storage",
      least: 3,
      why: "a write needs more than half of the drives; of two MinIO nodes, the loss of one leaves only half, of three it leaves two thirds",
      when: (settings) => settings.objectStore.kind === "minio",
      otherwise: "use an existing S3 (objectStore.kind: s3)",
    },
  ],
  demands: objectStoreDemands,
  services: objectStoreServices,
  failures: objectStoreFailures,
  zoneLoss: objectStoreZoneLoss,
  notes: objectStoreNotes,
  images: IMAGES,
  secrets: OBJECT_STORE_SECRETS,
  edges: objectStoreEdges,
  targets: objectStoreTargets,
  alerts: objectStoreAlerts,
  pods: ["minio", "minio-*"],
  component: () => import("./deploy"),
};
