/** What a deployed stack holds that the next deployment must not lose: the guards of the layers, folded. Pure. */
import type { Guard, PlanInput } from "./core/layer";
import { NAMESPACES } from "./core/names";
import { OWN_MINIO } from "./domain/mediaStore";
import { LAYERS } from "./layers/registry";
import { isPlainObject } from "./schema/walk";
import type { SettingsError } from "./settings/types";

/** Synapse refuses to start on a database of another name, and every account ends in it. */
const nameGuard: Guard = {
  now: ({ settings }) => ({ serverName: settings.serverName }),
  lost: (held, { settings: { serverName } }) => {
    const before = (held as { serverName?: string }).serverName;
    if (before === undefined || before === serverName) return [];
    return [
      {
        path: "serverName",
        given: `"${serverName}", where the accounts of the deployed stack end in :${before}`,
        allowed: `"${before}": the name of a server never changes`,
        remedy: `set serverName: ${before}; the domain of the public host names may change`,
      },
    ];
  },
};

const GUARDS: Readonly<Record<string, Guard>> = {
  stack: nameGuard,
  ...Object.fromEntries(LAYERS.flatMap((layer) => (layer.holds ? [[layer.name, layer.holds]] : []))),
};

/** What a stack with these settings holds, by layer; without secrets. */
export const heldBy = (input: PlanInput): Record<string, object> =>
  Object.fromEntries(Object.entries(GUARDS).map(([name, guard]) => [name, guard.now(input)]));

/** Of a stack that was deployed before there was an output `holds`: what its other outputs say. */
function inferred(outputs: Record<string, unknown>): Record<string, unknown> {
  const { serverName, services } = outputs;
  const endpoint = isPlainObject(services) ? services.s3Endpoint : undefined;
  const minio = typeof endpoint === "string" && endpoint.includes(`.${NAMESPACES.minio}.svc`);
  return {
    ...(typeof serverName === "string" ? { stack: { serverName } } : {}),
    ...(minio ? { objectstore: { store: OWN_MINIO } } : {}),
  };
}

/**
 * The errors where settings would lose what a deployed stack holds.
 *
 * @param outputs Of the deployed stack; empty when there is none.
 */
export function losses(outputs: Record<string, unknown>, input: PlanInput): SettingsError[] {
  const held = isPlainObject(outputs.holds) ? outputs.holds : inferred(outputs);
  return Object.entries(GUARDS).flatMap(([name, guard]) =>
    isPlainObject(held[name]) ? guard.lost(held[name], input) : [],
  );
}
