/** What the plan says of Synapse: the room that it needs, and what the loss of each process, node or zone costs. */
import assert from "node:assert/strict";
import { synapseDemands, synapseFailures, synapseNotes, synapseZoneLoss } from "../../components/layers/synapse/plan";
import type { Plan, PlanParts } from "../../components/sizing/types";
import type { LostZone } from "../../components/sizing/zones";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";

const settings = fixtureSettings();
const failuresOf = (change: (plan: Plan) => void = () => undefined) => {
  const plan = fixturePlan();
  change(plan);
  return synapseFailures({ settings, plan });
};

describe("the plan of Synapse", () => {
  it("asks for room for each class and for the replacer, on application hosts", () => {
    const demands = synapseDemands(settings, { pools: fixturePlan().synapse.pools } as PlanParts);
    assert.deepEqual(
      demands.map((d) => [d.name, d.replicas, d.maxReplicas, d.cpu, d.memoryMiB]),
      [
        ["synapse-main", 1, 1, 1, 8192],
        ["synapse-synchrotron", 4, 6, 1, 2048],
        ["synapse-initial-sync", 2, 3, 1, 2048],
        ["synapse-generic", 4, 6, 1, 1536],
        ["synapse-event-persister", 2, 2, 1, 1536],
        ["synapse-media", 2, 2, 0.5, 1024],
        ["synapse-ephemeral", 1, 1, 0.5, 768],
        ["synapse-account", 1, 1, 0.5, 768],
        ["synapse-receipts", 2, 2, 0.5, 768],
        ["synapse-device-lists", 1, 1, 0.5, 768],
        ["synapse-pusher", 1, 1, 0.5, 768],
        ["synapse-background", 1, 1, 0.5, 768],
        ["synapse-user-directory", 1, 1, 0.5, 768],
        // Python with its standard library: 27 MiB resident (measured).
        ["synapse-replacer", 2, 2, 0.01, 48],
      ],
    );
    assert.deepEqual([...new Set(demands.map((d) => d.role))], ["application"]);
  });

  it("says what users notice when a process is lost, for how long, and how that is known", () => {
    const worker = "measured: a worker starts in 3.5 s alone; the bound allows for others that start";
    const others = "measured: 0 client errors when one of several is killed";
    assert.deepEqual(
      failuresOf().map((f) => [f.failure, f.effect, f.seconds, f.source]),
      [
        [
          "Synapse main: process",
          "logins wait and main-only calls answer 503; sending, sync, media and keys go on",
          20,
          "measured: back in 3 to 4 s as a process, in 11 s as a pod; 20 s is a bound",
        ],
        ["Synapse synchrotron: process", "none: requests go to the others at once", 0, others],
        ["Synapse initial-sync: process", "first syncs on it start again on another", 0, others],
        ["Synapse generic: process", "none: requests go to the others at once", 0, others],
        [
          "Synapse event-persister: process",
          "sends in its share of the rooms wait, then complete",
          27,
          "measured: waiting sends resume about 12 s after it is healthy",
        ],
        ["Synapse media: process", "none for uploads and downloads; quarantine calls wait if it is media-0", 0, others],
        ["Synapse ephemeral: process", "typing notices, presence answer 503 or wait", 15, worker],
        [
          "Synapse account: process",
          "to-device messages (keys), changes of account data, push rules answer 503 or wait",
          15,
          worker,
        ],
        // Two of them: half of the users each.
        [
          "Synapse receipts: process",
          "read receipts, thread subscriptions of its share answer 503 or wait",
          15,
          worker,
        ],
        ["Synapse device-lists: process", "device list updates answer 503 or wait", 15, worker],
        ["Synapse pusher: process", "push notices of its share wait", 15, worker],
        ["Synapse background: process", "cleanups wait", 15, worker],
        ["Synapse user-directory: process", "searches find no new users meanwhile", 15, worker],
        [
          "Synapse main or a writer: node",
          "as its process; it starts elsewhere by itself, and the database ends what the old one may still do",
          120,
          "bound: node declared lost after 40 to 50 s, replaced within 5 s, the restart of all that it carried at once",
        ],
      ],
    );
    assert.equal(
      failuresOf((plan) => {
        plan.synapse.pools.find((p) => p.class === "receipts")!.replicas = 1;
      }).find((f) => f.failure.includes("receipts"))!.effect,
      "read receipts, thread subscriptions answer 503 or wait",
      "one has all users",
    );
  });

  it("names the classes of one process that nobody replaces, with their seconds", () => {
    const plan = fixturePlan();
    // One of a class whose work others take over is no single point.
    plan.synapse.pools.find((p) => p.class === "generic")!.replicas = 1;
    assert.deepEqual(synapseNotes({ settings, plan }), [
      "Single points that Synapse imposes, with the seconds until they are back: main 20, ephemeral 15, account 15, device-lists 15, pusher 15, background 15, user-directory 15. Each event persister is one for its share of the rooms. When their node is lost, they are back on others in 120 s, by themselves.",
    ]);
  });
});

describe("the loss of a zone", () => {
  const zone = (roles: string[], noRoom?: LostZone["noRoom"]): LostZone =>
    ({
      lost: settings.hosts.filter((h) => h.zone === "a" && h.roles.some((r) => roles.includes(r))),
      noRoom,
    }) as LostZone;
  const single = {
    part: "Synapse main and writers",
    outcome: "recovers",
    effect: "as its process; it starts elsewhere by itself, and the database ends what the old one may still do",
    seconds: 120,
    source: "bound: as for a node",
  };
  const loss = (lost: LostZone) => synapseZoneLoss({ settings, plan: fixturePlan() }, lost);

  it("costs Synapse nothing where no application host is there", () => {
    assert.deepEqual(loss(zone(["database", "storage"])), []);
  });

  it("costs a minute and the restart of what is there, where the other hosts have room", () => {
    assert.deepEqual(loss(zone(["application", "database"])), [
      {
        part: "Synapse's workers",
        outcome: "recovers",
        effect: "those there start on other hosts; the others answer meanwhile",
        // 40 s until the node counts as lost, and 30 s more until its pods leave.
        seconds: 70,
        source:
          "bound: a node is declared lost after 40 s, its pods leave after 30 s more; 1 of 3 application hosts are there",
      },
      single,
    ]);
  });

  it("stops the workers that find no room, and says which and what to do", () => {
    const stopped = (pods: number, names: string[]) =>
      loss(zone(["application"], { pods, names } as LostZone["noRoom"]));
    const [workers, main] = stopped(5, ["generic", "media", "pusher", "account"]);
    assert.deepEqual(workers, {
      part: "Synapse's workers",
      outcome: "stops",
      effect: "5 pods find no room on the other hosts (generic, media, pusher, ...); what they do is slow or waits",
      seconds: 0,
      source: "1 of 3 application hosts are there",
      remedy: "Add application hosts, or spread them more evenly over the zones",
    });
    assert.deepEqual(main, single);
    assert.match(stopped(3, ["generic", "media", "pusher"])[0]!.effect, /\(generic, media, pusher\);/);
  });
});
