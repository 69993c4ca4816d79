import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { PulumiEvents } from "../../lab/engine/events";
import { engineEnvironment } from "../../lab/engine/home";
import {
  allYours,
  described,
  findParts,
  LAB_HOME,
  PLUGINS,
  versionOf,
  type Surroundings,
} from "../../lab/engine/parts";
import { parseRequest } from "../../lab/local/arguments";
import { mixture } from "../../lab/local/engine";

const folder = (): string => fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-parts-"));
function program(...at: string[]): string {
  const file = path.join(...at);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, "#!/bin/sh\n", { mode: 0o755 });
  return file;
}
const around = (home: string, onPath: Record<string, string> = {}): Surroundings => ({
  home,
  onPath: (p) => onPath[p] ?? null,
  version: () => "1.2.3",
});

describe("the engine's parts for the local stack", () => {
  it("on a machine with nothing, CLI and Kubernetes provider are built, the rest are stand-ins", () => {
    const parts = findParts(around(folder()));
    assert.equal(
      described(parts),
      "pulumi built, nodejs stand-in, kubernetes built, random stand-in, tls stand-in, command stand-in",
    );
    assert.ok(!allYours(parts));
  });
  it("on a machine with Pulumi and its plugins, nothing of ours is used, and no home is made", () => {
    const home = folder(),
      bin = folder();
    const cli = program(bin, "pulumi");
    program(bin, "pulumi-language-nodejs");
    for (const p of PLUGINS) program(home, "plugins", `resource-${p}-v1.2.3`, `pulumi-resource-${p}`);
    const parts = findParts(around(home, { pulumi: cli }));
    assert.ok(allYours(parts), described(parts));
    const dir = path.join(folder(), "none");
    assert.equal(engineEnvironment(dir, parts).PULUMI_HOME, undefined);
    assert.ok(!fs.existsSync(dir));
  });
  it("a plugin on PATH counts as yours, one of another version in the plugin folder does not", () => {
    const home = folder();
    program(home, "plugins", "resource-tls-v1.2.2", "pulumi-resource-tls");
    const parts = findParts(around(home, { "pulumi-resource-random": program(folder(), "pulumi-resource-random") }));
    assert.deepEqual([parts.random.origin, parts.tls.origin], ["yours", "stand-in"]);
  });
  it("a home that the lab put together is not taken for the user's own", () => {
    const home = folder();
    program(home, "bin", "pulumi");
    fs.writeFileSync(path.join(home, LAB_HOME), "");
    assert.equal(findParts(around(home)).pulumi.origin, "built");
  });
  it("a mixed home has every plugin under the version that the program asks for", () => {
    const yours = program(folder(), "pulumi-resource-random"),
      built = program(folder(), "pulumi"),
      kubernetes = program(folder(), "pulumi-resource-kubernetes");
    const parts = {
      ...findParts(around(folder())),
      pulumi: { name: "pulumi", origin: "built", file: built },
      kubernetes: { name: "kubernetes", origin: "built", file: kubernetes },
      random: { name: "random", origin: "yours", file: yours },
    } as const;
    const dir = folder(),
      env = engineEnvironment(dir, parts);
    assert.equal(env.PULUMI_HOME, dir);
    assert.ok(env.PATH!.startsWith(path.join(dir, "bin")));
    assert.equal(
      fs.realpathSync(path.join(dir, "plugins", `resource-random-v${versionOf("random")}`, "pulumi-resource-random")),
      fs.realpathSync(yours),
    );
    assert.ok(
      !fs.lstatSync(path.join(dir, "bin", "pulumi")).isSymbolicLink(),
      "the language host is looked for beside the file itself",
    );
    assert.match(
      fs.readFileSync(path.join(dir, "plugins", `resource-tls-v${versionOf("tls")}`, "pulumi-resource-tls"), "utf8"),
      /providers\/main\.ts' 'tls'/,
    );
  });
  it("a state of stand-ins is not continued by real plugins, nor the other way round", () => {
    const all = (origin: string): any => Object.fromEntries(PLUGINS.map((p) => [p, origin]));
    assert.equal(mixture(all("stand-in"), { ...all("stand-in"), kubernetes: "built" }), undefined);
    assert.equal(mixture(all("yours"), all("yours")), undefined);
    assert.match(
      mixture(all("stand-in"), { ...all("stand-in"), random: "yours" })!,
      /random stand-in.*now there is random yours.*npm run local -- down/s,
    );
    assert.match(mixture(all("yours"), all("stand-in"))!, /kubernetes yours, random yours/);
  });
});

describe("npm run local -- engine", () => {
  it("passes every word and option to pulumi, except the choice of the cluster", () => {
    assert.deepEqual(parseRequest(["engine", "preview", "--diff", "--json"]).words, ["preview", "--diff", "--json"]);
    assert.deepEqual(parseRequest(["engine", "--", "up", "--yes"]).words, ["up", "--yes"]);
    assert.deepEqual(parseRequest(["engine"]).words, []);
    const other = parseRequest(["engine", "--cluster", "kubeconfig", "--kubeconfig", "f", "stack", "export"]);
    assert.deepEqual([other.cluster, other.kubeconfig, other.words], ["kubeconfig", "f", ["stack", "export"]]);
  });
});

describe("the engine's event log", () => {
  const line = (o: object): string => JSON.stringify(o);
  const step = (op: string, name: string, more: object = {}): string =>
    line({ resourcePreEvent: { metadata: { op, urn: `urn:pulumi:s::p::t::${name}`, type: "t", ...more } } });
  it("counts a replacement once, and unchanged resources not at all", () => {
    const events = new PulumiEvents(
      [
        step("same", "a"),
        step("update", "b", { diffs: ["spec"], detailedDiff: { "spec.replicas": {} } }),
        step("create-replacement", "c"),
        step("replace", "c"),
        step("delete-replaced", "c"),
        step("delete", "d"),
        line({ diagnosticEvent: { severity: "warning", message: "w" } }),
        line({
          summaryEvent: {
            resourceChanges: {
              same: 1,
              update: 1,
              replace: 1,
              delete: 1,
              "create-replacement": 1,
              "delete-replaced": 1,
            },
          },
        }),
      ].join("\n"),
    );
    assert.deepEqual(events.changes(), { changes: 3, detail: ["update b (spec.replicas)", "replace c", "delete d"] });
    assert.deepEqual(events.diagnostics("warning"), ["w"]);
  });
});
