/** What is lost with a zone: replicas that are spread, the rows of the table of failures, and the notes. */
import assert from "node:assert/strict";
import type { HostSettings } from "../../../components/settings/types";
import type { ZoneEffect, ZonePlan } from "../../../components/sizing";
import { floating } from "../../../components/sizing/demands";
import {
  equalReplicas,
  lostZones,
  replicasIn,
  zoneFailures,
  zoneNotes,
  zonesOf,
  type LostZone,
} from "../../../components/sizing/zones";
import { bare, host } from "./bare";

/** A host in each of these zones, `a-1` on; `-`: in none. */
const inZones = (zones: string): HostSettings[] =>
  [...zones].map((zone, i) => host(`h-${i + 1}`, ["application"], zone === "-" ? {} : { zone }));
const settings = (zones: string): ReturnType<typeof bare> => bare(100, (s) => (s.hosts = inZones(zones)));

describe("zones", () => {
  it("are those of the hosts, in the order in which they are first named", () => {
    assert.deepEqual(zonesOf(inZones("ba-abc")), ["b", "a", "c"]);
    assert.deepEqual(zonesOf(inZones("--")), []);
  });

  it("are lost one at a time, where there are several", () => {
    const lost = lostZones(settings("abca-"), []);
    assert.deepEqual(
      lost.map((z) => [z.name, z.lost.map((h) => h.name).join(), z.left.map((h) => h.name).join(), z.noRoom]),
      [
        ["a", "h-1,h-4", "h-2,h-3,h-5", undefined],
        ["b", "h-2", "h-1,h-3,h-4,h-5", undefined],
        ["c", "h-3", "h-1,h-2,h-4,h-5", undefined],
      ],
    );
    assert.ok(lost.every((z) => !("noRoom" in z)));
    assert.equal(lostZones(settings("ab"), []).length, 2);
    assert.deepEqual([lostZones(settings("aa-"), []), lostZones(settings("--"), [])], [[], []]);
  });

  it("that hold more than the others have room for say so", () => {
    // 14 pods of a core on each host.
    const web = floating("web", { replicas: 15, cpu: 1, memoryMiB: 1 });
    const [a, b] = lostZones(settings("aab"), [web]);
    assert.deepEqual([a.noRoom?.pods, a.noRoom?.names, b.noRoom], [1, ["web"], undefined]);
  });

  it("hold the most of what is spread evenly, as far as it is spread", () => {
    const most = (zones: string, replicas: number, onePerHost = false): number[] =>
      [...new Set(zones)].map((z) => replicasIn(z, { hosts: inZones(zones), replicas, onePerHost }));
    assert.deepEqual(most("abc", 3), [1, 1, 1]);
    // Which zone gets the fourth is not known: it may be any.
    assert.deepEqual(most("abc", 4), [2, 2, 2]);
    assert.deepEqual(most("abc", 2), [1, 1, 1]);
    assert.deepEqual(most("aaab", 4), [2, 2]);
    assert.deepEqual(most("abc", 0), [0, 0, 0]);
    // With a host for each, a zone with one host has no more than one; there is no room for a fifth.
    assert.deepEqual(most("aaab", 4, true), [3, 1]);
    assert.deepEqual(most("aaab", 9, true), [3, 1]);
    assert.deepEqual(most("aab", 2, true), [1, 1]);
    assert.equal(replicasIn("z", { hosts: inZones("ab"), replicas: 9 }), 0, "no host is there");
  });

  it("that are not known are each host's own", () => {
    const hosts = inZones("a--");
    assert.equal(replicasIn("a", { hosts, replicas: 3 }), 1);
    assert.equal(replicasIn("a", { hosts, replicas: 4 }), 2);
    assert.equal(replicasIn("a", { hosts, replicas: 9, onePerHost: true }), 1);
    assert.equal(replicasIn("a", { hosts: inZones("aa--"), replicas: 4, onePerHost: true }), 2);
  });
});

describe("equal replicas", () => {
  const effects = (zones: string, replicas: number, seconds: number): ZoneEffect[] =>
    equalReplicas({ name: "a", lost: [], left: [] } satisfies LostZone, {
      hosts: inZones(zones),
      replicas,
      part: "router",
      stands: "nothing is answered",
      effect: "some requests are slow",
      seconds,
      source: "measured",
      remedy: "Put hosts into other zones",
    });

  it("go on where some are left: at once, or after some seconds", () => {
    const effect = { part: "router", effect: "some requests are slow", source: "measured" };
    assert.deepEqual(effects("abc", 3, 0), [{ ...effect, outcome: "goes on", seconds: 0 }]);
    assert.deepEqual(effects("abc", 3, 9), [{ ...effect, outcome: "recovers", seconds: 9 }]);
  });

  it("stand where the zone may hold them all", () => {
    const stopped = {
      part: "router",
      outcome: "stops",
      effect: "nothing is answered",
      seconds: 0,
      source: "all 2 may be in the zone",
      remedy: "Put hosts into other zones",
    };
    assert.deepEqual(effects("aa", 2, 9), [stopped]);
    assert.deepEqual(effects("ab", 1, 9), [{ ...stopped, source: "all 1 may be in the zone" }]);
  });

  it("have no effect where the zone has none", () => {
    assert.deepEqual(effects("bc", 2, 9), []);
  });
});

const effect = (part: string, outcome: ZoneEffect["outcome"], more: Partial<ZoneEffect> = {}): ZoneEffect => ({
  part,
  outcome,
  effect: `${part} ${outcome}`,
  seconds: outcome === "recovers" ? 30 : 0,
  source: "measured",
  ...more,
});
const zone = (name: string, ...effects: ZoneEffect[]): ZonePlan => ({ zone: name, hosts: 1, effects });

describe("the table of failures", () => {
  const row = (failure: string, e: ZoneEffect): object => ({
    failure,
    effect: e.effect,
    seconds: e.seconds,
    source: e.source,
    ...(e.outcome === "stops" ? { untilBack: true } : {}),
  });

  it("has a row for each part of all zones together, and one for each zone that differs", () => {
    const goes = effect("Redis", "goes on");
    const recovers = effect("PostgreSQL", "recovers");
    const stops = effect("PostgreSQL", "stops");
    const zones = [zone("a", recovers, goes), zone("b", stops, goes), zone("c", recovers, goes)];
    assert.deepEqual(zoneFailures(zones), [
      row("Zone a or c lost: PostgreSQL", recovers),
      row("Zone b lost: PostgreSQL", stops),
      row("Zone lost: Redis", goes),
    ]);
    assert.deepEqual(zoneFailures([]), []);
  });

  it("keeps rows of one part together, and apart what differs in effect, outcome or seconds", () => {
    const e = effect("MinIO", "recovers");
    for (const other of [
      effect("MinIO", "recovers", { seconds: 31 }),
      effect("MinIO", "recovers", { effect: "uploads fail" }),
      effect("MinIO", "goes on", { seconds: 30, effect: e.effect }),
      effect("Redis", "recovers", { effect: e.effect }),
    ])
      assert.equal(zoneFailures([zone("a", e), zone("b", other)]).length, 2, JSON.stringify(other));
    assert.equal(zoneFailures([zone("a", e), zone("b", { ...e, source: "bound" })]).length, 1);
    const rows = zoneFailures([
      zone("a", effect("MinIO", "stops"), effect("Redis", "goes on")),
      zone("b", effect("MinIO", "recovers")),
    ]);
    assert.deepEqual(
      rows.map((r) => r.failure),
      ["Zone a lost: MinIO", "Zone b lost: MinIO", "Zone a lost: Redis"],
    );
  });
});

describe("the notes on zones", () => {
  it("warn of each part that a zone's loss stops, with the zones and the remedy", () => {
    const zones = [
      zone("a", effect("MinIO", "stops", { remedy: "Add zones" }), effect("Redis", "goes on")),
      zone("b", effect("MinIO", "stops", { effect: "other" }), effect("Redis", "recovers")),
      zone("c", effect("TURN", "stops", { source: "all 2 may be in the zone" })),
    ];
    assert.deepEqual(zoneNotes(settings("abc"), zones), [
      "WARNING: MinIO does not survive the loss of zone a or b (measured): MinIO stops. Add zones.",
      "WARNING: TURN does not survive the loss of zone c (all 2 may be in the zone): TURN stops.",
    ]);
    assert.deepEqual(zoneNotes(settings("abc"), [zone("a", effect("Redis", "recovers"))]), []);
  });

  it("say that there is no zone to lose", () => {
    const rest =
      "what they share (power, switch, room) can fail for all of them at once, and then everything stands. With `hosts[].zone` of three zones, the plan computes what the loss of each costs.";
    assert.deepEqual(zoneNotes(settings("--"), []), [`No host has a zone: ${rest}`]);
    assert.deepEqual(zoneNotes(settings("aaa"), []), [`All 3 hosts are in zone a: ${rest}`]);
    assert.deepEqual(zoneNotes(settings("a-a"), []), [`All hosts are in zone a or in none: ${rest}`]);
  });

  it("name hosts without a zone, four of them at most", () => {
    const zones = [zone("a", effect("Redis", "goes on"))];
    const rest = "the plan takes each for a zone of its own.";
    assert.deepEqual(zoneNotes(settings("ab-"), zones), [`1 of 3 hosts have no zone (h-3): ${rest}`]);
    assert.deepEqual(zoneNotes(settings("ab----"), zones), [`4 of 6 hosts have no zone (h-3, h-4, h-5, h-6): ${rest}`]);
    assert.deepEqual(zoneNotes(settings("ab-----"), zones), [
      `5 of 7 hosts have no zone (h-3, h-4, h-5, h-6, ...): ${rest}`,
    ]);
  });
});
