/** Parameters of postgresql.conf are refused when PostgreSQL or its operator would refuse or ignore them. */
import assert from "node:assert/strict";
import { isOff, parameterProblem } from "../../components/layers/postgres/parameters";
import { IMAGES } from "../../components/layers/postgres/images";
import data from "../../components/layers/postgres/parameters.json";
import versions from "../../vendor/versions.json";

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
  ["work_mem", "64"],
  ["work_mem", "64kB"],
  ["work_mem", "+64"],
  ["work_mem", "64.kB"],
  ["work_mem", "6.4e1kB"],
  ["work_mem", "0100"], // octal: 64
  ["work_mem", "2147483647kB"],
  ["shared_buffers", "16"],
  ["max_slot_wal_keep_size", "-1"],
  ["checkpoint_timeout", "30s"],
  ["checkpoint_timeout", "29.6s"], // rounded
  ["checkpoint_completion_target", ".5"],
  ["checkpoint_completion_target", "1e-1"],
  ["checkpoint_completion_target", "1"],
  ["checkpoint_completion_target", "0"],
  ["autovacuum_vacuum_cost_delay", "-1"],
  ["autovacuum_vacuum_cost_delay", "100ms"],
  ["transaction_buffers", "0"],
  ["transaction_buffers", "16"],
  ["subtransaction_buffers", "256kB"],
  ["commit_timestamp_buffers", "128kB"],
  ["vacuum_buffer_usage_limit", "0"],
  ["vacuum_buffer_usage_limit", "128"],
  ["wal_level", "logical"],
  ["wal_log_hints", "on"],
  ["pgaudit.log_catalog", "off"],
  ["pgaudit.log_client", "on"],
  ["pgaudit.log_level", "debug5"],
  ["pgaudit.log_level", "Log"],
  ["pgaudit.log_parameter", "on"],
  ["pgaudit.log_parameter_max_size", "0"],
  ["pgaudit.log_parameter_max_size", "1073741823"],
  ["pgaudit.log_relation", "on"],
  ["pgaudit.log_rows", "on"],
  ["pgaudit.log_statement", "on"],
  ["pgaudit.log_statement_once", "on"],
  ["pgaudit.role", "auditor"],
];

const REMOVE = "remove the parameter";
const OF_VERSION = "parameters of PostgreSQL 18, and of its extensions pg_stat_statements, auto_explain and pgaudit";
const MEMORY = (range: string): string => `a whole number and a unit (B, kB, MB, GB, TB), ${range}`;
const TIME = (range: string, what = "a whole number"): string => `${what} and a unit (us, ms, s, min, h, d), ${range}`;
// From pgaudit's README: the levels of its messages, the most detailed first.
const PGAUDIT_LEVELS = "debug5, debug4, debug3, debug2, debug1, info, notice, warning, log";

/** A parameter of each kind, a value that is refused, and the whole error. */
const ERRORS: Array<[name: string, value: string, allowed: string, remedy: string]> = [
  ["listen_addresses", "*", "parameters that CloudNativePG v1.30.0 does not set itself; it refuses this one", REMOVE],
  ["block_size", "8192", "parameters that can be set; this one only shows a value", REMOVE],
  ["shared_bufers", "1GB", OF_VERSION, "did you mean `shared_buffers`?"],
  ["zzzzzzzzzz", "1", OF_VERSION, "see https://www.postgresql.org/docs/18/runtime-config.html"],
  ["constructor", "1", OF_VERSION, "see https://www.postgresql.org/docs/18/runtime-config.html"],
  ["wal_level", "Minimal", "logical or replica: standbys and the archive need it", REMOVE],
  ["wal_log_hints", "f", "on: a former primary is rewound with it", REMOVE],
  ["jit", "enabled", "on or off", "write on or off"],
  ["jit", "", "on or off", "write on or off"],
  ["jit", "o", "on or off", "write on or off"], // on or off
  ["jit", "onn", "on or off", "write on or off"],
  ["jit", "2", "on or off", "write on or off"],
  ["recovery_prefetch", "tries", "off, on, try", "write one of them, such as off"],
  ["recovery_prefetch", "somehow", "off, on, try", "write one of them, such as off"],
  ["recovery_prefetch", "yess", "off, on, try", "write one of them, such as off"],
  ["recovery_prefetch", "01", "off, on, try", "write one of them, such as off"],
  // Words for on and off are only accepted where the enum has both.
  ["wal_level", "yes", "minimal, replica, logical", "write one of them, such as minimal"],
  ["work_mem", "much", MEMORY("64kB to 2147483647kB"), "write it like 64MB"],
  ["work_mem", "1e", MEMORY("64kB to 2147483647kB"), "write it like 64MB"],
  ["work_mem", "64 MiB", MEMORY("64kB to 2147483647kB"), "write 64MB"],
  ["work_mem", "64 parsecs", MEMORY("64kB to 2147483647kB"), "write it like 64MB"],
  ["work_mem", "-64mb", MEMORY("64kB to 2147483647kB"), "write it like 64MB"],
  ["work_mem", "a64kB", MEMORY("64kB to 2147483647kB"), "write it like 64MB"],
  ["work_mem", "64kB!", MEMORY("64kB to 2147483647kB"), "write it like 64MB"],
  ["work_mem", "64 kB 2", MEMORY("64kB to 2147483647kB"), "write it like 64MB"],
  ["work_mem", "1.25g", MEMORY("64kB to 2147483647kB"), "write 1.25GB"],
  ["work_mem", " 2tib ", MEMORY("64kB to 2147483647kB"), "write 2TB"],
  ["work_mem", "0077", MEMORY("64kB to 2147483647kB"), "write 64kB, or a value in between"], // octal: 63
  ["work_mem", "-0x10", MEMORY("64kB to 2147483647kB"), "write 64kB, or a value in between"],
  ["work_mem", "63", MEMORY("64kB to 2147483647kB"), "write 64kB, or a value in between"],
  ["work_mem", "2147483648", MEMORY("64kB to 2147483647kB"), "write 2147483647kB, or a value in between"],
  ["shared_buffers", "15", MEMORY("128kB to 8589934584kB"), "write 128kB, or a value in between"],
  ["max_slot_wal_keep_size", "-2", MEMORY("-1 to 2147483647MB"), "write -1, or a value in between"],
  ["max_slot_wal_keep_size", "many", MEMORY("-1 to 2147483647MB"), "write it like 64MB"],
  ["bgwriter_flush_after", "257", MEMORY("0 to 2MB"), "write 2MB, or a value in between"],
  ["bgwriter_flush_after", "2.1MB", MEMORY("0 to 2MB"), "write 2MB, or a value in between"],
  ["track_activity_query_size", "99", MEMORY("100B to 1MB"), "write 100B, or a value in between"],
  ["checkpoint_timeout", "29", TIME("30s to 1d"), "write 30s, or a value in between"],
  ["checkpoint_timeout", "90 SECONDS", TIME("30s to 1d"), "write 90s"],
  ["checkpoint_timeout", "3 hours", TIME("30s to 1d"), "write 3h"],
  ["checkpoint_timeout", "1day", TIME("30s to 1d"), "write 1d"],
  ["checkpoint_timeout", "1x", TIME("30s to 1d"), "write it like 64s"],
  ["checkpoint_timeout", "29.4s", TIME("30s to 1d"), "write 30s, or a value in between"],
  ["checkpoint_timeout", "soon", TIME("30s to 1d"), "write it like 64s"],
  ["checkpoint_timeout", "64MB", TIME("30s to 1d"), "write it like 64s"],
  ["wal_writer_delay", "11s", TIME("1ms to 10s"), "write 10s, or a value in between"],
  ["autovacuum_vacuum_cost_delay", "100.5", TIME("-1 to 100ms", "a number"), "write 100ms, or a value in between"],
  ["max_worker_processes", "8MB", "a whole number without a unit, 0 to 262143", "write 8, without a unit"],
  ["max_worker_processes", "a 8MB", "a whole number without a unit, 0 to 262143", "write it like 64"],
  ["max_worker_processes", "few", "a whole number without a unit, 0 to 262143", "write it like 64"],
  [
    "max_worker_processes",
    "262144",
    "a whole number without a unit, 0 to 262143",
    "write 262143, or a value in between",
  ],
  ["min_wal_size", "1", MEMORY("2MB to 2147483647MB"), "write 2MB, or a value in between"],
  ["wal_summary_keep_time", "-1", TIME("0 to 35791394min"), "write 0, or a value in between"],
  ["random_page_cost", "-1", "a number without a unit, 0 to 1.79769e+308", "write 0, or a value in between"],
  ["checkpoint_completion_target", "5e-1x", "a number without a unit, 0 to 1", "write it like 1"],
  ["geqo_seed", "high", "a number without a unit, 0 to 1", "write it like 1"],
  ["geqo_seed", "1.01", "a number without a unit, 0 to 1", "write 1, or a value in between"],
  ["geqo_seed", "-0.01", "a number without a unit, 0 to 1", "write 0, or a value in between"],
  ["transaction_buffers", "17", "a multiple of 16 (pages of 8kB)", "write 128kB"],
  ["subtransaction_buffers", "8kB", "a multiple of 16 (pages of 8kB)", "write 128kB"],
  ["commit_timestamp_buffers", "136kB", "a multiple of 16 (pages of 8kB)", "write 128kB"],
  ["vacuum_buffer_usage_limit", "127", "0, or 128kB to 16GB", "write 128kB"],
  ["pgaudit.log_level", "loud", PGAUDIT_LEVELS, "write one of them, such as debug5"],
  [
    "pgaudit.log_parameter_max_size",
    "-1",
    "a whole number without a unit, 0 to 1073741823",
    "write 0, or a value in between",
  ],
  [
    "pgaudit.log_parameter_max_size",
    "1073741824",
    "a whole number without a unit, 0 to 1073741823",
    "write 1073741823, or a value in between",
  ],
];

describe("PostgreSQL's parameters", () => {
  for (const [what, name, value, says] of WRONG)
    it(`refused: ${what}`, () => {
      const problem = parameterProblem(name, value);
      assert.match(`${problem?.allowed}\n${problem?.remedy}`, says);
    });

  for (const [name, value, allowed, remedy] of ERRORS)
    it(`refused, and how it is said: ${name} = "${value}"`, () =>
      assert.deepEqual(parameterProblem(name, value), { allowed, remedy }));

  for (const [name, value] of RIGHT)
    it(`accepted: ${name} = "${value}"`, () => assert.equal(parameterProblem(name, value), undefined));

  it("a switch is on or off in every word that PostgreSQL reads, and in no other", () => {
    const off = ["off", "of", "OFF", "false", "fals", "f", "no", "n", "0"];
    const on = ["on", "On", "true", "tr", "t", "yes", "ye", "y", "1"];
    for (const word of off) assert.equal(isOff(word), true, word);
    for (const word of on) assert.equal(isOff(word), false, word);
    // `o` may be either.
    for (const word of ["", "o", "offf", "onn", "2", "00", "nope", "truee", "yess"]) {
      assert.equal(isOff(word), false, word);
      assert.ok(parameterProblem("jit", word), word);
    }
    for (const word of [...on, ...off]) assert.equal(parameterProblem("jit", word), undefined, word);
  });

  it("an enum with on and off takes the other words for them, in full", () => {
    for (const word of ["true", "FALSE", "yes", "no", "1", "0", "try", "Off"])
      assert.equal(parameterProblem("recovery_prefetch", word), undefined, word);
    for (const word of ["tru", "xtrue", "falsee", "y", "10"])
      assert.ok(parameterProblem("recovery_prefetch", word), word);
    // synchronous_commit has on and off, log_error_verbosity neither.
    for (const word of ["true", "on", "1"]) assert.ok(parameterProblem("log_error_verbosity", word), word);
  });

  it("units in the words of people are corrected to PostgreSQL's", () => {
    const corrected = (name: string, words: string[], unit: string): void => {
      for (const word of words)
        for (const written of [`90 ${word}`, `90${word[0]!.toUpperCase()}${word.slice(1)}`])
          assert.equal(parameterProblem(name, written)?.remedy, `write 90${unit}`, written);
    };
    corrected("work_mem", ["k", "kb", "kib"], "kB");
    corrected("work_mem", ["m", "mb", "mib"], "MB");
    corrected("work_mem", ["g", "gb", "gib"], "GB");
    corrected("work_mem", ["t", "tb", "tib"], "TB");
    corrected("checkpoint_timeout", ["sec", "secs", "second", "seconds"], "s");
    corrected("checkpoint_timeout", ["minute", "minutes", "mins"], "min");
    corrected("checkpoint_timeout", ["hour", "hours"], "h");
    corrected("checkpoint_timeout", ["day", "days"], "d");
  });

  it("values are counted in the parameter's unit: each unit is as large as PostgreSQL's", () => {
    /** The largest value with this unit, and one more. */
    for (const [name, right, wrong] of [
      ["vacuum_buffer_usage_limit", "16777216", "16777217"], // 16 GiB in kB
      ["vacuum_buffer_usage_limit", "17179869184B", "17179870208B"],
      ["vacuum_buffer_usage_limit", "16777216kB", "16777217kB"],
      ["vacuum_buffer_usage_limit", "16384MB", "16385MB"],
      ["vacuum_buffer_usage_limit", "16GB", "17GB"],
      ["vacuum_buffer_usage_limit", "0.015625TB", "0.016TB"],
      ["checkpoint_timeout", "86400", "86401"], // a day in seconds
      ["checkpoint_timeout", "86400000000us", "86401000000us"],
      ["checkpoint_timeout", "86400000ms", "86401000ms"],
      ["checkpoint_timeout", "86400s", "86401s"],
      ["checkpoint_timeout", "1440min", "1441min"],
      ["checkpoint_timeout", "24h", "25h"],
      ["checkpoint_timeout", "1d", "2d"],
      ["bgwriter_flush_after", "256", "257"], // 2 MiB in pages of 8 kB
      ["bgwriter_flush_after", "2048kB", "2056kB"],
    ] as const) {
      assert.equal(parameterProblem(name, right), undefined, right);
      assert.ok(parameterProblem(name, wrong), wrong);
    }
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
