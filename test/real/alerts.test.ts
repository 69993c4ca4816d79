/** The alert rules in Prometheus' own judgement: `promtool check rules` and unit tests of the rules that matter most. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { alertRules } from "../../components/monitoring";
import { dashboardQueries } from "../../components/monitoring/dashboards";
import { prometheusGroup } from "../../components/monitoring/rules";
import { fixturePlan, fixtureSettings } from "../fixtures/context";

const PROMTOOL = process.env.PROMTOOL ?? "promtool";
const groups = () => {
  const settings = fixtureSettings();
  settings.federation.enabled = true;
  return alertRules({ settings, plan: fixturePlan() }).map(prometheusGroup);
};
const series = (s: Record<string, string>): object[] => Object.entries(s).map(([name, values]) => ({ series: name, values }));

/** Alerts by name that fire at `at`, given series in steps of 15 s. */
interface Case { title: string; series: Record<string, string>; at: string; fires: string[]; quiet?: string[] }

const up = (job: string, index: string): string => `up{layer="synapse", job="${job}", index="${index}"}`;
const redis = (pod: string, role: string): string => `redis_instance_info{layer="redis", job="redis-synapse", instance="${pod}", role="${role}"}`;
const redisUp = (pod: string): string => `up{layer="redis", job="redis-synapse", instance="${pod}"}`;
const recovery = (pod: string): string => `cnpg_pg_replication_in_recovery{layer="postgres", pod="${pod}"}`;

const CASES: Case[] = [
  { title: "main gone from the targets", series: { [up("generic", "g-0")]: "1x40" }, at: "2m", fires: ["SynapseMainDown"] },
  { title: "main there", series: { [up("main", "synapse-main-0")]: "1x40" }, at: "2m", fires: [], quiet: ["SynapseMainDown"] },
  { title: "one of two event persisters away", series: { [up("event-persister", "p-0")]: "1x40", [up("event-persister", "p-1")]: "1 0x40" }, at: "2m", fires: ["SynapseEventPersisterDown"] },
  { title: "both event persisters there", series: { [up("event-persister", "p-0")]: "1x40", [up("event-persister", "p-1")]: "1x40" }, at: "2m", fires: [], quiet: ["SynapseEventPersisterDown"] },
  { title: "a Redis set without master", series: { [redisUp("r-0")]: "1x40", [redis("r-0", "slave")]: "1x40" }, at: "2m", fires: ["RedisNoMaster"] },
  { title: "two masters", series: { [redisUp("r-0")]: "1x40", [redis("r-0", "master")]: "1x40", [redisUp("r-1")]: "1x40", [redis("r-1", "master")]: "1x40" }, at: "2m", fires: ["RedisTwoMasters"], quiet: ["RedisNoMaster"] },
  { title: "one master", series: { [redisUp("r-0")]: "1x40", [redis("r-0", "master")]: "1x40" }, at: "2m", fires: [], quiet: ["RedisTwoMasters", "RedisNoMaster"] },
  { title: "no PostgreSQL primary", series: { [recovery("pg-1")]: "1x40", [recovery("pg-2")]: "1x40" }, at: "3m", fires: ["PostgresNoPrimary"], quiet: ["PostgresTwoPrimaries"] },
  { title: "a failover", series: { [recovery("pg-1")]: "0x40 1x40", [recovery("pg-2")]: "1x40 0x40" }, at: "12m", fires: ["PostgresFailover"], quiet: ["PostgresNoPrimary"] },
  { title: "no standby that confirms", series: { 'cnpg_pg_replication_streaming_replicas{layer="postgres", pod="pg-1"}': "0x40" }, at: "3m", fires: ["PostgresNoSyncStandby"] },
  { title: "a class without server at one of two routers", series: { 'haproxy_backend_status{layer="router", instance="a", proxy="generic", state="UP"}': "1x40", 'haproxy_backend_status{layer="router", instance="b", proxy="generic", state="UP"}': "0x40" }, at: "2m", fires: ["RouterBackendDown"] },
  { title: "messages sent and none stored", series: { 'synapse_http_server_requests_received_total{layer="synapse", servlet="RoomSendEventRestServlet"}': "0+15x40", 'synapse_storage_events_persisted_events_total{layer="synapse"}': "100x40" }, at: "8m", fires: ["SynapsePersistStalled"] },
  { title: "messages sent and stored", series: { 'synapse_http_server_requests_received_total{layer="synapse", servlet="RoomSendEventRestServlet"}': "0+15x40", 'synapse_storage_events_persisted_events_total{layer="synapse"}': "0+15x40" }, at: "8m", fires: [], quiet: ["SynapsePersistStalled"] },
  { title: "a process that does not hear of events", series: { 'synapse_storage_stream_current_position{layer="synapse", stream_name="events", index="a"}': "5000x40", 'synapse_storage_stream_current_position{layer="synapse", stream_name="events", index="b"}': "100x40" }, at: "5m", fires: ["SynapseReplicationLag"] },
  { title: "an object store below write quorum", series: { 'minio_cluster_health_status{layer="minio"}': "0x40", 'up{layer="minio"}': "1x40" }, at: "3m", fires: ["MinioWriteQuorumLost"] },
];

describe("alert rules in Prometheus", function () {
  this.timeout(120_000);
  let dir: string;
  before(function () {
    if (spawnSync(PROMTOOL, ["--version"]).error) this.skip();
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "alerts-"));
    fs.writeFileSync(path.join(dir, "rules.json"), JSON.stringify({ groups: groups() }));
  });
  after(() => { if (dir) fs.rmSync(dir, { recursive: true }); });
  const promtool = (...args: string[]): string => {
    const run = spawnSync(PROMTOOL, args, { encoding: "utf8" });
    assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
    return run.stdout;
  };

  it("are valid, and so is every query of the dashboards", () => {
    const queries = path.join(dir, "queries.json");
    fs.writeFileSync(queries, JSON.stringify({ groups: [{ name: "q", rules: dashboardQueries().map((expr, i) => ({ record: `q:${i}`, expr })) }] }));
    promtool("check", "rules", path.join(dir, "rules.json"), queries);
  });
  for (const c of CASES) {
    it(`${c.title}: ${[...c.fires, ...(c.quiet ?? []).map((q) => `not ${q}`)].join(", ")}`, () => {
      const count = (name: string): string => `count(ALERTS{alertname="${name}", alertstate="firing"}) > bool 0 or vector(0)`;
      const expected = (name: string, value: number): object => ({ expr: count(name), eval_time: c.at, exp_samples: [{ labels: "{}", value }] });
      const file = path.join(dir, "case.json");
      fs.writeFileSync(file, JSON.stringify({
        rule_files: ["rules.json"], evaluation_interval: "15s",
        tests: [{ interval: "15s", input_series: series(c.series), promql_expr_test: [...c.fires.map((n) => expected(n, 1)), ...(c.quiet ?? []).map((n) => expected(n, 0))] }],
      }));
      promtool("test", "rules", file);
    });
  }
});
