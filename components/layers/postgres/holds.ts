/** What the database holds that a later deployment must not lose. Pure. */
import type { Guard, PlanInput } from "../../core/layer";
import type { SettingsError } from "../../settings/types";

/** The sizes of its volumes. */
interface HeldDatabase {
  storageGiB: number;
  walStorageGiB: number;
}

/**
 * A smaller volume is refused by CloudNativePG, in the middle of a deployment whose other changes have been made
 * ("can't shrink existing storage", internal/webhook/v1/cluster_webhook.go).
 */
export const databaseGuard: Guard = {
  now: ({ plan: { postgres } }: PlanInput): HeldDatabase => ({
    storageGiB: postgres.storageGiB,
    walStorageGiB: postgres.walStorageGiB,
  }),
  lost: (held, { plan: { postgres } }): SettingsError[] =>
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
    }),
};
