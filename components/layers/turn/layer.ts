/** coturn, for one-to-one calls behind NAT. */
import type { Layer } from "../../core/layer";
import { turnAlerts } from "./alerts";
import { checkRelay } from "./checks";
import { turnEdges } from "./edges";
import { IMAGES } from "./images";
import { turnDemands, turnFailures, turnNotes, turnServices } from "./plan";
import { turnOverrides, turnSettings } from "./settings";
import { Turn } from "./Turn";
import { CALL_HOSTS, TURN_SHARED_SECRET, turnHasTls } from "../../domain/calls";
import { ClusterFoundation } from "../cluster/ClusterFoundation";

export const turn: Layer<{ settings: typeof turnSettings; overrides: typeof turnOverrides; images: typeof IMAGES }> = {
  name: "turn",
  settings: turnSettings,
  overrides: turnOverrides,
  checks: [checkRelay],
  roles: [{ ...CALL_HOSTS, when: (settings) => settings.turn.enabled }],
  demands: turnDemands,
  services: turnServices,
  failures: turnFailures,
  notes: turnNotes,
  images: IMAGES,
  secrets: [TURN_SHARED_SECRET],
  edges: turnEdges,
  alerts: turnAlerts,
  pods: ["coturn"],
  deploy({ ctx, secrets, get, after }) {
    if (!ctx.plan.turn) return [];
    const { tls } = get(ClusterFoundation);
    const tlsSecretName = turnHasTls(ctx.settings) ? tls.secretName("turn") : undefined;
    return [new Turn("turn", { ctx, secrets, tlsSecretName }, after(tls.ready))];
  },
};
