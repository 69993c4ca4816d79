/** Which settings of the database are refused, with the whole error; beside each, what is accepted just as well. */
import assert from "node:assert/strict";
import { backupsOnSite, checkDatabase, OFFSITE_ABOVE } from "../../components/layers/postgres/checks";
import { Report } from "../../components/schema/report";
import type { SettingsInput } from "../../components/settings/schema";
import type { Settings, SettingsError } from "../../components/settings/types";
import { planned } from "./planned";

type Change = (s: Settings) => void;
function errors(change: Change, before: SettingsError[] = []): SettingsError[] {
  const { settings } = planned(change);
  const report = new Report();
  for (const e of before) report.add(e);
  checkDatabase({ input: settings as unknown as SettingsInput, settings, report, now: new Date(0) });
  return report.errors.slice(before.length);
}
const accepted = (change: Change): void => {
  assert.deepEqual(errors(change), []);
};
const wrongAt = (path: string): SettingsError => ({ path, given: "x", allowed: "y", remedy: "z" });

const store = (bucket: string, endpoint = "https://s3.example.net") => ({
  kind: "s3" as const,
  endpoint,
  region: "eu-1",
  bucket,
  accessKey: "a",
  secretKey: "b",
});
const stores =
  (media: Settings["objectStore"], backups: Settings["backups"]["target"]): Change =>
  (s) => {
    s.objectStore = media;
    s.backups.target = backups;
  };
const parameters =
  (given: Record<string, string>): Change =>
  (s) => {
    s.overrides.postgres.parameters = given;
  };

describe("backups and media", () => {
  const same = stores(store("media"), store("media"));

  it("are never in one bucket", () => {
    assert.deepEqual(errors(same), [
      {
        path: "backups.target.bucket",
        given: '"media", which also holds the media (objectStore.bucket)',
        allowed: "a separate bucket: credentials that may delete media must not be able to delete backups",
        remedy: "create a bucket for backups, preferably at another site",
      },
    ]);
  });

  it("may be in two buckets of one store, or in buckets of one name in two stores", () => {
    accepted(stores(store("media"), store("backups")));
    accepted(stores(store("media"), store("media", "https://s3.example.com")));
  });

  it("are not compared where one of them is no S3, or where no backups are made", () => {
    accepted(stores(store("media"), { kind: "object-store" }));
    accepted(stores({ kind: "minio", survives: "zone" }, store("media")));
    accepted((s) => {
      same(s);
      s.backups.enabled = false;
    });
  });

  it("are not compared where the endpoint cannot be read yet: only the engine can decrypt it", () => {
    const encrypted = "[encrypted by pulumi]";
    accepted(stores(store("media", encrypted), store("media", encrypted)));
  });

  it("have no second error where the media's bucket is wrong by itself", () => {
    assert.deepEqual(errors(same, [wrongAt("objectStore.bucket")]), []);
  });
});

describe("backups on the machines of the database", () => {
  const users =
    (ccu: number, more: Change = () => undefined): Change =>
    (s) => {
      s.ccu = ccu;
      s.backups.acceptNoOffsite = false;
      more(s);
    };

  it("have to be accepted in words above 500 users", () => {
    assert.equal(OFFSITE_ABOVE, 500);
    accepted(users(500));
    assert.deepEqual(errors(users(501)), [
      {
        path: "backups.target",
        given: "backups in the stack's own MinIO, with 501 users",
        allowed:
          "above 500 users an S3 elsewhere, or a decision against it: the loss of the site takes the database and its backups, and when media have filled MinIO, PostgreSQL stops with them",
        remedy:
          "name an S3 at another site: backups.target: {kind: s3, endpoint, bucket, accessKey, secretKey}; or accept the loss: backups.acceptNoOffsite: true",
      },
    ]);
    assert.equal(errors(users(12_345))[0]?.given, "backups in the stack's own MinIO, with 12,345 users");
  });

  it("are accepted with the word for it, elsewhere, or where there are none", () => {
    for (const more of [
      (s) => {
        s.backups.acceptNoOffsite = true;
      },
      stores({ kind: "minio", survives: "zone" }, store("backups")),
      stores(store("media"), { kind: "object-store" }),
      (s) => {
        s.backups.enabled = false;
      },
    ] as Change[])
      accepted(users(501, more));
  });

  it("are on site only in the stack's own MinIO", () => {
    const onSite = (change: Change): boolean => backupsOnSite(planned(change).settings);
    assert.equal(onSite(stores({ kind: "minio", survives: "zone" }, { kind: "object-store" })), true);
    assert.equal(onSite(stores(store("media"), { kind: "object-store" })), false);
    assert.equal(onSite(stores({ kind: "minio", survives: "zone" }, store("backups"))), false);
    assert.equal(
      onSite((s) => {
        s.backups.enabled = false;
      }),
      false,
    );
  });

  it("have no second error where what it follows from is wrong by itself", () => {
    for (const path of ["ccu", "backups.acceptNoOffsite", "backups.target"])
      assert.deepEqual(errors(users(501), [wrongAt(path)]), [], path);
  });
});

describe("a restore", () => {
  const restore =
    (from: string, archiveName: string, enabled = true): Change =>
    (s) => {
      Object.assign(s.backups, { enabled, archiveName, restore: { from } });
    };

  it("needs backups, with whose keys the archive is read", () => {
    const disabled = restore("db-1", "db-2", false);
    assert.deepEqual(errors(disabled), [
      {
        path: "backups.restore",
        given: "a restore, with backups.enabled: false",
        allowed:
          "a restore only with backups.enabled: true, since the archive is read with the target and keys of backups",
        remedy: "set backups.enabled: true, or remove backups.restore",
      },
    ]);
    assert.deepEqual(errors(disabled, [wrongAt("backups.enabled")]), []);
    accepted(restore("db-1", "db-2"));
    accepted((s) => {
      s.backups.enabled = false;
    });
  });

  it("never writes to the archive that it reads, and the error names the next one", () => {
    for (const [name, next] of [
      ["synapse-postgres", "synapse-postgres-2"],
      ["synapse-postgres-2", "synapse-postgres-3"],
      ["db-9", "db-10"],
      ["db-1-19", "db-1-20"],
      ["db2", "db2-2"],
      ["2-db", "2-db-2"],
      ["a-1b", "a-1b-2"],
    ] as const)
      assert.deepEqual(errors(restore(name, name)), [
        {
          path: "backups.archiveName",
          given: `"${name}", the archive that backups.restore.from names too`,
          allowed:
            "a folder other than backups.restore.from: PostgreSQL refuses to write its log into the archive that it was restored from",
          remedy: `pulumi config set --path 'matrix-ha:backups.archiveName' ${next}`,
        },
      ]);
    assert.deepEqual(errors(restore("db", "db"), [wrongAt("backups.restore.from")]), []);
  });
});

describe("parameters of postgresql.conf in the settings", () => {
  const at = (name: string): string => `overrides.postgres.parameters.${name}`;

  it("do not bypass the field with which the plan counts connections", () => {
    assert.deepEqual(errors(parameters({ max_connections: "900" })), [
      {
        path: at("max_connections"),
        given: "900",
        allowed: "only overrides.postgres.maxConnections, from which the plan calculates the connection budget",
        remedy: "move it to overrides.postgres.maxConnections",
      },
    ]);
  });

  // PostgreSQL reads every unambiguous beginning of a word for a switch, so `f` is off as well.
  for (const [name, lossy, safe] of [
    ["fsync", ["off", "OFF", "of", "f", "fal", "false", "n", "no", "0"], ["on", "t", "true", "yes", "1"]],
    ["full_page_writes", ["off", "Off", "of", "F", "n", "0"], ["on", "tr", "y", "1"]],
    [
      "synchronous_commit",
      ["off", "OFF", "local", "Local", "false", "no", "0"],
      ["on", "remote_write", "remote_apply", "true", "1"],
    ],
  ] as const)
    it(`never lose an acknowledged write by ${name}`, () => {
      for (const value of lossy)
        assert.deepEqual(errors(parameters({ [name]: value })), [
          {
            path: at(name),
            given: value,
            allowed: "values with which no acknowledged write can be lost",
            remedy: "remove the parameter",
          },
        ]);
      for (const value of safe) accepted(parameters({ [name]: value }));
    });

  it("are all examined, and each error names its own", () => {
    assert.deepEqual(errors(parameters({ work_mem: "64MB", jit: "perhaps", fsync: "off", wal_level: "minimal" })), [
      { path: at("jit"), given: "perhaps", allowed: "on or off", remedy: "write on or off" },
      {
        path: at("fsync"),
        given: "off",
        allowed: "values with which no acknowledged write can be lost",
        remedy: "remove the parameter",
      },
      {
        path: at("wal_level"),
        given: "minimal",
        allowed: "logical or replica: standbys and the archive need it",
        remedy: "remove the parameter",
      },
    ]);
  });

  it("are unknown under names that every object of JavaScript has", () => {
    for (const name of ["constructor", "toString"])
      assert.match(errors(parameters({ [name]: "x" }))[0]!.allowed, /^parameters of PostgreSQL 18, and of its ext/);
  });
});
