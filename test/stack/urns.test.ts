/**
 * Names that cannot move. The engine knows a resource by its URN, Kubernetes an object by its kind, namespace and name.
 * What is to be created and exists is taken over; so a resource that got another URN while its object kept its name
 * would be created (which writes the object) and then deleted under the old URN: the object that was just written is
 * gone.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { isKubernetes, objectTitle } from "../../components/layers/resources";
import { placeOf } from "../../cli/urns";
import { readStackConfig } from "../../components/settings/stackFile";
import { evaluated, TIERS } from "../../lab/common/tiers";
import { variations } from "../helpers/variations";

const FILE = path.join(__dirname, "urns.txt");
const REGENERATE = "UPDATE_URNS=1 npx mocha test/stack/urns.test.ts";

/** Of an object: its URN, and former ones by which the engine would find it. Both without stack and project. */
interface Registered {
  place: string;
  aliases: Set<string>;
}

/**
 * Which object a resource is. A patch is the object that it patches: all are applied under one name, and what a second
 * patch leaves out would be taken away again.
 */
const objectOf = (r: RegisteredResource): string =>
  `${r.inputs.apiVersion.replace(/\/?[^/]+$/, "")} ${objectTitle(r)}`.trim();

/** URNs that do not belong to one object alone: `seen` knows those of other evaluations. */
function moves(resources: RegisteredResource[], seen: Map<string, string>): string[] {
  const known = new Map(resources.map((r) => [r.urn, r])),
    here = new Map<string, string>();
  return resources.filter(isKubernetes).flatMap((r) => {
    const object = objectOf(r),
      place = placeOf(r, known),
      twin = here.get(object),
      before = seen.get(object);
    here.set(object, place);
    seen.set(object, before ?? place);
    if (twin !== undefined) return [`${object}: registered as ${twin} and as ${place}`];
    return before === undefined || before === place
      ? []
      : [`${object}: ${before} with some settings, ${place} with others`];
  });
}

/**
 * For the list: without what every name begins with, and with a star for what differs between stacks (hosts, digests of
 * contents).
 */
const short = (place: string): string => place.replace(/matrix-ha:|kubernetes:/g, "");
const starred = (r: RegisteredResource, text: string): string =>
  r.inputs.kind === "Node" ? text.replaceAll(r.inputs.metadata.name, "*") : text.replace(/-[0-9a-f]{10,16}$/, "-*");

function listed(evaluations: RegisteredResource[][]): Map<string, Registered> {
  const found = new Map<string, Registered>();
  for (const resources of evaluations) {
    const known = new Map(resources.map((r) => [r.urn, r]));
    for (const r of resources.filter(isKubernetes)) {
      const object = starred(r, objectTitle(r)),
        entry = found.get(object) ?? { place: starred(r, short(placeOf(r, known))), aliases: new Set() };
      for (const a of r.aliases ?? []) entry.aliases.add(starred(r, short(a)));
      found.set(object, entry);
    }
  }
  return found;
}

interface Line {
  object: string;
  place: string;
  /** URNs of before, newest first. */ former: string[];
}

const parse = (text: string): Line[] =>
  text
    .split("\n")
    .filter((l) => l && !l.startsWith("#"))
    .map((l) => {
      const [object, places] = l.split(" -> ") as [string, string],
        [place, ...former] = places.split(" <- ") as [string, ...string[]];
      return { object, place, former };
    });

const HEAD = `# Every Kubernetes object of the stacks of test/stack/urns.test.ts, and the URN (types::name) by which the engine knows it; behind <-
# those that it had before, to which it keeps aliases. ${REGENERATE}
`;
const write = (lines: Line[]): string =>
  HEAD +
  lines
    .sort((a, b) => (a.object < b.object ? -1 : 1))
    .map((l) => `${l.object} -> ${[l.place, ...l.former].join(" <- ")}\n`)
    .join("");

/** What must not be, whatever the list will say; and what the list has to say from now on. */
function compare(golden: Line[], now: Map<string, Registered>): { wrong: string[]; lines: Line[] } {
  const before = new Map(golden.map((l) => [l.object, l])),
    wrong: string[] = [];
  const lines = [...now].map(([object, { place, aliases }]): Line => {
    const line = before.get(object);
    const former = line ? [...new Set([line.place, ...line.former])].filter((p) => p !== place) : [];
    wrong.push(
      ...former
        .filter((p) => !aliases.has(p))
        .map(
          (p) =>
            `${object} was ${p} and is ${place}. Its next deployment would make it under the new URN and then delete it under the old one: give the resource an alias to that (pulumi.Alias), and let it stay`,
        ),
    );
    return { object, place, former };
  });
  return { wrong, lines };
}

describe("names that cannot move", () => {
  let evaluations: RegisteredResource[][];
  before(async function () {
    this.timeout(1_200_000);
    evaluations = [];
    for (const config of [
      ...TIERS.map((t) => t.config),
      ...["small", "large", "local"].map((s) => readStackConfig(s)),
      ...(await variations()),
    ])
      evaluations.push((await evaluated(config)).evaluation.resources);
  });

  it("one URN for each object, whatever the settings, and one object for each URN", () => {
    const seen = new Map<string, string>();
    assert.deepEqual([...new Set(evaluations.flatMap((e) => moves(e, seen)))], []);
    assert.ok(seen.size > 600, `${seen.size} objects`);
  });

  it("the same URN as before: urns.txt", () => {
    const golden = parse(fs.readFileSync(FILE, "utf8"));
    const { wrong, lines } = compare(golden, listed(evaluations));
    assert.deepEqual(wrong, []);
    if (process.env.UPDATE_URNS) fs.writeFileSync(FILE, write(lines));
    const gone = golden.filter((l) => !lines.some((x) => x.object === l.object)).map((l) => l.object);
    assert.deepEqual(
      gone.filter(() => !process.env.UPDATE_URNS),
      [],
      `no stack has these any more: one that is deployed would delete them. If that is meant: ${REGENERATE}`,
    );
    assert.equal(
      fs.readFileSync(FILE, "utf8"),
      write(lines),
      `new objects, or URNs that changed with an alias: ${REGENERATE}`,
    );
  });
});

describe("the test of names that cannot move", () => {
  class Part extends pulumi.ComponentResource {
    constructor(
      type: string,
      name: string,
      object: pulumi.CustomResourceOptions & { name: string; className?: string },
      opts?: pulumi.ComponentResourceOptions,
    ) {
      super(`matrix-ha:test:${type}`, name, {}, opts);
      const { name: objectName, className, ...rest } = object;
      new k8s.core.v1.ConfigMap(
        className ?? `${name}-map`,
        { metadata: { name: objectName, namespace: "matrix" } },
        { parent: this, ...rest },
      );
    }
  }
  const resources = async (make: () => unknown): Promise<RegisteredResource[]> =>
    (
      await evaluate({
        stack: "test",
        config: {},
        program: async () => {
          make();
          return {};
        },
      })
    ).resources;
  const OLD = "test:Part$core/v1:ConfigMap::part-map",
    golden = parse(`ConfigMap matrix/x -> ${OLD}\n`);
  const wrong = async (make: () => unknown): Promise<string[]> =>
    compare(golden, listed([await resources(make)])).wrong;

  it("notices an object that two resources create, and one whose resource has another name with other settings", async () => {
    const once = await resources(() => new Part("Part", "part", { name: "x" }));
    const twice = await resources(() => [
      new Part("Part", "part", { name: "x" }),
      new Part("Part", "other", { name: "x" }),
    ]);
    const seen = new Map<string, string>();
    assert.deepEqual(moves(once, seen), []);
    assert.deepEqual(moves(once, seen), []);
    assert.match(moves(twice, new Map()).join(), /registered as .*part-map and as .*other-map/);
    assert.match(
      moves(await resources(() => new Part("Part", "other", { name: "x" })), seen).join(),
      /part-map with some settings.*other-map with others/,
    );
  });

  it("refuses another name, another component, another parent", async () => {
    assert.deepEqual(await wrong(() => new Part("Part", "part", { name: "x" })), []);
    assert.match(
      (await wrong(() => new Part("Part", "part", { name: "x", className: "renamed" })))[0]!,
      /was test:Part\$core\/v1:ConfigMap::part-map and is test:Part\$core\/v1:ConfigMap::renamed/,
    );
    assert.equal((await wrong(() => new Part("Other", "part", { name: "x" }))).length, 1);
    assert.equal(
      (
        await wrong(
          () => new Part("Part", "part", { name: "x" }, { parent: new Part("Outer", "outer", { name: "y" }) }),
        )
      ).length,
      1,
    );
  });

  it("accepts them with an alias: of its own, or of the component that it is in", async () => {
    assert.deepEqual(
      await wrong(() => new Part("Part", "part", { name: "x", className: "renamed", aliases: [{ name: "part-map" }] })),
      [],
    );
    assert.deepEqual(
      await wrong(
        () =>
          new Part("Part", "part", {
            name: "x",
            className: "renamed",
            aliases: ["urn:pulumi:test::matrix-ha::matrix-ha:test:Part$kubernetes:core/v1:ConfigMap::part-map"],
          }),
      ),
      [],
    );
    assert.deepEqual(
      await wrong(() => new Part("Other", "part", { name: "x" }, { aliases: [{ type: "matrix-ha:test:Part" }] })),
      [],
    );
    assert.deepEqual(await wrong(() => new Part("Part", "other", { name: "x" }, { aliases: [{ name: "part" }] })), []);
    const outer = (): Part => new Part("Outer", "outer", { name: "y" });
    assert.deepEqual(
      await wrong(() => new Part("Part", "part", { name: "x" }, { parent: outer(), aliases: [{ parent: undefined }] })),
      [],
    );
    assert.equal(
      (await wrong(() => new Part("Part", "part", { name: "x" }, { parent: outer(), aliases: [{ name: "unlike" }] })))
        .length,
      1,
    );
  });

  it("keeps former URNs in the list, and asks for their aliases from then on", async () => {
    const renamed = (aliases: pulumi.Alias[]): Promise<RegisteredResource[]> =>
      resources(() => new Part("Part", "part", { name: "x", className: "renamed", aliases }));
    const { lines } = compare(golden, listed([await renamed([{ name: "part-map" }])]));
    assert.deepEqual(parse(write(lines)), [
      { object: "ConfigMap matrix/x", place: "test:Part$core/v1:ConfigMap::renamed", former: [OLD] },
    ]);
    assert.deepEqual(compare(lines, listed([await renamed([{ name: "part-map" }])])).wrong, []);
    assert.equal(compare(lines, listed([await renamed([])])).wrong.length, 1);
  });
});
