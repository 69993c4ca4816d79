/** The homeserver: Synapse with all its workers. */
import type { Layer } from "../../core/layer";
import { isStandby } from "../../domain/dataCentre";
import { synapseAlerts } from "./alerts";
import { generatedTokens } from "./appservices/registration";
import { checkHomeserver } from "./checks";
import { SYNAPSE_DASHBOARDS } from "./dashboards";
import { synapseEdges } from "./edges";
import { EXCEPTIONS } from "./exceptions";
import { IMAGES } from "./images";
import { synapseDemands, synapseFailures, synapseNotes, synapseZoneLoss } from "./plan";
import { SYNAPSE_SECRETS } from "./secrets";
import { completeSynapse, synapseOverrides, synapseSettings, type SynapseCompleted } from "./settings";
import { synapseTargets } from "./targets";

interface Declares {
  settings: typeof synapseSettings;
  overrides: typeof synapseOverrides;
  completed: SynapseCompleted;
  images: typeof IMAGES;
}

export const synapse: Layer<Declares> = {
  name: "synapse",
  settings: synapseSettings,
  overrides: synapseOverrides,
  complete: completeSynapse,
  checks: [checkHomeserver],
  demands: synapseDemands,
  failures: synapseFailures,
  zoneLoss: synapseZoneLoss,
  notes: synapseNotes,
  images: IMAGES,
  secrets: SYNAPSE_SECRETS,
  secretsOf: generatedTokens,
  edges: synapseEdges,
  targets: synapseTargets,
  // In a standby nothing of it runs.
  alerts: (input) => (isStandby(input.settings) ? [] : [synapseAlerts(input)]),
  dashboards: SYNAPSE_DASHBOARDS,
  pods: ["synapse-main", "synapse-*"],
  exceptions: EXCEPTIONS,
  everything: {
    appservices: [
      {
        id: "bridge",
        pods: { namespace: "bridges", labels: { app: "bridge" }, port: 9898, service: "bridge" },
        senderLocalpart: "bridge",
      },
      { id: "elsewhere", url: "https://bridge.example.net:9898", senderLocalpart: "elsewhere" },
    ],
    synapse: { extra: { enable_search: false }, connections: [{ host: "api.example.net", port: 443 }] },
    ldap: { uris: ["ldaps://ldap.example.net"], base: "ou=people,dc=example,dc=net" },
    serverNotices: {},
  },
  component: () => import("./deploy"),
};
