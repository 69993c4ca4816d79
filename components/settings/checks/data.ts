/** Storage, object store and backups. */
import type { CheckInput } from ".";
import { isPlaceholder } from "../syntax/keys";

export function checkData(given: CheckInput): void {
  checkStorageClasses(given);
  checkBackups(given);
  checkRestore(given);
}

function checkStorageClasses({ input, settings, report }: CheckInput): void {
  const keys = ["database", "objectStore", "general"] as const;
  keys.forEach((key, i) => {
    const mine = settings.storage[key];
    if (!mine.create && input.storage[key].name === undefined) {
      report.add({
        path: `storage.${key}.name`,
        given: "nothing, with create: false",
        allowed: "the name of a StorageClass that exists",
        remedy: "run `kubectl get storageclass` and name one",
      });
    }
    for (const other of keys.slice(0, i)) {
      const theirs = settings.storage[other];
      if (mine.name === theirs.name && (mine.create || theirs.create)) {
        report.add(
          {
            path: `storage.${key}.name`,
            given: `"${mine.name}", as storage.${other} is`,
            allowed: "a name of its own for each class that is made",
            remedy: `leave the name out, or set create: false on both if the class exists`,
          },
          [`storage.${other}.name`],
        );
      }
    }
  });
}

function checkBackups({ settings, report }: CheckInput): void {
  const { backups, objectStore } = settings;
  if (!backups.enabled || backups.target.kind !== "s3" || objectStore.kind !== "s3") return;
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
      allowed: "a bucket of its own: what may delete media must not be able to delete backups",
      remedy: "make a bucket for backups, best at another site",
    },
    ["objectStore.bucket"],
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
        allowed: "a restore where backups are on: the archive is read with their target and keys",
        remedy: "set backups.enabled true, or remove backups.restore",
      },
      ["backups.enabled"],
    );
  } else if (restore.from === archiveName) {
    report.add(
      {
        path: "backups.archiveName",
        given: `"${archiveName}", which is also restored from`,
        allowed:
          "another folder than backups.restore.from: PostgreSQL refuses to write its log among that of the database it came from",
        remedy: `pulumi config set --path 'matrix-ha:backups.archiveName' ${nextName(archiveName)}`,
      },
      ["backups.restore.from"],
    );
  }
}

const nextName = (name: string): string => {
  const m = /^(.*)-(\d+)$/.exec(name);
  return m ? `${m[1]}-${Number(m[2]) + 1}` : `${name}-2`;
};
