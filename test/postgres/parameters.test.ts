/** Parameters of postgresql.conf are refused when PostgreSQL or its operator would refuse or ignore them. */
import assert from "node:assert/strict";
import { resolveSettings } from "../../components/settings";
import { parameterProblem } from "../../components/layers/postgres/parameters";
import { IMAGES } from "../../components/layers/postgres/images";
import data from "../../components/layers/postgres/parameters.json";
import versions from "../../vendor/versions.json";
import { plan } from "../../components/plan";
import { SIZES, tier } from "../../lab/common/tiers";
import { minimal } from "../helpers/example";

/** The mistake, the parameter, its value, and what the error says. */
const WRONG: Array<[what: string, name: string, value: string, says: RegExp]> = [
  ["a parameter that PostgreSQL does not have", "shared_bufers", "1GB", /did you mean `shared_buffers`\?/],
  ["a parameter of an unknown extension", "pg_stat_statement.max", "100", /did you mean `pg_stat_statements.max`\?/],
  ["a parameter that only shows a value", "block_size", "8192", /only shows a value/],
  ["a unit that PostgreSQL does not have", "work_mem", "64 MiB", /a unit \(B, kB, MB, GB, TB\).*\n.*write 64MB/],
  ["a unit in another case", "work_mem", "64mb", /write 64MB/],
  ["a time for a memory", "work_mem", "10s", /64kB to/],
  ["a memory for a time", "checkpoint_timeout", "64MB", /a unit \(us, ms, s, min, h, d\), 30s to 1d/],
  ["minutes as people write them", "checkpoint_timeout", "5 minutes", /write 5min/],
  ["a time beyond its range", "checkpoint_timeout", "2d", /write 1d, or a value in between/],
  ["a unit where there is none", "max_worker_processes", "8MB", /without a unit/],
  ["a fraction beyond its range", "checkpoint_completion_target", "90", /a number without a unit, 0 to 1/],
  ["no switch", "log_lock_waits", "enabled", /on or off/],
  ["a word that is none of an enum's", "wal_compression", "lz5", /did you mean `lz4`\?/],
  ["a WAL without what standbys need", "wal_level", "minimal", /logical or replica/],
  ["a parameter that the operator fixes", "shared_preload_libraries", "pgaudit", /CloudNativePG v1\.30\.0/],
  ["a parameter that the operator refuses", "temp_tablespaces", "fast", /CloudNativePG/],
];

/** Right, in forms that PostgreSQL reads. */
const RIGHT: Array<[name: string, value: string]> = [
  ["work_mem", "64MB"],
  ["work_mem", " 64 MB "],
  ["work_mem", "65536"],
  ["work_mem", "0x10000"],
  ["shared_buffers", "1.5GB"],
  ["checkpoint_timeout", "0.5h"],
  ["autovacuum_vacuum_cost_delay", "2.5ms"],
  ["autovacuum_work_mem", "-1"],
  ["random_page_cost", "1.1"],
  ["log_lock_waits", "tru"],
  ["wal_compression", "ZSTD"],
  ["jit", "0"],
  ["search_path", "anything"],
  ["auto_explain.log_min_duration", "3s"],
  ["pgaudit.log", "ddl, role"],
  ["ssl_min_protocol_version", "TLSv1.3"],
  ["recovery_prefetch", "off"],
];

describe("PostgreSQL's parameters", () => {
  const resolved = (name: string, value: string): ReturnType<typeof resolveSettings> =>
    resolveSettings({ ...minimal(), overrides: { postgres: { parameters: { [name]: value } } } }, "t");

  for (const [what, name, value, says] of WRONG)
    it(`refused: ${what}`, () => {
      const { settings, errors } = resolved(name, value);
      assert.equal(settings, undefined);
      assert.deepEqual(
        errors.map((e) => e.path),
        [`overrides.postgres.parameters.${name}`],
      );
      assert.match(`${errors[0].allowed}\n${errors[0].remedy}`, says);
    });

  for (const [name, value] of RIGHT)
    it(`accepted: ${name} = "${value}"`, () => assert.deepEqual(resolved(name, value).errors, []));

  it("those of the plan are right at every size", () => {
    for (const ccu of SIZES)
      for (const [name, value] of Object.entries(
        plan(resolveSettings(tier(ccu).config, "t").settings!).postgres.parameters,
      ))
        assert.equal(parameterProblem(name, value), undefined, `${name} = "${value}"`);
  });

  it("the list is of the versions that are installed", () => {
    assert.equal(
      data.server,
      /^[\d.]+/.exec(IMAGES.postgresql.tag!)![0],
      "run: npx tsx scripts/postgres-parameters.ts",
    );
    assert.equal(data.operator, versions["cloudnative-pg"].version, "run: npx tsx scripts/postgres-parameters.ts");
  });
});
