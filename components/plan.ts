/** `plan(settings)`: the arithmetic of sizing/, with what the layers ask for, lose and have to say. Pure. */
import { HOST_ROLES } from "./domain/roles";
import { LAYERS } from "./layers/registry";
import type { Settings } from "./settings/types";
import { planWith, type Plan } from "./sizing";

export type { Plan } from "./sizing";

/**
 * Users in, every number out. Throws SettingsInvalid with everything that is wrong.
 *
 * @example plan(settings).postgres.instances // 3
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
