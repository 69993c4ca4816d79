/** Which processes there are, by name; which of them others find; in which order they start. */
import assert from "node:assert/strict";
import {
  EVENT_REPLICATION_PORTS,
  EVENT_SENDERS,
  instanceHost,
  instanceNames,
  isAlone,
  isSingleton,
  isWriter,
  poolOf,
  replicationPort,
  startOrder,
  streamWriters,
  writesEvents,
} from "../../components/layers/synapse/instances";
import { EXCEPTIONS } from "../../components/layers/synapse/exceptions";
import { IMAGES } from "../../components/layers/synapse/images";
import { synapse } from "../../components/layers/synapse/layer";
import { MOUNTS, oidcSecretFile, pythonName, SHARED_FILES } from "../../components/layers/synapse/paths";
import { PROBE_PATHS, REPLACER, REPLACER_PODS } from "../../components/layers/synapse/replacerFacts";
import { SYNAPSE_SECRETS } from "../../components/layers/synapse/secrets";
import { synapseTargets } from "../../components/layers/synapse/targets";
import type { WorkerClass } from "../../components/domain/workerClasses";
import type { Plan, PoolPlan } from "../../components/sizing/types";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";

const plan = fixturePlan();
const classesThat = (is: (cls: WorkerClass) => boolean): WorkerClass[] =>
  plan.synapse.pools.map((p) => p.class).filter(is);
const poolsThat = (is: (pool: PoolPlan) => boolean): WorkerClass[] => plan.synapse.pools.filter(is).map((p) => p.class);
const without = (cls: WorkerClass): Plan => {
  const other = fixturePlan();
  other.synapse.pools = other.synapse.pools.filter((p) => p.class !== cls);
  return other;
};
const changed = (cls: WorkerClass, change: Partial<PoolPlan>): Plan => {
  const other = fixturePlan();
  Object.assign(poolOf(other, cls)!, change);
  return other;
};

describe("Synapse's processes", () => {
  it("are named after their pods, which count from 0", () => {
    assert.deepEqual(instanceNames(plan, "main"), ["synapse-main-0"]);
    assert.deepEqual(instanceNames(plan, "event-persister"), [
      "synapse-event-persister-0",
      "synapse-event-persister-1",
    ]);
    assert.deepEqual(instanceNames(plan, "presence"), [], "the plan of 1,000 users has none");
    assert.equal(poolOf(plan, "presence"), undefined);
    assert.equal(
      instanceHost("media", 1, "cluster.test"),
      "synapse-media-1.synapse-media.matrix.svc.cluster.test",
      "a StatefulSet gives each pod a name below its Service",
    );
  });

  it("have no names where their number changes by itself", () => {
    assert.throws(() => instanceNames(plan, "synchrotron"), {
      message:
        "synapse: processes of class synchrotron must have known names, so its pool must be a StatefulSet, not a Deployment",
    });
  });

  it("write each stream where the plan says so; what main writes is not listed", () => {
    const expected = {
      events: ["synapse-event-persister-0", "synapse-event-persister-1"],
      typing: ["synapse-ephemeral-0"],
      to_device: ["synapse-account-0"],
      account_data: ["synapse-account-0"],
      receipts: ["synapse-receipts-0", "synapse-receipts-1"],
      presence: ["synapse-ephemeral-0"],
      push_rules: ["synapse-account-0"],
      device_lists: ["synapse-device-lists-0"],
      thread_subscriptions: ["synapse-receipts-0", "synapse-receipts-1"],
      quarantined_media_changes: ["synapse-media-0", "synapse-media-1"],
    };
    assert.deepEqual(streamWriters(plan), expected);
    const byMain = fixturePlan();
    byMain.synapse.streamWriters.typing = "main";
    const { typing: _typing, ...others } = expected;
    assert.deepEqual(streamWriters(byMain), others);
    const { typing: _t, presence: _p, ...rest } = expected;
    assert.deepEqual(streamWriters(without("ephemeral")), rest, "a class that the plan lacks writes nothing");
  });

  it("write a stream of one writer one at a time, and the error says what to set", () => {
    assert.throws(() => streamWriters(changed("ephemeral", { replicas: 2 })), {
      message:
        "synapse: stream typing has 2 writers (class ephemeral); Synapse takes exactly one: set overrides.pools.ephemeral.replicas to 1",
    });
    assert.throws(() => streamWriters(changed("ephemeral", { replicas: 0 })), /stream typing has 0 writers/);
    assert.doesNotThrow(() => streamWriters(changed("receipts", { replicas: 3 })), "these may be several");
  });

  it("accept the others' requests where they write: main and the writers, no others", () => {
    assert.deepEqual(
      classesThat((cls) => isWriter(plan, cls)),
      ["main", "event-persister", "media", "ephemeral", "account", "receipts", "device-lists"],
    );
    assert.equal(isWriter(without("receipts"), "receipts"), false);
    assert.deepEqual(
      classesThat((cls) => writesEvents(plan, cls)),
      ["event-persister"],
    );
  });

  it("take them on one port, but event persisters on a port for each number of them", () => {
    assert.equal(replicationPort(plan, "main"), 9093);
    assert.equal(replicationPort(plan, "receipts"), 9093);
    assert.equal(replicationPort(plan, "event-persister"), 9202, "two persisters");
    assert.equal(replicationPort(changed("event-persister", { replicas: 3 }), "event-persister"), 9203);
    assert.equal(replicationPort(without("event-persister"), "event-persister"), 9200, "none: a port of nobody");
    // From one to 500, the most pods that overrides accept.
    assert.deepEqual(EVENT_REPLICATION_PORTS, { port: 9201, endPort: 9700 });
  });

  it("start in the order main, single writers, event persisters with who sends to them, the rest", () => {
    assert.deepEqual(startOrder(plan), [
      ["media", "ephemeral", "account", "receipts", "device-lists"],
      ["generic", "event-persister"],
      ["synchrotron", "initial-sync", "pusher", "background", "user-directory"],
    ]);
    assert.deepEqual(EVENT_SENDERS, ["generic", "federation-reader"]);
  });

  it("exist once by name but for the autoscaled; some of them nobody replaces", () => {
    assert.deepEqual(
      poolsThat((p) => !isAlone(p)),
      ["synchrotron", "initial-sync", "generic"],
    );
    assert.deepEqual(
      poolsThat((p) => !isSingleton(p)),
      ["synchrotron", "initial-sync", "generic", "media"],
      "a router sends a lost one's requests to the others",
    );
  });

  it("are scraped, each class, on its port for metrics", () => {
    assert.deepEqual(synapseTargets({ settings: fixtureSettings(), plan }), [
      {
        name: "synapse",
        namespace: "matrix",
        pods: { components: plan.synapse.pools.map((p) => `synapse-${p.class}`) },
        port: 9000,
        paths: ["/_synapse/metrics"],
        layer: "synapse",
        synapse: true,
      },
    ]);
  });
});

describe("Synapse's files", () => {
  it("are where Synapse's configuration looks for them", () => {
    assert.deepEqual(MOUNTS, {
      shared: "/conf/shared",
      class: "/conf/class",
      secrets: "/secrets",
      email: "/conf/email",
      extra: "/conf/extra",
      appservices: "/conf/appservices",
      terms: "/conf/terms",
      data: "/data",
      tmp: "/tmp",
    });
    assert.equal(new Set(Object.values(SHARED_FILES)).size, Object.keys(SHARED_FILES).length);
  });
  it("have names that Python takes", () => {
    assert.equal(pythonName("lost_events.py", "EndWhenLost"), "lost_events.EndWhenLost");
    assert.equal(pythonName("a.pyc", "B"), "a.pyc.B", "only the suffix goes");
    assert.equal(pythonName("x.py.py", "B"), "x.py.B");
    for (const [name, file] of Object.entries(SHARED_FILES))
      assert.match(file, /^[a-z_]+[.](?:py|yaml|crt)$/, `${name}: a module's name has no dash`);
  });
  it("keep a provider's secret under a name that a Secret takes as key", () => {
    assert.equal(oidcSecretFile("corp.Id_1-a"), "oidc-corp.Id_1-a");
    assert.equal(oidcSecretFile("a/b c"), "oidc-a-b-c");
  });
});

describe("the layer of Synapse", () => {
  it("runs one exact version of the image", () => {
    assert.deepEqual(Object.keys(IMAGES), ["synapse"]);
    const { repository, tag, source } = IMAGES.synapse;
    assert.deepEqual([repository, tag], ["localhost/matrix-ha/synapse", "1.163.2"]);
    assert.ok(source.includes(`matrix-synapse ${tag} and`), "where the version was seen");
  });

  it("generates its secrets under labels that never change, and may be given those of an earlier server", () => {
    assert.deepEqual(
      SYNAPSE_SECRETS.map(({ from, ...rest }) => rest),
      [
        // Without it every room is unreachable to other servers, and without the next no one stays logged in as guest.
        {
          label: "signing-key",
          length: 64,
          fatal: true,
          importable: "signingKey",
          formerType: "random:index/randomBytes:RandomBytes",
        },
        { label: "macaroon", length: 64, fatal: true, importable: "macaroonSecretKey" },
        { label: "form", length: 64, importable: "formSecret" },
        { label: "registration", length: 64, importable: "registrationSharedSecret" },
        { label: "replication", length: 64 },
      ],
    );
    assert.deepEqual(
      SYNAPSE_SECRETS.map((s) => typeof s.from),
      ["function", "undefined", "undefined", "undefined", "undefined"],
    );
  });

  it("may run one process of each class that Synapse allows once, and of those that are small", () => {
    const why = Object.fromEntries(EXCEPTIONS.filter((e) => e.rule === "12").map((e) => [e.object, e.why]));
    assert.deepEqual(
      Object.keys(why),
      [
        "main",
        "ephemeral",
        "presence",
        "to-device",
        "account",
        "receipts",
        "device-lists",
        "pusher",
        "appservice",
        "background",
        "user-directory",
      ].map((cls) => `StatefulSet matrix/synapse-${cls}`),
    );
    assert.equal(
      why["StatefulSet matrix/synapse-ephemeral"],
      "it writes typing notifications. Synapse allows one such process; a lost one is replaced without anyone, and `npm run plan` names the time that takes",
    );
    assert.match(
      why["StatefulSet matrix/synapse-pusher"]!,
      /small stacks do not need\. Synapse allows several such processes; /,
    );
  });

  it("checks its configuration in a Job that connects to nothing and may lack the file for e-mail", () => {
    const job = EXCEPTIONS.filter((e) => e.rule !== "12");
    assert.deepEqual(
      job.map((e) => [e.rule, e.object]),
      [
        ["20", "Job matrix/synapse-check-config-*"],
        ["15b", "Job matrix/synapse-check-config-*"],
      ],
    );
    const [edges, mail] = job.map((e) => e.what);
    assert.match("its configuration names redis.matrix but there is no edge to it", edges as RegExp);
    for (const other of ["x its configuration names a but there is no edge to it", "its configuration names a host"])
      assert.doesNotMatch(other, edges as RegExp);
    assert.match("/conf/email/email.yaml is not mounted", mail as RegExp);
    for (const other of ["x/conf/email/email.yaml is not mounted", "/conf/email/email.yaml is not mounted at all"])
      assert.doesNotMatch(other, mail as RegExp);
    for (const e of job) assert.match(e.why, /^it.*;.*/, "the reason");
  });

  it("knows its pods, and the replacer, of which one is left when a machine is lost", () => {
    assert.equal(synapse.name, "synapse");
    assert.deepEqual(synapse.pods, ["synapse-main", "synapse-*"]);
    assert.equal(synapse.checks?.length, 1);
    const groups = synapse.alerts!({ settings: fixtureSettings(), plan } as never);
    assert.deepEqual(
      groups.map((g) => g.name),
      ["synapse"],
    );
    assert.equal(REPLACER, "synapse-replacer");
    assert.deepEqual(REPLACER_PODS, { replicas: 2, cpu: 0.01, memoryMiB: 48 });
    assert.deepEqual(PROBE_PATHS, { ready: "/ready", alive: "/alive" });
  });
});
