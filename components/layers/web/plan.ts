/** Resources of the web applications. Pure. */
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import type { PlanParts } from "../../sizing/types";

export const webDemands = (settings: Settings, { web }: PlanParts): Demand[] => [
  ...(settings.web.elementWeb.enabled ? [floating("element-web", web.elementWeb)] : []),
  ...(settings.web.admin.enabled ? [floating("admin", web.admin)] : []),
  floating("well-known", web.wellKnown),
];
