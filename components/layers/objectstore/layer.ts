/** Where media, and backups unless they go elsewhere, are kept: MinIO, or an S3 that exists. */
import type { Layer } from "../../core/layer";
import { checkMinio } from "./checks";
import { objectStoreAlerts } from "./alerts";
import { objectStoreEdges } from "./edges";
import { IMAGES } from "./images";
import { objectStoreDemands, objectStoreFailures, objectStoreNotes, objectStoreServices } from "./plan";
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
      why: "with two MinIO nodes a lost one takes half of the drives, and a write needs more than half; with three, two thirds remain",
      when: (settings) => settings.objectStore.kind === "minio",
      otherwise: "use an S3 that exists (objectStore.kind: s3)",
    },
  ],
  demands: objectStoreDemands,
  services: objectStoreServices,
  failures: objectStoreFailures,
  notes: objectStoreNotes,
  images: IMAGES,
  secrets: OBJECT_STORE_SECRETS,
  edges: objectStoreEdges,
  targets: objectStoreTargets,
  alerts: objectStoreAlerts,
  pods: ["minio", "minio-*"],
  component: () => import("./deploy"),
};
