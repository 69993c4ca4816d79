/** coturn, for one-to-one calls behind NAT. */
import type { Layer } from "../../core/layer";
import { turnAlerts } from "./alerts";
import { checkRelay } from "./checks";
import { turnRecords } from "./dns";
import { turnEdges } from "./edges";
import { EXCEPTIONS } from "./exceptions";
import { IMAGES } from "./images";
import { turnDemands, turnFailures, turnNotes, turnServices, turnZoneLoss } from "./plan";
import { turnOverrides, turnSettings } from "./settings";
import { callHostNeeds, TURN_SHARED_SECRET } from "../../domain/calls";

interface Declares {
  settings: typeof turnSettings;
  overrides: typeof turnOverrides;
  images: typeof IMAGES;
}

export const turn: Layer<Declares> = {
  name: "turn",
  settings: turnSettings,
  overrides: turnOverrides,
  checks: [checkRelay],
  roles: callHostNeeds((settings) => settings.turn.enabled),
  demands: turnDemands,
  services: turnServices,
  failures: turnFailures,
  zoneLoss: turnZoneLoss,
  notes: turnNotes,
  images: IMAGES,
  secrets: [TURN_SHARED_SECRET],
  dns: turnRecords,
  edges: turnEdges,
  alerts: turnAlerts,
  pods: ["coturn"],
  exceptions: EXCEPTIONS,
  component: () => import("./deploy"),
};
