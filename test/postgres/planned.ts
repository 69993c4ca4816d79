/**
 * Settings and a plan for tests of what is rendered from them. The plan's numbers of the database are fixed here: these
 * tests do not change with the sizes. Nothing loads Pulumi, so they take milliseconds.
 */
import { exampleConfig } from "../../cli/exampleStack";
import type { PlanInput } from "../../components/core/layer";
import type { Settings } from "../../components/settings/types";
import type { BackupTarget } from "../../components/layers/postgres/backups";
import type { Plan } from "../../components/sizing/types";
import { settingsOf } from "../helpers/settings";

let resolved: Settings | undefined;

/** The example of 1,000 users, on three database hosts in three zones. */
const settings = (): Settings => structuredClone((resolved ??= settingsOf(exampleConfig(1000))));

const database = (): Plan["postgres"] => ({
  instances: 3,
  syncStandbys: 1,
  cpu: 6,
  memoryMiB: 24_576,
  storageGiB: 1_651,
  walStorageGiB: 1_139,
  maxConnections: 300,
  connectionsAtMax: 204,
  parameters: { max_connections: "300", shared_buffers: "8192MB" },
  pooler: { replicas: 3, cpu: 0.25, memoryMiB: 256, maxClientConnections: 1_314, defaultPoolSize: 204 },
});

const backups = (): NonNullable<Plan["backups"]> => ({
  onSite: true,
  bases: 38,
  walGiBPerDay: 2.4,
  databaseGiB: 368,
  storeGiB: 5390,
  storeGiBByMonth: [266, 739],
  restoreSeconds: 3966,
  walParallel: 2,
  baseJobs: 4,
});

/** Of the whole plan only the parts that the database's renderers read. */
export function planned(change: (settings: Settings, plan: Plan) => void = () => undefined): PlanInput {
  const input = { settings: settings(), plan: { postgres: database(), backups: backups() } as Plan };
  change(input.settings, input.plan);
  return input;
}

/** An S3 elsewhere. */
export const TARGET: BackupTarget = {
  endpoint: "https://s3.example.net",
  region: "eu-1",
  bucket: "backup",
  secretName: "synapse-backup-s3",
  accessKeyKey: "accessKey",
  secretKeyKey: "secretKey",
};

/** The operator's own method in place of the plugin. */
export const withoutPlugin = (s: Settings): void => {
  s.cluster.install.barmanPlugin = false;
};
