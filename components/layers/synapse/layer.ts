/** The homeserver: Synapse with all its workers. */
import type { Layer } from "../../core/layer";
import { synapseAlerts } from "./alerts";
import { checkHomeserver } from "./checks";
import { SYNAPSE_DASHBOARDS } from "./dashboards";
import { synapseEdges } from "./edges";
import { IMAGES } from "./images";
import { synapseDemands, synapseFailures, synapseNotes } from "./plan";
import { SYNAPSE_SECRETS } from "./secrets";
import { completeSynapse, synapseOverrides, synapseSettings, type SynapseCompleted } from "./settings";
import { SynapseServer } from "./SynapseServer";
import { synapseTargets } from "./targets";
import { turnUris } from "../../domain/turnUris";
import { ObjectStore } from "../objectstore/ObjectStore";
import { PostgresCluster } from "../postgres/PostgresCluster";
import { RedisSentinel } from "../redis/RedisSentinel";

export const synapse: Layer<{
  settings: typeof synapseSettings;
  overrides: typeof synapseOverrides;
  completed: SynapseCompleted;
  images: typeof IMAGES;
}> = {
  name: "synapse",
  settings: synapseSettings,
  overrides: synapseOverrides,
  complete: completeSynapse,
  checks: [checkHomeserver],
  demands: synapseDemands,
  failures: synapseFailures,
  notes: synapseNotes,
  images: IMAGES,
  secrets: SYNAPSE_SECRETS,
  edges: synapseEdges,
  targets: synapseTargets,
  alerts: (input) => [synapseAlerts(input)],
  dashboards: SYNAPSE_DASHBOARDS,
  pods: ["synapse-main", "synapse-*"],
  deploy({ ctx, secrets, get, after }) {
    const objects = get(ObjectStore);
    const postgres = get(PostgresCluster);
    const args = { ctx, secrets, s3: objects.media, databaseSecretName: postgres.databaseSecretName };
    return [
      new SynapseServer(
        "synapse",
        { ...args, turnUris: turnUris(ctx.settings) },
        after(postgres.ready, get(RedisSentinel).ready, objects.ready),
      ),
    ];
  },
};
