/** The store of media, and of backups that do not go elsewhere: MinIO, or an existing S3. */
import type { Layer } from "../../core/layer";
import { hasMinio } from "../../domain/mediaStore";
import { checkMinio, checkMove } from "./checks";
import { objectStoreAlerts } from "./alerts";
import { objectStoreEdges } from "./edges";
import { mediaGuard } from "./holds";
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
  checks: [checkMinio, checkMove],
  roles: [
    {
      role: "storage",
      least: 3,
      why: "a write needs more than half of the drives; of two MinIO nodes, the loss of one leaves only half, of three it leaves two thirds",
      when: hasMinio,
      otherwise: "use an existing S3 (objectStore.kind: s3)",
    },
  ],
  demands: objectStoreDemands,
  services: objectStoreServices,
  failures: objectStoreFailures,
  zoneLoss: objectStoreZoneLoss,
  notes: objectStoreNotes,
  holds: mediaGuard,
  images: IMAGES,
  secrets: OBJECT_STORE_SECRETS,
  edges: objectStoreEdges,
  targets: objectStoreTargets,
  alerts: objectStoreAlerts,
  pods: ["minio", "minio-*"],
  component: () => import("./deploy"),
};
