import assert from "node:assert/strict";
import * as yaml from "yaml";
import { tier } from "../../lab/common/tiers";
import { pointOf, type Comparison, type Point, type Side } from "../../lab/load/sideBySide";
import { comparisonPage, comparisonPicture, holdsUpTo } from "../../lab/load/sideBySidePage";
import { oneProcess } from "../../lab/load/oneProcess";
import type { Report } from "../../lab/load/run";
import { subjectFor } from "../../lab/real/configurations";

const figures = (more: object): any => ({
  offered: 10,
  served: 10,
  refused: 0,
  failed: 0,
  p50: 20,
  p95: 90,
  p99: 95,
  ...more,
});
const report = (send: object, delivery95 = 300): Report => ({
  plan: { users: 4, seconds: 10, seed: 1 },
  seconds: 10,
  kinds: { send: figures(send) },
  woken: { longPoll: 0, sliding: 0, failed: 0, messages: 0 },
  delivery: { p50: 100, p95: delivery95, p99: 400 },
  cpu: { main: 2, postgres: 3 },
  own: 1,
  rooms: { count: 3, largest: 4 },
  members: 20,
});

describe("one process beside all workers", () => {
  it("is main with nothing left of the others, and answers what they answer", async () => {
    const whole = await subjectFor({ name: "whole", config: tier(100).config });
    const one = oneProcess(whole);
    assert.deepEqual(
      one.templates.filter((t) => t.labels["app.kubernetes.io/name"] === "synapse").map((t) => t.owner.name),
      ["synapse-main"],
    );
    const read = (name: RegExp, file: string): any =>
      yaml.parse(one.objects.find((o) => o.kind === "ConfigMap" && name.test(o.name))!.inputs.data[file]);
    const shared = read(/^synapse-shared-/, "homeserver.yaml");
    const left = Object.keys(shared).filter((key) => /worker|instance|stream|redis|modules|media_repo/.test(key));
    assert.deepEqual(left, []);
    const { listeners } = read(/^synapse-main-/, "class.yaml");
    const names = listeners.flatMap((l: any) => (l.resources ?? []).flatMap((r: any) => r.names));
    assert.deepEqual(names.toSorted(), ["client", "health", "media", "openid"]);
    // Everything else is the stack's.
    const before = yaml.parse(
      whole.objects.find((o) => o.kind === "ConfigMap" && o.name.startsWith("synapse-shared-"))!.inputs.data[
        "homeserver.yaml"
      ],
    );
    assert.ok(before.instance_map && before.redis, "the whole one has workers");
    for (const key of Object.keys(shared))
      if (!["send_federation", "media_store_path"].includes(key)) assert.deepEqual(shared[key], before[key], key);
  });

  it("holds a rate when all messages are taken and are there in time", () => {
    assert.deepEqual(pointOf(2, report({})), {
      rate: 2,
      offered: 10,
      served: 10,
      p50: 20,
      p95: 90,
      delivery95: 300,
      cpu: 0.5,
      cores: 0.5,
      holds: true,
    });
    assert.ok(!pointOf(2, report({ served: 9 })).holds);
    assert.ok(!pointOf(2, report({ p95: 2001 })).holds);
    assert.ok(!pointOf(2, report({}, 2001)).holds);
    assert.ok(!pointOf(2, report({ p95: undefined })).holds);
  });

  const point = (rate: number, holds: boolean): Point => ({ ...pointOf(rate, report({ p95: rate * 50 })), holds });
  const side = (name: string, holds: boolean[]): Side => ({
    name,
    processes: 3,
    points: holds.map((h, i) => point(2 ** i, h)),
  });

  it("holds up to the rate before the first that it does not, whatever came after", () => {
    assert.equal(holdsUpTo(side("a", [true, true, false, true])), 2);
    assert.equal(holdsUpTo(side("a", [false, true])), undefined);
    assert.equal(holdsUpTo(side("a", [true, true])), 2);
  });

  it("is written down as measured", () => {
    const c: Comparison = {
      date: "2026-11-30",
      plan: { users: 40, rates: [1, 2, 4], seconds: 30, seed: 7 },
      load: [0.4, 1],
      rooms: { count: 12, largest: 40 },
      sides: [side("All workers", [true, false]), side("One process", [true, true, true])],
    };
    const page = comparisonPage(c, { synapse: "1.163.2", postgres: "18.6" }, { cpu: "a processor", cores: 2 });
    assert.match(
      page,
      /\*\*All workers [^;]*: held up to 1 messages a second; One process [^;]*: held up to 4 messages a second, the highest that was tried\.\*\*/,
    );
    assert.equal(page.match(/^\| [124] \| (All workers|One process) \|/gm)?.length, 5);
    const picture = comparisonPicture(c);
    assert.equal(picture.match(/<circle /g)?.length, 5);
    assert.equal(picture.match(/fill="#fff" stroke/g)?.length, 1, "the rate that is not held is hollow");
    assert.ok(!/NaN|Infinity|undefined/.test(picture), picture);
  });
});
