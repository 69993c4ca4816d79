/** A changed setting changes the manifests of what reads it, and restarts nothing else. */
import assert from "node:assert/strict";
import { compare, type Change } from "../../cli/diff";
import { evaluate } from "../../cli/evaluate";
import { exampleConfig } from "../../cli/exampleStack";
import { applySets } from "../../components/settings/stackFile";
import { evaluated, WITHOUT_OPERATORS } from "../../lab/common/tiers";

const BASE = { ...exampleConfig(1000), ...WITHOUT_OPERATORS };
const SYNAPSE = "every Synapse process";

/** Setting, the workloads that restart (by name), and the layers in which anything changes. */
const CASES: Array<[set: string[], restarts: string[], layers: string[]]> = [
  [["media.maxUploadMiB=50"], ["synapse-media", "haproxy", "synapse-admin"], ["synapse", "router", "web", "ingress"]],
  [["media.urlPreviews=true"], ["synapse-media"], ["cluster", "synapse"]],
  [["presence.enabled=false"], [SYNAPSE, "element-web"], ["synapse", "web"]],
  [
    ["registration.enabled=true", "registration.requireToken=true"],
    [SYNAPSE, "element-web"],
    ["synapse", "web"],
  ],
  [["retention.maxLifetimeDays=365"], [SYNAPSE], ["synapse"]],
  [
    [
      "oldSigningKeys=[{id: 'ed25519:a_old', key: 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo, expiredAt: '2026-01-01T00:00:00Z'}]",
    ],
    [SYNAPSE],
    ["synapse"],
  ],
  [["overrides.synapse.globalCacheFactor=1.5"], [SYNAPSE], ["synapse"]],
  [["turn.minPort=50000"], ["coturn"], ["hosts", "cluster", "turn"]],
  [["rtc.udpPortMin=56000"], ["livekit"], ["hosts", "cluster", "rtc"]],
  // The SFU's start script runs in the Redis image, which has a shell.
  [
    ["images.overrides.redis=docker.io/library/redis:8.0.7"],
    ["redis-synapse", "redis-livekit", "livekit"],
    ["redis", "rtc"],
  ],
  [["images.overrides.elementWeb=docker.io/vectorim/element-web:v1.12.33"], ["element-web"], ["web"]],
  [["images.overrides.coturn=docker.io/coturn/coturn:4.18.0"], ["coturn"], ["turn"]],
  // The replacer runs in the same image.
  [["images.overrides.synapse=localhost/matrix-ha/synapse:1.164.0"], [SYNAPSE, "synapse-replacer"], ["synapse"]],
  [["monitoring.retentionDays=30"], ["prometheus"], ["monitoring"]],
  [["monitoring.alertWebhook=https://alerts.example.org/hook"], ["alertmanager"], ["cluster", "monitoring"]],
  [["overrides.pools.media.cpu=3"], ["synapse-media"], ["synapse"]],
  [["overrides.pools.synchrotron.replicas=5"], ["haproxy"], ["postgres", "synapse", "router"]],
  [["overrides.redis.memoryMiB=3000"], ["redis-synapse", "redis-livekit"], ["redis"]],
  [["overrides.router.memoryMiB=999"], ["haproxy"], ["router"]],
  [["overrides.postgres.parameters.work_mem=8MB"], [], ["postgres"]],
  [["backups.retentionDays=60"], [], ["postgres", "monitoring"]],
  [["web.elementWeb.brand=Chat"], ["element-web"], ["web"]],
  [['web.admin.allowCidrs=["10.9.0.0/16"]'], ["synapse-admin"], ["web"]],
  // The controller follows its ConfigMap; the admin UI must not take a proxy for a client.
  [["ingress.trustedProxies=[10.9.0.5/32]"], ["synapse-admin"], ["cluster", "web"]],
  [
    ["ingress.trustedProxies=[10.9.0.5/32]", "ingress.proxyProtocol=true"],
    ["synapse-admin", "nginx-ingress"],
    ["cluster", "web"],
  ],
  [["ingress.addresses=[203.0.113.15]"], [], ["cluster"]],
  [["cluster.ingressClass=other"], ["nginx-ingress"], ["cluster", "ingress"]],
  [["networkPolicies.enabled=false"], [], ["cluster"]],
];

const nameOf = (c: Change): string => c.title.split("/").pop()!;

describe("a changed setting", () => {
  for (const [set, restarts, layers] of CASES) {
    it(`${set.join(", ")}: restarts ${restarts.join(", ") || "nothing"}`, async () => {
      const before = (await evaluated(BASE)).evaluation;
      const after = await evaluate({ stack: "test", config: applySets(BASE, set) });
      const changes = compare(before, after);
      assert.ok(changes.length > 0, "something changes");
      const synapse = before.resources
        .filter(
          (r) =>
            ["Deployment", "StatefulSet"].includes(r.inputs?.kind) &&
            r.inputs.metadata.labels["app.kubernetes.io/name"] === "synapse",
        )
        .map((r) => r.inputs.metadata.name);
      assert.ok(synapse.length >= 12);
      const wanted = restarts.flatMap((r) => (r === SYNAPSE ? synapse : [r]));
      assert.deepEqual(
        changes
          .filter((c) => c.restarts)
          .map(nameOf)
          .sort(),
        wanted.sort(),
      );
      assert.deepEqual([...new Set(changes.map((c) => c.layer))].sort(), [...layers].sort());
      for (const c of changes.filter((x) => x.restarts))
        assert.match(c.restarts!, /configuration|image|resources|args|labels|Probe|secrets/, `${c.title} says why`);
    });
  }

  it("more replicas restart nothing, except once from two to three, when the rule that keeps two apart is removed", async () => {
    const at = (n: number): ReturnType<typeof evaluate> =>
      evaluate({ stack: "test", config: applySets(BASE, [`overrides.router.replicas=${n}`]) });
    const [two, three, four] = [await at(2), await at(3), await at(4)];
    assert.deepEqual(
      compare(two, three)
        .filter((c) => c.restarts)
        .map(nameOf),
      ["haproxy"],
    );
    assert.ok(compare(three, four).length > 0);
    assert.deepEqual(
      compare(three, four).filter((c) => c.restarts),
      [],
    );
  });

  it("that only protects or frees resources changes no manifest", async () => {
    for (const set of [["deletionProtection=false"], ["deletionProtection=false", "savedKeys=disposable"]]) {
      const changes = compare((await evaluated(BASE)).evaluation, (await evaluated(applySets(BASE, set))).evaluation);
      assert.ok(changes.length > 0);
      assert.deepEqual(
        changes.filter((c) => c.fields.some((f) => f.path !== "protect")),
        [],
      );
    }
  });

  it("none: nothing changes", async () => {
    const { evaluation } = await evaluated(BASE);
    assert.deepEqual(
      compare(evaluation, (await evaluated({ ...BASE, presence: { enabled: true } })).evaluation),
      [],
      "a default that is written out",
    );
  });
});
