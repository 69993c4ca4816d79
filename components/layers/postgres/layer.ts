/** The database: PostgreSQL by CloudNativePG, its poolers and backups. */
import type { Layer } from "../../core/layer";
import { postgresAlerts } from "./alerts";
import { centreAlerts } from "./centreAlerts";
import { checkDatabase } from "./checks";
import { POSTGRES_DASHBOARDS } from "./dashboards";
import { postgresEdges } from "./edges";
import { EXCEPTIONS } from "./exceptions";
import { databaseGuard } from "./holds";
import { IMAGES } from "./images";
import { postgresDemands, postgresFailures, postgresNotes, postgresServices, postgresZoneLoss } from "./plan";
import { DATABASE_PASSWORD, STREAM_PASSWORD } from "./secrets";
import { completePostgres, postgresOverrides, postgresSettings, type PostgresCompleted } from "./settings";
import { postgresTargets } from "./targets";

interface Declares {
  settings: typeof postgresSettings;
  overrides: typeof postgresOverrides;
  completed: PostgresCompleted;
  images: typeof IMAGES;
}

export const postgres: Layer<Declares> = {
  name: "postgres",
  settings: postgresSettings,
  overrides: postgresOverrides,
  complete: completePostgres,
  checks: [checkDatabase],
  roles: [
    {
      role: "database",
      least: 3,
      why: "two PostgreSQL instances acknowledge each write; with three, the loss of one neither loses nor refuses a write",
      more: ({ overrides }) => {
        const count = overrides.postgres.instances ?? 0;
        return { count, why: `overrides.postgres.instances is ${count}, and each instance needs its own host` };
      },
    },
  ],
  demands: postgresDemands,
  services: postgresServices,
  failures: postgresFailures,
  holds: databaseGuard,
  notes: postgresNotes,
  zoneLoss: postgresZoneLoss,
  images: IMAGES,
  secrets: [DATABASE_PASSWORD, STREAM_PASSWORD],
  edges: postgresEdges,
  targets: postgresTargets,
  alerts: (input) => [postgresAlerts(input), ...centreAlerts(input.settings.dataCentre)],
  dashboards: POSTGRES_DASHBOARDS,
  pods: ["synapse-postgres", "pooler"],
  exceptions: EXCEPTIONS,
  component: () => import("./deploy"),
};
