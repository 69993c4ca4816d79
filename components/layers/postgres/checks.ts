/** Checks of backups, restores, and PostgreSQL's overrides. */
import { imageVersion } from "../../core/images";
import type { CheckInput } from "../../core/layer";
import type { Settings } from "../../settings/types";
import { isPlaceholder } from "../../schema/syntax/keys";
import { IMAGES } from "./images";
import { isOff, parameterProblem } from "./parameters";

export function checkDatabase(given: CheckInput): void {
  checkBackups(given);
  checkOffsite(given);
  checkRestore(given);
  checkImport(given);
  checkPostgres(given);
}

function checkBackups({ settings, report }: CheckInput): void {
  const { backups, objectStore } = settings;
  // Of a data centre, the list of all of them is checked.
  if (settings.dataCentre || !backups.enabled || backups.target.kind !== "s3" || objectStore.kind !== "s3") return;
  if (
    isPlaceholder(objectStore.endpoint) ||
    backups.target.endpoint !== objectStore.endpoint ||
    backups.target.bucket !== objectStore.bucket
  )
    return;
  report.add(
    {
      path: "backups.target.bucket",
      given: `"${backups.target.bucket}", which also holds the media (objectStore.bucket)`,
      allowed: "a separate bucket: credentials that may delete media must not be able to delete backups",
      remedy: "create a bucket for backups, preferably at another site",
    },
    ["objectStore.bucket"],
  );
}

/** Users above which backups beside the database have to be accepted in words. */
export const OFFSITE_ABOVE = 500;

/** Whether the backups are in MinIO on the stack's own hosts: whatever takes the site takes both. */
export const backupsOnSite = ({ backups, objectStore }: Pick<Settings, "backups" | "objectStore">): boolean =>
  backups.enabled && backups.target.kind === "object-store" && objectStore.kind === "minio";

function checkOffsite({ settings, report }: CheckInput): void {
  if (settings.ccu <= OFFSITE_ABOVE || !backupsOnSite(settings) || settings.backups.acceptNoOffsite) return;
  report.add(
    {
      path: "backups.target",
      given: `backups in the stack's own MinIO, with ${settings.ccu.toLocaleString("en-US")} users`,
      allowed: `above ${OFFSITE_ABOVE} users an S3 elsewhere, or a decision against it: the loss of the site takes the database and its backups, and when media have filled MinIO, PostgreSQL stops with them`,
      remedy:
        "name an S3 at another site: backups.target: {kind: s3, endpoint, bucket, accessKey, secretKey}; or accept the loss: backups.acceptNoOffsite: true",
    },
    ["backups.acceptNoOffsite", "ccu"],
  );
}

function checkRestore({ settings, report }: CheckInput): void {
  const { enabled, restore, archiveName } = settings.backups;
  if (!restore) return;
  if (!enabled) {
    report.add(
      {
        path: "backups.restore",
        given: "a restore, with backups.enabled: false",
        allowed:
          "a restore only with backups.enabled: true, since the archive is read with the target and keys of backups",
        remedy: "set backups.enabled: true, or remove backups.restore",
      },
      ["backups.enabled"],
    );
  } else if (restore.from === archiveName) {
    report.add(
      {
        path: "backups.archiveName",
        given: `"${archiveName}", the archive that backups.restore.from names too`,
        allowed:
          "a folder other than backups.restore.from: PostgreSQL refuses to write its log into the archive that it was restored from",
        remedy: `pulumi config set --path 'matrix-ha:backups.archiveName' ${nextName(archiveName)}`,
      },
      ["backups.restore.from"],
    );
  }
}

/** PostgreSQL's pg_dump reads servers of its own major version and older ones. */
function checkImport({ settings, report }: CheckInput): void {
  const from = settings.database.importFrom;
  if (!from) return;
  if (settings.backups.restore)
    report.add(
      {
        path: "database.importFrom",
        given: "an import, beside backups.restore",
        allowed: "one of the two: a database is created once",
        remedy: "remove database.importFrom, or backups.restore",
      },
      ["backups.restore"],
    );
  const own = Number.parseInt(imageVersion(settings, IMAGES.postgresql), 10);
  if (from.majorVersion > own)
    report.add({
      path: "database.importFrom.majorVersion",
      given: String(from.majorVersion),
      allowed: `at most ${own}, the version of this stack's PostgreSQL: its pg_dump reads no newer server`,
      remedy: "name an image of the newer version in images.overrides.postgresql",
    });
}

const nextName = (name: string): string => {
  const m = /^(.*)-(\d+)$/.exec(name);
  return m ? `${m[1]}-${Number(m[2]) + 1}` : `${name}-2`;
};

/** Parameters that have a field of their own, because the plan calculates with them. */
const OWN_FIELD = new Map([["max_connections", "overrides.postgres.maxConnections"]]);

/** By parameter, whether an acknowledged write can be lost with a value. */
const LOSES = new Map<string, (value: string) => boolean>([
  ["fsync", isOff],
  ["full_page_writes", isOff],
  // An enum: of the words for off only whole ones.
  ["synchronous_commit", (value) => /^(off|local|false|no|0)$/i.test(value)],
]);

function checkPostgres({ settings, report }: CheckInput): void {
  const { parameters } = settings.overrides.postgres;
  for (const [name, value] of Object.entries(parameters)) {
    const path = `overrides.postgres.parameters.${name}`;
    const field = OWN_FIELD.get(name);
    if (field)
      report.add({
        path,
        given: value,
        allowed: `only ${field}, from which the plan calculates the connection budget`,
        remedy: `move it to ${field}`,
      });
    else if (LOSES.get(name)?.(value))
      report.add({
        path,
        given: value,
        allowed: "values with which no acknowledged write can be lost",
        remedy: "remove the parameter",
      });
    else {
      const problem = parameterProblem(name, value);
      if (problem) report.add({ path, given: value, ...problem });
    }
  }
}
