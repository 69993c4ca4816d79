import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import * as k8s from "@pulumi/kubernetes";
import { evaluate } from "../../cli/evaluate";
import { StackSecrets } from "../../components/keys/secrets";
import { Hosts } from "../../components/layers/hosts";
import { ObjectStore } from "../../components/layers/objectstore";
import { LAYERS, SECRET_SPECS } from "../../components/layers/registry";
import { plan } from "../../components/plan";
import type { Plan } from "../../components/sizing";
import { readStackConfig } from "../../components/settings/stackFile";
import { resolveSettings } from "../../components/settings";
import type { HostSettings, Settings } from "../../components/settings/types";
import type { HostRole } from "../../components/domain/roles";
import { anyCcu, anyOptions, invalid, sized, withOptions } from "./helpers";

const of = (p: Plan, zone: string, part: string) =>
  p.zones.find((z) => z.zone === zone)?.effects.find((e) => e.part === part);
const has = (role: HostRole) => (h: HostSettings) => h.roles.includes(role);
/** The hosts of a role, put into these zones in turn. */
const into = (s: Settings, role: HostRole, zones: string[]): void =>
  s.hosts.filter(has(role)).forEach((h, i) => {
    h.zone = zones[i % zones.length];
  });

describe("the loss of a zone", () => {
  it("on the recommended machines stops nothing, whichever of the three it is, at any size", () => {
    fc.assert(
      fc.property(anyCcu(60_000), anyOptions, (ccu, o) => {
        const s = sized(ccu, withOptions(o));
        const p = plan(s);
        assert.deepEqual(p.zones.map((z) => z.zone).sort(), ["a", "b", "c"]);
        for (const { zone, effects } of p.zones) {
          const stopped = effects.filter((e) => e.outcome === "stops");
          assert.deepEqual(stopped, [], `zone ${zone} at ${ccu}`);
          // What runs on hosts of each zone is there, whatever its outcome.
          const parts = ["control plane", "PostgreSQL", "Redis", "Synapse's workers", "Synapse main and writers"];
          if (!o.s3) parts.push("MinIO");
          for (const part of parts) assert.ok(of(p, zone, part), `${part} is missing for zone ${zone} at ${ccu}`);
        }
        assert.ok(!p.notes.some((n) => n.startsWith("WARNING")));
      }),
      { numRuns: 40 },
    );
  });

  it("counted here again: PostgreSQL, etcd, Redis and MinIO keep their quorums without any zone", () => {
    fc.assert(
      fc.property(anyCcu(60_000), (ccu) => {
        const s = sized(ccu);
        const p = plan(s);
        for (const zone of ["a", "b", "c"]) {
          const there = (role: HostRole): number => s.hosts.filter((h) => h.zone === zone && has(role)(h)).length;
          const all = (role: HostRole): number => s.hosts.filter(has(role)).length;
          assert.ok(all("control-plane") - there("control-plane") > all("control-plane") / 2);
          // As many database hosts as instances: an instance on each.
          const { instances, syncStandbys } = p.postgres;
          assert.equal(all("database"), instances);
          const left = instances - there("database");
          assert.ok(left + syncStandbys > instances - 1 && left - 1 >= syncStandbys, `PostgreSQL at ${ccu}`);
          // Redis is spread evenly over three zones.
          const redisLeft = p.redis.instances - Math.ceil(p.redis.instances / 3);
          assert.ok(redisLeft >= p.redis.quorum);
          const m = p.minio!;
          for (const nodes of m.pools) assert.equal(nodes % 3, 0);
          const drives = (m.erasureSetDrives * 2) / 3;
          const data = m.erasureSetDrives - m.parity;
          assert.ok(drives >= (data === m.parity ? data + 1 : data), `MinIO at ${ccu}`);
          assert.equal(all("storage"), m.nodes, "a recommended storage host carries nothing");
        }
      }),
      { numRuns: 40 },
    );
  });

  it("grows by appending pools of six", () => {
    let before: number[] = [];
    for (let ccu = 100; ccu <= 60_000; ccu += 2_500) {
      const { pools, erasureSetDrives } = plan(sized(ccu)).minio!;
      assert.deepEqual(pools.slice(0, before.length), before);
      assert.equal(erasureSetDrives, 12);
      before = pools;
    }
    assert.ok(before.length > 2, "never more than two pools: the case proves little");
  });

  it("MinIO's pods are dealt out so that no zone holds more of a set than parity, in whatever order they are made", async function () {
    this.timeout(60_000);
    const { set, nodes } = await rendered(sized(20_000));
    const constraints: Constraint[] = set.spec.template.spec.topologySpreadConstraints.filter(
      (c: Constraint) => c.whenUnsatisfiable === "DoNotSchedule" && c.topologyKey !== "kubernetes.io/hostname",
    );
    const keys = constraints.map((c) => c.topologyKey);
    assert.equal(new Set(keys).size, keys.length, "the API server refuses two strict constraints of one key");
    const container = set.spec.template.spec.containers[0];
    const env = Object.fromEntries(container.env.map((e: { name: string; value: string }) => [e.name, e.value]));
    const drivesOfSet = Number(env.MINIO_ERASURE_SET_DRIVE_COUNT);
    const parity = Number(/EC:(\d+)/.exec(env.MINIO_STORAGE_CLASS_STANDARD)![1]);
    const sets = container.args
      .filter((a: string) => a.startsWith("http"))
      .flatMap((a: string) => dealt(a, drivesOfSet));
    assert.equal(sets.length, 2);
    assert.equal(set.spec.replicas, 12);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(
          Array.from({ length: 12 }, (_, i) => i),
          { minLength: 12 },
        ),
        fc.shuffledSubarray(nodes, { minLength: nodes.length }),
        (order, preferred) => {
          const zoneOf = schedule(order, preferred, constraints);
          assert.equal(zoneOf.size, 12, "a pod found no node");
          for (const ordinals of sets)
            for (const zone of ["a", "b", "c"]) {
              const lost = ordinals.filter((o: number) => zoneOf.get(o) === zone).length;
              assert.ok(lost <= parity, `zone ${zone} holds ${lost} of ${drivesOfSet} drives of a set`);
            }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("warns where databases, control planes or the store would not survive it, and says why", () => {
    const p = plan(
      sized(1000, (s) => {
        into(s, "database", ["a"]);
        into(s, "control-plane", ["b", "b", "c"]);
        s.objectStore = { kind: "minio", survives: "host" };
      }),
    );
    assert.equal(of(p, "a", "PostgreSQL")!.outcome, "stops");
    assert.match(of(p, "a", "PostgreSQL")!.effect, /acknowledged writes may exist there only/);
    assert.equal(of(p, "b", "PostgreSQL"), undefined, "no instance is there");
    assert.deepEqual(
      ["a", "b", "c"].map((z) => of(p, z, "control plane")?.outcome),
      [undefined, "stops", "goes on"],
    );
    const warnings = p.notes.filter((n) => n.startsWith("WARNING")).join("\n");
    assert.match(warnings, /PostgreSQL does not survive the loss of zone a \(3 of 3 instances are there/);
    assert.match(warnings, /control plane does not survive the loss of zone b \(2 of 3 control-plane hosts/);
    assert.match(warnings, /Put the database hosts into three zones/);
    assert.ok(p.failures.some((f) => f.failure === "Zone a lost: PostgreSQL" && f.untilBack));
  });

  it("a store of fours stands without some zone: of one pool media are read on, of several perhaps not", () => {
    const four = (ccu: number): Plan =>
      plan(
        sized(ccu, (s) => {
          s.objectStore = { kind: "minio", survives: "host" };
          s.hosts = s.hosts.filter((h) => !/^store-([5-9]|1[3-9])$/.test(h.name) || ccu > 10_000);
        }),
      );
    const small = four(1000);
    assert.deepEqual(small.minio!.pools, [4]);
    assert.match(of(small, "a", "MinIO")!.effect, /media can be read, and uploads fail/);
    const large = four(20_000);
    assert.deepEqual(large.minio!.pools, [4, 4, 4]);
    for (const z of ["a", "b", "c"]) assert.match(of(large, z, "MinIO")!.effect, /neither read nor written/);
    assert.match(large.notes.join("\n"), /WARNING: MinIO .* objectStore: \{ kind: minio, survives: zone \}/);
  });

  it("says what has no room when a zone is lost, and the zones that hold all of something", () => {
    const p = plan(
      sized(1000, (s) => {
        into(s, "application", ["a", "a", "a", "a", "b"]);
        into(s, "call", ["c"]);
      }),
    );
    assert.match(of(p, "a", "Synapse's workers")!.effect, /\d+ pods find no room on the other hosts/);
    assert.equal(of(p, "b", "Synapse's workers")!.outcome, "recovers");
    assert.equal(of(p, "c", "Synapse's workers"), undefined);
    assert.equal(of(p, "c", "TURN")!.outcome, "stops");
    assert.equal(of(p, "a", "TURN"), undefined);
    assert.equal(of(p, "c", "group calls")!.outcome, "stops");
    // Redis has a majority in the zone that holds four of five hosts.
    assert.equal(of(p, "a", "Redis")!.outcome, "stops");
  });

  it("is noted where there is no zone to lose, and where some hosts have none", () => {
    const none = plan(
      sized(1000, (s) => {
        s.objectStore = { kind: "minio", survives: "host" };
        s.hosts.forEach((h) => delete h.zone);
      }),
    );
    assert.deepEqual(none.zones, []);
    assert.match(none.notes.join("\n"), /No host has a zone: what they share .* can fail for all of them at once/);
    const one = plan(
      sized(1000, (s) => {
        s.objectStore = { kind: "minio", survives: "host" };
        s.hosts.forEach((h) => {
          h.zone = "a";
        });
      }),
    );
    assert.match(one.notes.join("\n"), /All 21 hosts are in zone a: /);
    const some = plan(sized(1000, (s) => s.hosts.filter(has("call")).forEach((h) => delete h.zone)));
    assert.match(some.notes.join("\n"), /4 of 21 hosts have no zone \(call-1, /);
  });

  it("keeps the layout of a MinIO that is being left", () => {
    const { objectStore: _was, ...rest } = readStackConfig("small");
    const layout = (survives: string): number[] => {
      const s3 = {
        kind: "s3",
        endpoint: "https://s3.example.net",
        bucket: "media",
        accessKey: "AKIA1",
        secretKey: "s",
      };
      const objectStore = { ...s3, moveFrom: { store: "minio", survives } };
      const { settings, errors } = resolveSettings({ ...rest, objectStore }, "small");
      assert.deepEqual(errors, []);
      return plan(settings!).minio!.pools;
    };
    assert.deepEqual(layout("zone"), plan(resolveSettings(readStackConfig("small"), "small").settings!).minio!.pools);
    assert.notDeepEqual(layout("host"), layout("zone"));
  });

  it("the example stacks survive it", () => {
    for (const stack of ["small", "large"]) {
      const { settings, errors } = resolveSettings(readStackConfig(stack), stack);
      assert.deepEqual(errors, []);
      const p = plan(settings!);
      assert.equal(p.minio!.survives, "zone");
      for (const z of p.zones)
        assert.deepEqual(
          z.effects.filter((e) => e.outcome === "stops"),
          [],
          `${stack}: zone ${z.zone}`,
        );
    }
  });

  it("every layer with pods says what it costs", () => {
    for (const layer of LAYERS)
      if (layer.demands) assert.ok(layer.zoneLoss, `${layer.name} has pods, and says nothing of a lost zone`);
  });

  it("a layout that was asked for and cannot be is an error that says what is missing", () => {
    const error = (change: (s: Settings) => void): string => invalid(sized(1000, change)).message;
    assert.match(
      error((s) => into(s, "storage", ["a", "b"])),
      /3 in zone a, 3 in zone b.*[^]*exactly 3 zones/,
    );
    assert.match(
      error((s) => {
        s.hosts = s.hosts.filter((h) => h.name !== "store-6");
      }),
      /1 in zone c[^]*two storage hosts in each of 3 zones/,
    );
    assert.match(
      error((s) => delete s.hosts.find((h) => h.name === "store-1")!.zone),
      /1 without a zone/,
    );
    assert.match(
      error((s) => {
        s.overrides.minio.pools = [4];
      }),
      /pools of 3 or 6 nodes/,
    );
    assert.match(
      error((s) => {
        s.overrides.minio.parity = 3;
      }),
      /4 to 6: at least the 4 drives of a set that leave with a zone/,
    );
    assert.match(
      error((s) => {
        s.overrides.minio.pools = [6, 3];
      }),
      /overrides\.minio\.pools/,
    );
  });

  it("takes pools of three with an override, and any number of drives", () => {
    for (const drives of [1, 2, 3, 4, 5, 6, 8, 12])
      for (const pools of [undefined, [3], [3, 3], [6]]) {
        const m = plan(
          sized(1000, (s) => {
            s.overrides.minio.pools = pools;
            s.hosts.filter(has("storage")).forEach((h) => {
              h.disks = Array.from({ length: drives }, (_, i) => ({
                id: `/dev/disk/by-id/${h.name}-${i}`,
                use: "object-store" as const,
                sizeGiB: 100,
              }));
            });
          }),
        ).minio!;
        assert.ok(m.erasureSetDrives <= 16 && m.erasureSetDrives % m.pools[0]! === 0, JSON.stringify(m));
        assert.equal((m.pools[0]! * drives) % m.erasureSetDrives, 0);
        assert.ok(m.parity <= m.erasureSetDrives / 2 && m.parity >= m.erasureSetDrives / 3);
      }
  });
});

// ------------------------------------------------------------------ Kubernetes' scheduler and MinIO, in short
interface Constraint {
  maxSkew: number;
  topologyKey: string;
  whenUnsatisfiable: string;
  labelSelector: { matchExpressions?: Array<{ key: string; operator: string; values: string[] }> };
}
interface Node {
  name: string;
  labels: Record<string, string>;
}

/** MinIO's StatefulSet and the labels of the nodes, as the layers render them. */
async function rendered(settings: Settings): Promise<{ set: any; nodes: Node[] }> {
  const { resources } = await evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = {
        settings,
        plan: plan(settings),
        provider: new k8s.Provider("cluster", { kubeconfig: "{}", clusterIdentifier: settings.instance }),
      };
      const secrets = new StackSecrets("secrets", { settings, specs: SECRET_SPECS });
      new ObjectStore("object-store", { ctx, secrets }, { provider: ctx.provider });
      new Hosts("hosts", { ctx }, { provider: ctx.provider });
      return {};
    },
  });
  return {
    set: resources.find((r) => r.type.endsWith(":StatefulSet") && r.inputs.metadata.name === "minio")!.inputs,
    nodes: resources
      .filter((r) => r.type.endsWith(":NodePatch") && r.inputs.metadata.labels["matrix-ha.dev/role-storage"] === "true")
      .map((r) => ({ name: r.inputs.metadata.name, labels: r.inputs.metadata.labels })),
  };
}

/** Places the pods in this order, each on the first node that is free and that the constraints allow. */
function schedule(order: number[], nodes: Node[], constraints: Constraint[]): Map<number, string> {
  const at = new Map<number, Node>();
  for (const ordinal of order) {
    const node = nodes.find((n) => {
      if ([...at.values()].includes(n)) return false;
      return constraints.every((c) => {
        const [{ key, operator, values }] = c.labelSelector.matchExpressions!;
        assert.deepEqual([key, operator], ["apps.kubernetes.io/pod-index", "In"]);
        const domains = new Map<string, number>();
        for (const x of nodes) if (x.labels[c.topologyKey]) domains.set(x.labels[c.topologyKey]!, 0);
        for (const [o, x] of at)
          if (values.includes(String(o)))
            domains.set(x.labels[c.topologyKey]!, domains.get(x.labels[c.topologyKey]!)! + 1);
        const self = values.includes(String(ordinal)) ? 1 : 0;
        const here = domains.get(n.labels[c.topologyKey]!);
        return here !== undefined && here + self - Math.min(...domains.values()) <= c.maxSkew;
      });
    });
    if (node) at.set(ordinal, node);
  }
  return new Map([...at].map(([o, n]) => [o, n.labels["topology.kubernetes.io/zone"]!]));
}

/** Ordinals of the pods whose drives make up each erasure set of an argument: drives outside, hosts inside, in turn. */
function dealt(argument: string, drivesOfSet: number): number[][] {
  const [hosts, drives] = [...argument.matchAll(/\{(\d+)\.\.\.(\d+)\}/g)].map((m) => [Number(m[1]), Number(m[2])]);
  const all: number[] = [];
  for (let d = drives![0]!; d <= drives![1]!; d++) for (let h = hosts![0]!; h <= hosts![1]!; h++) all.push(h);
  return Array.from({ length: all.length / drivesOfSet }, (_, i) => all.slice(i * drivesOfSet, (i + 1) * drivesOfSet));
}
