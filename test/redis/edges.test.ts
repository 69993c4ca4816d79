/** Who may connect to Redis, what is scraped, and what other stacks are told. */
import assert from "node:assert/strict";
import { redisConnection } from "../../components/layers/redis";
import { redis } from "../../components/layers/redis/layer";
import { redisSetEdges } from "../../components/layers/redis/edges";
import { REDIS_ROW } from "../../components/layers/redis/dashboards";
import { setOf } from "./sets";

const tcp = (...ports: number[]) => ports.map((port) => ({ port, protocol: "TCP" }));

describe("connections of Redis", () => {
  const servers = { component: "redis-synapse", namespace: "matrix" };
  const proxy = { component: "redis-synapse-master", namespace: "matrix" };

  it("are these and no others: the set with itself, its proxy with it, labelled applications with the proxy", () =>
    assert.deepEqual(redis.edges!({ ...setOf(3), layers: [] }), [
      {
        from: servers,
        to: servers,
        ports: tcp(6379, 26379),
        why: "replication, and Sentinels watching Redis and each other",
      },
      // Not the Sentinels: the proxy asks each Redis itself.
      { from: proxy, to: servers, ports: tcp(6379), why: "the master's clients, and checks of who is the master" },
      {
        from: {
          labels: { "matrix-ha.dev/redis-client": "true" },
          namespace: "matrix",
          label: "other stacks' applications",
        },
        to: proxy,
        ports: tcp(6379),
        why: "applications of other stacks, on database 2",
      },
    ]));

  it("of a second set stay within it", () =>
    assert.deepEqual(
      redisSetEdges("redis-livekit", "livekit").map(({ from, to }) => [from, to]),
      [
        [
          { component: "redis-livekit", namespace: "livekit" },
          { component: "redis-livekit", namespace: "livekit" },
        ],
        [
          { component: "redis-livekit-master", namespace: "livekit" },
          { component: "redis-livekit", namespace: "livekit" },
        ],
      ],
    ));

  it("of other stacks lead to the master, on a database that is not Synapse's", () =>
    assert.deepEqual(redisConnection(setOf(3).settings), {
      host: "redis-synapse-master.matrix.svc.cluster.local",
      port: 6379,
      // Synapse has 0.
      database: 2,
      password: { namespace: "matrix", name: "redis-synapse", key: "password" },
      clientLabel: "matrix-ha.dev/redis-client",
    }));
});

describe("monitoring of Redis", () => {
  it("scrapes the exporter of each instance, and each proxy, in layers that the alerts tell apart", () =>
    assert.deepEqual(redis.targets!(setOf(3)), [
      {
        name: "redis-synapse",
        namespace: "matrix",
        pods: { components: ["redis-synapse"] },
        port: 9121,
        paths: ["/metrics"],
        layer: "redis",
      },
      {
        name: "redis-synapse-proxy",
        namespace: "matrix",
        pods: { components: ["redis-synapse-master"] },
        port: 8404,
        paths: ["/metrics"],
        layer: "redis-proxy",
      },
    ]));

  it("shows masters, replicas, commands and memory", () =>
    assert.deepEqual(REDIS_ROW, {
      title: "Redis",
      panels: [
        {
          title: "Masters",
          unit: "none",
          queries: [["{{job}}", 'count by (job) (redis_instance_info{layer="redis", role="master"})']],
        },
        {
          title: "Replicas of the master",
          unit: "none",
          queries: [["{{job}}", 'max by (job) (redis_connected_slaves{layer="redis"})']],
        },
        {
          title: "Commands",
          unit: "ops",
          queries: [["{{instance}}", 'rate(redis_commands_processed_total{layer="redis"}[5m])']],
        },
        { title: "Memory", unit: "bytes", queries: [["{{instance}}", 'redis_memory_used_bytes{layer="redis"}']] },
      ],
    }));
});

describe("the layer of Redis", () => {
  it("has the pods of both sets, for their logs", () => {
    assert.equal(redis.name, "redis");
    assert.deepEqual(redis.pods, ["redis-*"]);
  });

  it("keeps its generated password: another label would be another password", () =>
    assert.deepEqual(redis.secrets, [{ label: "redis-synapse" }]));

  it("runs exact versions of official images, each with the source of its number", () => {
    assert.deepEqual(
      Object.entries(redis.images!).map(([key, { repository }]) => [key, repository]),
      [
        ["redis", "docker.io/library/redis"],
        ["redisExporter", "quay.io/oliver006/redis_exporter"],
        ["haproxy", "docker.io/library/haproxy"],
      ],
    );
    for (const { tag, source } of Object.values(redis.images!)) {
      assert.match(tag, /^v?\d+\.\d+\.\d+$/);
      assert.match(source, /^(docker-library|oliver006)\//);
    }
  });

  it("is made by its own component", async () => assert.equal(typeof (await redis.component()).deploy, "function"));
});
