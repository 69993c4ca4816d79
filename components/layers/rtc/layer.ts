/** LiveKit and its token service, for group calls, with a separate Redis. */
import type { Layer } from "../../core/layer";
import { rtcAlerts } from "./alerts";
import { checkCalls } from "./checks";
import { RTC_DASHBOARDS } from "./dashboards";
import { rtcEdges } from "./edges";
import { EXCEPTIONS } from "./exceptions";
import { IMAGES } from "./images";
import { rtcDemands, rtcFailures, rtcNotes, rtcServices, rtcZoneLoss } from "./plan";
import { RTC_SECRETS } from "./secrets";
import { rtcOverrides, rtcSettings } from "./settings";
import { rtcTargets } from "./targets";
import { callHostNeeds } from "../../domain/calls";

interface Declares {
  settings: typeof rtcSettings;
  overrides: typeof rtcOverrides;
  images: typeof IMAGES;
}

export const rtc: Layer<Declares> = {
  name: "rtc",
  settings: rtcSettings,
  overrides: rtcOverrides,
  checks: [checkCalls],
  roles: callHostNeeds((settings) => settings.rtc.enabled),
  demands: rtcDemands,
  services: rtcServices,
  failures: rtcFailures,
  zoneLoss: rtcZoneLoss,
  notes: rtcNotes,
  images: IMAGES,
  secrets: RTC_SECRETS,
  edges: rtcEdges,
  targets: rtcTargets,
  alerts: rtcAlerts,
  dashboards: RTC_DASHBOARDS,
  pods: ["livekit", "lk-jwt-service"],
  exceptions: EXCEPTIONS,
  component: () => import("./deploy"),
};
