/** What the database holds that a later deployment must not lose. Pure. */
import type { Guard, PlanInput } from "../../core/layer";
import type { SettingsError } from "../../settings/types";
import { heldCentre, lostAmongCentres, type HeldCentre } from "./heldCentre";

/** The sizes of its volumes, and its part among several data centres. */
interface HeldDatabase {
  storageGiB: number;
  walStorageGiB: number;
  /** Absent where the stack was the only one. */
  centre?: HeldCentre;
}

/**
 * A smaller volume is refused by CloudNativePG, in the middle of a deployment whose other changes have been made
 * ("can't shrink existing storage", internal/webhook/v1/cluster_webhook.go).
 */
const smaller = (held: unknown, { plan: { postgres } }: PlanInput): SettingsError[] =>
  (["storageGiB", "walStorageGiB"] as const).flatMap((field) => {
    const before = (held as Partial<HeldDatabase>)[field];
    if (before === undefined || postgres[field] >= before) return [];
    return [
      {
        path: `overrides.postgres.${field}`,
        given: `${postgres[field]} GiB, where the deployed volumes have ${before} GiB`,
        allowed: `at least ${before}: volumes of a database never shrink`,
        remedy: `set overrides.postgres.${field}: ${before}`,
      },
    ];
  });

export const databaseGuard: Guard = {
  now: ({ settings, plan: { postgres } }: PlanInput): HeldDatabase => ({
    storageGiB: postgres.storageGiB,
    walStorageGiB: postgres.walStorageGiB,
    ...(settings.dataCentre ? { centre: heldCentre(settings.dataCentre) } : {}),
  }),
  lost: (held, input): SettingsError[] => [
    ...smaller(held, input),
    ...lostAmongCentres((held as Partial<HeldDatabase>).centre, input.settings),
  ],
};
