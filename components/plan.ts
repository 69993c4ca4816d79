/** `plan(settings)`: the arithmetic of sizing/, with the demands, failures and notes of the layers. Pure. */
import { HOST_ROLES } from "./domain/roles";
import { LAYERS } from "./layers/registry";
import type { Settings } from "./settings/types";
import { planWith, type Plan } from "./sizing";

export type { Plan } from "./sizing";

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
    demands: (s, parts) => LAYERS.flatMap((layer) => layer.demands?.(s, parts) ?? []),
    roles: (s) =>
      HOST_ROLES.filter((role) => {
        const needs = LAYERS.flatMap((layer) => layer.roles ?? []).filter((need) => need.role === role);
        return needs.length === 0 || needs.some((need) => need.when?.(s) ?? true);
      }),
    failures: (input) => LAYERS.flatMap((layer) => layer.failures?.(input) ?? []),
    notes: (input) => LAYERS.flatMap((layer) => layer.notes?.(input) ?? []),
  });
