/** What `npm run diff -- --against REVISION` says about an upgrade. */
import assert from "node:assert/strict";
import { duties, releasesOf } from "../../cli/changelog";
import { compare, formatChanges, type Change } from "../../cli/diff";
import type { RegisteredResource } from "../../cli/evaluate";
import { formatUpgrade, imageChanges, referenceParts, stepsOf, upgradeOf, type Upgrade } from "../../cli/upgrade";
import { minorOf, SCHEMAS, wayBack } from "../../components/layers/synapse/schemaVersions";
import { IMAGES } from "../../components/layers/registry";
import { applySets } from "../../components/settings/stackFile";
import { evaluated, tier } from "../../lab/common/tiers";

const SMALL = tier(1000).config;
const EARLIER = [
  "images.overrides.synapse=localhost/matrix-ha/synapse:1.162.0",
  "images.overrides.cloudnativePg=ghcr.io/cloudnative-pg/cloudnative-pg:1.29.3",
];

async function upgradeFrom(sets: string[]): Promise<Upgrade> {
  const before = await evaluated(applySets(SMALL, sets)),
    after = await evaluated(SMALL);
  const { failures } = after.plan;
  const [from, to] = [before.evaluation, after.evaluation];
  return upgradeOf({ before: from, after: to, changes: compare(from, to, failures), failures });
}

const changed = (title: string, path: string, from: string, to: string): Change => ({
  layer: "x",
  action: "update",
  title,
  fields: [{ path, from, to }],
});
const of = (changes: Change[], more: Partial<Parameters<typeof upgradeOf>[0]> = {}): Upgrade =>
  upgradeOf({ before: NOTHING, after: NOTHING, changes, failures: [], ...more });
const NOTHING = { resources: [], outputs: {} };
const MAIN = "StatefulSet matrix/synapse-main",
  MAIN_IMAGE = "spec.template.spec.containers.synapse.image";

describe("an upgrade of the backups' sidecar", function () {
  this.timeout(120_000);
  it("restarts PostgreSQL", async () => {
    const { restarts } = await upgradeFrom([
      "images.overrides.barmanSidecar=ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar:v0.1.0",
    ]);
    assert.match(
      restarts.find((r) => r.title === "Cluster matrix/synapse-postgres")!.why,
      /puts another sidecar into these pods/,
    );
  });
});

describe("an upgrade of which all is done by hand", () => {
  it("says so, though nothing would change", () =>
    assert.equal(
      formatChanges([], [], ["By hand: save the keys", ""]),
      "Nothing would change.\n\nBy hand: save the keys",
    ));
});

describe("an upgrade of Synapse and of CloudNativePG", function () {
  this.timeout(120_000);
  let upgrade: Upgrade;
  before(async () => {
    upgrade = await upgradeFrom(EARLIER);
  });
  const step = (title: string): number => {
    const found = upgrade.restarts.find((r) => r.title === title);
    assert.ok(found, `${title} restarts; there are ${upgrade.restarts.map((r) => r.title).join(", ")}`);
    return found.step;
  };

  it("names each image once, with both versions", () =>
    assert.deepEqual(
      upgrade.images.map((i) => [i.repository, i.from, i.to]),
      [
        ["ghcr.io/cloudnative-pg/cloudnative-pg", "1.29.3", "1.30.0"],
        ["localhost/matrix-ha/synapse", "1.162.0", "1.163.2"],
      ],
    ));

  it("restarts the operator, then PostgreSQL, poolers, main, writers, event persisters, readers, in this order", () => {
    const order = [
      "Deployment cnpg-system/cnpg-controller-manager",
      "Cluster matrix/synapse-postgres",
      "Pooler matrix/synapse-postgres-pooler-rw",
      MAIN,
      "StatefulSet matrix/synapse-account",
      "StatefulSet matrix/synapse-event-persister",
      "Deployment matrix/synapse-synchrotron",
    ].map(step);
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
    assert.equal(new Set(order).size, order.length, "none of them together with another");
  });

  it("says for how long each is away, and how that is known", () => {
    const at = (title: string): unknown[] => {
      const { seconds, origin } = upgrade.restarts.find((r) => r.title === title)!;
      return [seconds, origin];
    };
    assert.deepEqual(at("Cluster matrix/synapse-postgres"), [11, "measured: 10.7 s"]);
    assert.deepEqual(at(MAIN), [20, "measured: back in 3 to 4 s as a process, in 11 s as a pod; 20 s is a bound"]);
    assert.deepEqual(at("Deployment matrix/synapse-generic"), [
      0,
      "measured: 0 client errors when one of several is killed",
    ]);
    const replacer = upgrade.restarts.find((r) => r.title === "Deployment matrix/synapse-replacer")!;
    assert.deepEqual(
      [replacer.seconds, replacer.effect],
      [undefined, "one of its 2 pods after the other: costs no request"],
    );
  });

  it("says that there is a way back, and what is to be built first", () => {
    assert.deepEqual(upgrade.wayBack, [
      "Synapse 1.163.2 back to 1.162.0: open (1.163.2 leaves a database for schema 84 and later, and 1.162.0 knows 94)",
    ]);
    assert.deepEqual(upgrade.byHand, [
      "before: build and push what no registry publishes: npm run images -- build synapse, then npm run images -- push REGISTRY synapse",
    ]);
  });

  it("prints the restarts in their order, with step, seconds and origin", () => {
    const text = formatUpgrade(upgrade).join("\n").replace(/\s+/g, " ");
    assert.match(text, /The way back: - Synapse 1\.163\.2 back to 1\.162\.0: open/);
    assert.match(text, / \d\. StatefulSet matrix\/synapse-main: about 20 s: logins wait/);
    assert.match(text, / \d\. Deployment matrix\/synapse-generic: 0 s: none/);
    assert.ok(text.indexOf("Cluster matrix/synapse-postgres: about 11 s") < text.indexOf("synapse-main: about 20 s"));
  });
});

describe("the order of restarts", () => {
  const r = (name: string, dependencies: string[], custom = true): RegisteredResource =>
    ({ urn: name, type: `t:${name}`, name, custom, dependencies, inputs: {} }) as unknown as RegisteredResource;
  it("follows what waits for what, also through objects that do not restart", () =>
    assert.deepEqual(
      [
        ...stepsOf(new Set(["A A", "C C", "D D", "E E"]), [
          { ...r("A", []), type: "A" },
          { ...r("B", ["A"]), type: "B" },
          { ...r("C", ["B"]), type: "C" },
          { ...r("D", []), type: "D" },
          { ...r("E", ["C", "D"]), type: "E" },
        ]),
      ],
      [
        ["A A", 1],
        ["C C", 2],
        ["D D", 1],
        ["E E", 3],
      ],
    ));
});

describe("images", () => {
  it("are read with port, digest and without tag", () => {
    assert.deepEqual(referenceParts("r.example:5000/a/b:1.2@sha256:00"), {
      repository: "r.example:5000/a/b",
      tag: "1.2",
      digest: "sha256:00",
    });
    assert.deepEqual(referenceParts("r.example:5000/a/b"), { repository: "r.example:5000/a/b", tag: "" });
  });

  it("of the same tag are told apart by their digests, those of another registry by their names", () => {
    const one = (from: string, to: string): string[] =>
      imageChanges([changed("Deployment a/b", MAIN_IMAGE, from, to)]).flatMap((i) => [i.from, i.to]);
    assert.deepEqual(one("r/a:1@sha256:0123456789abcdef", "r/a:1@sha256:fedcba9876543210"), [
      "1@sha256:0123456789ab",
      "1@sha256:fedcba987654",
    ]);
    assert.deepEqual(one("r/a:1", "s/a:1"), ["r/a:1", "s/a:1"]);
  });
});

describe("by hand", () => {
  it("are the changelog's points, pinned images, and what is made again as a whole", () =>
    assert.deepEqual(
      of([{ ...changed("StatefulSet minio/minio", "spec.serviceName", "a", "b"), action: "replace" }], {
        duties: [{ version: "0.2.0", text: "set x" }],
        overrides: { synapse: "r.example/synapse:1.162.0", redis: "r.example/redis:8.0.6-alpine" },
        tags: { synapse: "1.163.2", redis: "8.0.6" },
      }).byHand,
      [
        "0.2.0: set x",
        "images.overrides.synapse keeps 1.162.0, and this version was tested with 1.163.2: change or remove it",
        "StatefulSet minio/minio is deleted and made again, all of its pods at once: choose a quiet hour",
      ],
    ));

  it("a major version of PostgreSQL is more than a switchover, and has no way back", () => {
    const upgrade = of([
      {
        ...changed("Cluster matrix/synapse-postgres", "spec.imageName", "r/pg:17.9-standard", "r/pg:18.6-standard"),
        restarts: "new image",
      },
    ]);
    assert.deepEqual(upgrade.byHand, [
      'PostgreSQL 17 -> 18 is a major version: before it a base backup, and another backups.archiveName; after it a base backup again (docs/operate.md, "Upgrade")',
    ]);
    assert.equal(upgrade.restarts[0]!.seconds, undefined);
    assert.match(upgrade.restarts[0]!.effect, /every instance stops/);
    assert.deepEqual(upgrade.wayBack, [
      "PostgreSQL 18 back to 17: closed once pg_upgrade has ended: only a restore of the database to a moment before the upgrade leads back",
    ]);
    assert.deepEqual(
      of([changed("Cluster matrix/synapse-postgres", "spec.imageName", "r/pg:18.5-standard", "r/pg:18.6-standard")])
        .byHand,
      [],
    );
  });
});

describe("the way back of Synapse", () => {
  const SCHEMA = {
    "1.1": { version: 94, compat: 84 },
    "1.2": { version: 96, compat: 94 },
    "1.3": { version: 97, compat: 95 },
  };
  it("is open as long as the older version knows the schema that the newer one asks for", () => {
    assert.equal(wayBack("1.1.0", "1.2.4", SCHEMA).open, "yes");
    assert.equal(wayBack("v1.2.0", "1.3.0", SCHEMA).open, "yes");
  });
  it("is closed from one number further on, with the reason", () =>
    assert.deepEqual(wayBack("1.1.0", "1.3.0", SCHEMA), {
      open: "no",
      reason: "1.3.0 leaves a database for schema 95 and later, and 1.1.0 knows only 94",
    }));
  it("is not known for a version without a line, and says where to look", () => {
    const { open, reason } = wayBack("1.1.0", "latest", SCHEMA);
    assert.equal(open, "unknown");
    assert.match(reason, /^the schema of latest is not in .*SCHEMA_COMPAT_VERSION/);
    assert.equal(wayBack("1.10.0", "1.3.0", SCHEMA).open, "unknown", "1.10 is not 1.1");
  });
  it("is said for going back too", () =>
    assert.deepEqual(of([changed(MAIN, MAIN_IMAGE, "r/synapse:1.163.2", "r/synapse:1.162.0")]).wayBack, [
      "this goes back: Synapse 1.162.0 after 1.163.2: it starts on this database (1.163.2 leaves a database for schema 84 and later, and 1.162.0 knows 94)",
    ]));
  it("is known for the version that is pinned, and for the one before it", () => {
    const pinned = minorOf(IMAGES.synapse.tag)!;
    const [major, minor] = pinned.split(".").map(Number) as [number, number];
    for (const version of [pinned, `${major}.${minor - 1}`])
      assert.ok(SCHEMAS[version], `${version} needs a line in components/layers/synapse/schemaVersions.ts`);
  });
});

describe("a changelog", () => {
  const TEXT = `# Changelog

## [Unreleased]

### Added

- a thing

### Operators must

- set \`x\`,
  before the upgrade.
- look

## [0.2.0] - 2026-01-02

### Operators must

- Nothing.

## [0.1.0] - 2026-01-01
`;
  it("is read by release, with what each asks for", () =>
    assert.deepEqual(releasesOf(TEXT), [
      { version: "Unreleased", mustDo: ["set `x`, before the upgrade.", "look"], saysWhat: true },
      { version: "0.2.0", date: "2026-01-02", mustDo: [], saysWhat: true },
      { version: "0.1.0", date: "2026-01-01", mustDo: [], saysWhat: false },
    ]));
  it("asks of an upgrade only what the earlier one did not ask, oldest first", () => {
    const later = TEXT.replace("- Nothing.", "- wait");
    assert.deepEqual(duties(TEXT, later), [{ version: "0.2.0", text: "wait" }]);
    assert.deepEqual(
      duties("", later).map((d) => d.text),
      ["wait", "set `x`, before the upgrade.", "look"],
    );
  });
});
