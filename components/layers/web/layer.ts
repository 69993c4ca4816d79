/** Element Web, the admin UI and the well-known documents. */
import type { Layer } from "../../core/layer";
import { checkAdmin } from "./checks";
import { elsewhereNotes } from "./documents";
import { webEdges } from "./edges";
import { checkElsewhere, checkFreeKeys } from "./freeKeys";
import { IMAGES } from "./images";
import { webDemands, webZoneLoss } from "./plan";
import { webOverrides, webSettings } from "./settings";

interface Declares {
  settings: typeof webSettings;
  overrides: typeof webOverrides;
  images: typeof IMAGES;
}

export const web: Layer<Declares> = {
  name: "web",
  settings: webSettings,
  overrides: webOverrides,
  checks: [checkAdmin, checkFreeKeys, checkElsewhere],
  demands: webDemands,
  zoneLoss: webZoneLoss,
  notes: ({ settings }) => elsewhereNotes(settings),
  images: IMAGES,
  edges: webEdges,
  pods: ["element-web", "synapse-admin", "well-known"],
  component: () => import("./deploy"),
};
