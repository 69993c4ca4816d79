/** What may be written about the database and its backups: defaults, bounds, and what an error says. */
import assert from "node:assert/strict";
import type { z } from "zod";
import { exampleConfig } from "../../cli/exampleStack";
import { postgresOverrides, postgresSettings } from "../../components/layers/postgres/settings";
import { docOf, exampleOf, optionsOf, shapeOf, typeOf } from "../../components/schema/walk";
import { resolveSettings } from "../../components/settings";
import type { SettingsError } from "../../components/settings/types";

const { backups } = postgresSettings;
const { postgres } = postgresOverrides;

/** The errors of a stack with these sections. */
const errors = (more: { backups?: object; postgres?: object }): SettingsError[] =>
  resolveSettings(
    {
      ...exampleConfig(500),
      backups: more.backups ?? {},
      overrides: { postgres: more.postgres ?? {} },
    },
    "t",
  ).errors;

/** A section, a field, what is refused, what is accepted just beside it, and the words of the error. */
const FIELDS: Array<
  [section: "backups" | "postgres", field: string, wrong: unknown[], right: unknown[], words: [string, string?]]
> = [
  ["backups", "enabled", ["yes", 1], [true, false], ["true or false"]],
  ["backups", "acceptNoOffsite", ["yes", 1], [true, false], ["true or false"]],
  ["backups", "retentionDays", [0, 3651, 1.5], [1, 3650], ["a whole number from 1 to 3,650"]],
  [
    "backups",
    "schedule",
    ["0 2 * * *", "0 0 24 * * *", "daily", ""],
    ["0 0 23 * * *", "@daily"],
    [
      "six fields: second minute hour day-of-month month day-of-week",
      'put the second before the usual five fields: "0 0 2 * * *" is 02:00 every day',
    ],
  ],
  [
    "backups",
    "archiveName",
    ["a/b", "Archive", "-a", ""],
    ["synapse-postgres-2", "a"],
    [
      "lower-case letters, digits and '-', at most 63, beginning and ending with a letter or digit",
      "number the archives: synapse-postgres-2, synapse-postgres-3",
    ],
  ],
  [
    "backups",
    "target",
    [{ kind: "s4" }, "s3"],
    [{ kind: "object-store" }],
    ["kind object-store, or s3 with endpoint, bucket, accessKey and secretKey"],
  ],
  ["postgres", "instances", [2, 10, 3.5], [3, 9], ["a whole number from 3 to 9"]],
  ["postgres", "cpu", [0], [0.01], ["cores, more than 0"]],
  ["postgres", "memoryMiB", [511], [512], ["a whole number from 512 to 16,777,216"]],
  ["postgres", "storageGiB", [0], [1], ["a whole number from 1 to 1,000,000"]],
  ["postgres", "walStorageGiB", [0], [1], ["a whole number from 1 to 1,000,000"]],
  ["postgres", "maxConnections", [49, 10_001], [50, 10_000], ["a whole number from 50 to 10,000"]],
  ["postgres", "poolerInstances", [1, 21], [2, 20], ["a whole number from 2 to 20"]],
  ["postgres", "parameters", ["work_mem", { work_mem: 64 }], [{}, { work_mem: "64MB" }], ["names with text values"]],
];

describe("settings of the database", () => {
  it("make backups each night for a month, beside the media, where nothing is said", () => {
    assert.deepEqual(backups.parse(undefined), {
      enabled: true,
      target: { kind: "object-store" },
      acceptNoOffsite: false,
      schedule: "0 0 2 * * *",
      retentionDays: 30,
      archiveName: "synapse-postgres",
    });
    assert.deepEqual(postgres.parse(undefined), { parameters: {} });
  });

  for (const [section, name, wrong, right, [allowed]] of FIELDS)
    it(`${section}.${name} has bounds: ${allowed}`, () => {
      const schema = (section === "backups" ? backups : postgres).unwrap().shape as Record<string, z.ZodType>;
      for (const value of wrong) assert.equal(schema[name]!.safeParse(value).success, false, JSON.stringify(value));
      for (const value of right) assert.equal(schema[name]!.safeParse(value).success, true, JSON.stringify(value));
    });

  for (const [section, name, [value], , [allowed, remedy]] of FIELDS.filter(
    ([, field]) => !["target", "parameters"].includes(field),
  ))
    it(`an error of ${section}.${name} says what is allowed, and what to do`, () => {
      const [error, ...others] = errors({ [section]: { [name]: value } });
      assert.deepEqual(others, []);
      assert.equal(error!.path, section === "backups" ? `backups.${name}` : `overrides.postgres.${name}`);
      assert.equal(error!.allowed, allowed);
      assert.match(error!.given, new RegExp(JSON.stringify(value).replace(/[*"]/g, ".")));
      if (remedy) assert.equal(error!.remedy, remedy);
    });

  it("name the kinds of targets, with all that an S3 needs", () => {
    const s3 = { kind: "s3", endpoint: "https://s3.example.net", bucket: "backups", accessKey: "a", secretKey: "b" };
    assert.deepEqual(backups.parse({ target: s3 }).target, { ...s3, region: "us-east-1" });
    assert.equal(backups.safeParse({ target: { ...s3, endpoint: "http://s3.example.net" } }).success, false);
    for (const needed of ["endpoint", "bucket", "accessKey", "secretKey"])
      assert.equal(backups.safeParse({ target: { ...s3, [needed]: undefined } }).success, false, needed);
    assert.equal(backups.safeParse({ target: { kind: "object-store", bucket: "x" } }).success, false);
    const { allowed } = docOf(backups.unwrap().shape.target);
    assert.equal(allowed, "kind object-store, or s3 with endpoint, bucket, accessKey and secretKey");
  });

  it("restore from an archive, to a moment with its zone or to the latest", () => {
    const restore = (section: object): unknown => backups.parse({ restore: section }).restore;
    assert.deepEqual(restore({ from: "db-1" }), { from: "db-1" });
    const exact = { from: "db-1", targetTime: "2026-11-20T14:30:00Z" };
    assert.deepEqual(restore(exact), exact);
    for (const section of [
      {},
      { from: "a/b" },
      { from: "db-1", targetTime: "2026-11-20T14:30:00" },
      { from: "a", x: 1 },
    ])
      assert.equal(backups.safeParse({ restore: section }).success, false, JSON.stringify(section));
    const [error] = errors({
      backups: { archiveName: "db-2", restore: { from: "db-1", targetTime: "yesterday" } },
    });
    assert.deepEqual(error, {
      path: "backups.restore.targetTime",
      given: '"yesterday"',
      allowed: "a moment with its zone, such as 2026-11-20T14:30:00Z",
      remedy: "`date --utc +%Y-%m-%dT%H:%M:%SZ` prints the current time in this form",
    });
  });

  it("are each documented in whole sentences, with an example that is valid", () => {
    const examine = (schema: z.ZodType, path: string): void => {
      const documented = path.endsWith("kind") || /^[A-Z`m].*\.$/s.test(docOf(schema).doc ?? "");
      assert.ok(documented, `${path}: ${docOf(schema).doc}`);
      assert.ok(schema.safeParse(exampleOf(schema)).success, path);
      if (typeOf(schema) === "object")
        for (const [name, child] of Object.entries(shapeOf(schema))) examine(child, `${path}.${name}`);
      if (typeOf(schema) === "union") for (const option of optionsOf(schema).options) examine(option, path);
    };
    examine(backups, "backups");
    examine(postgres, "overrides.postgres");
  });

  it("have the examples that docs and errors show", () => {
    const { shape } = backups.unwrap();
    assert.equal(exampleOf(shape.schedule), "0 0 2 * * *");
    assert.equal(exampleOf(shape.archiveName), "synapse-postgres");
    assert.deepEqual(exampleOf(shape.target), { kind: "object-store" });
    const restore = shapeOf(shape.restore);
    assert.equal(exampleOf(restore.from!), "synapse-postgres");
    assert.equal(exampleOf(restore.targetTime!), "2026-11-20T14:30:00Z");
  });
});
