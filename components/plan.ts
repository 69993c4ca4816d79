/** `plan(settings)`: the arithmetic of sizing/, with the demands, failures and notes of the layers. Pure. */
import { HOST_ROLES } from "./domain/roles";
import { LAYERS } from "./layers/registry";
import type { Settings } from "./settings/types";
import { demandsOn, planWith, type Plan } from "./sizing";
import type { Demand } from "./sizing/demands";
import type { PlanParts } from "./sizing/types";

export type { Plan } from "./sizing";

const demandsOf = (settings: Settings, parts: PlanParts): Demand[] =>
  LAYERS.flatMap((layer) => layer.demands?.(settings, parts) ?? []);

/** What needs room on the hosts, whether there is room or not; undefined where the settings have another error. */
export const hostDemands = (settings: Settings): Demand[] | undefined => demandsOn(settings, demandsOf);

/**
 * The sizes of everything, from complete settings.
 *
 * @example
 *   plan(settings).postgres.instances; // 3
 *
 * @throws SettingsInvalid when the hosts do not suffice or overrides contradict each other, with every reason at once
 */
export const plan = (settings: Settings): Plan =>
  planWith(settings, {
    demands: demandsOf,
    roles: (s) =>
      HOST_ROLES.flatMap((role) => {
        const declared = LAYERS.flatMap((layer) => layer.roles ?? []).filter((need) => need.role === role);
        const needs = declared.filter((need) => need.when?.(s) ?? true);
        // No layer asks for control planes: three members of etcd are the fewest that may lose one. Of TURN and SFUs,
        // one of two may be lost.
        if (declared.length === 0) return [{ role, least: role === "control-plane" ? 3 : 2 }];
        return needs.length === 0 ? [] : [{ role, least: Math.max(...needs.map((need) => need.least)) }];
      }),
    failures: (input) => LAYERS.flatMap((layer) => layer.failures?.(input) ?? []),
    zoneLoss: (input, zone) => LAYERS.flatMap((layer) => layer.zoneLoss?.(input, zone) ?? []),
    notes: (input) => LAYERS.flatMap((layer) => layer.notes?.(input) ?? []),
  });
