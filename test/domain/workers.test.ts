/** One table says everything of a class of Synapse processes, and nothing else has to be told of a class. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import * as ts from "typescript";
import { STREAMS, streamFacts, WORKER_CLASSES, writerOf } from "../../components/domain/workerClasses";
import { WORKERS, type WorkerClass } from "../../components/domain/workers";
import { ROUTES } from "../../components/layers/synapse";

const ROOT = path.join(__dirname, "../..");

/** Where classes may stand by name beside the table, and why. */
const BY_NAME: Record<string, string> = {
  "components/domain/workers.ts": "the table",
  "components/layers/synapse/routes.ts":
    "which paths lead to which class: written path by path from Synapse's documents",
  "components/sizing/costs.ts": "classes without a part in a send: what it costs them is what it costs to follow",
  "components/sizing/load.ts": "the class that wrote typing and presence while the costs were measured",
  "scripts/capacityPictures.ts": "parts that a picture tells apart; all others are one",
  "lab/scenarios/processes.ts":
    "requests that one class alone answers, for a measurement; a class without one is lost and measured all the same",
};

/** Names of classes that are words of nothing else here. */
const UNMISTAKABLE: readonly string[] = WORKER_CLASSES.filter(
  (cls) => cls.includes("-") || ["synchrotron", "ephemeral", "pusher"].includes(cls),
);
const MAY_NAME = new RegExp(`WorkerClass|synapse-|"media"|${UNMISTAKABLE.join("|")}`);
const isClass = (text: string): boolean => (WORKER_CLASSES as readonly string[]).includes(text);
const text = (node: ts.Node | undefined): string | undefined =>
  node && (ts.isStringLiteralLike(node) || ts.isIdentifier(node)) ? node.text : undefined;

/** Names that stand in a literal as its keys or as its elements. */
function namesIn(node: ts.Node): string[] {
  if (ts.isObjectLiteralExpression(node)) return node.properties.flatMap((p) => text(p.name) ?? []);
  if (ts.isArrayLiteralExpression(node)) return node.elements.flatMap((e) => (ts.isStringLiteralLike(e) ? e.text : []));
  return [];
}

const COMPARES = [ts.SyntaxKind.EqualsEqualsEqualsToken, ts.SyntaxKind.ExclamationEqualsEqualsToken];

/** Classes that a comparison, a case or a call names. */
function named(node: ts.Node): string[] {
  const names = (list: readonly ts.Node[], known: readonly string[]): string[] =>
    list.flatMap((n) => (ts.isStringLiteralLike(n) && known.includes(n.text) ? n.text : []));
  if (ts.isCallExpression(node)) return names(node.arguments, UNMISTAKABLE);
  if (ts.isCaseClause(node)) return names([node.expression], [...UNMISTAKABLE, "media"]);
  if (!ts.isBinaryExpression(node) || !COMPARES.includes(node.operatorToken.kind)) return [];
  return names([node.left, node.right], [...UNMISTAKABLE, "media"]);
}

/**
 * What a piece of code knows of classes by their names: tables, lists, and cases. `main` alone is no class like others.
 */
function classesByName(source: string, file = "x.ts"): string[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.ES2022, true);
  const found: string[] = [];
  const services = new Set<string>();
  const at = (node: ts.Node, what: string): void => {
    found.push(`${file}:${tree.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${what}`);
  };
  const visit = (node: ts.Node, typed: boolean): void => {
    const ofClasses =
      (ts.isVariableDeclaration(node) || ts.isPropertyDeclaration(node) || ts.isSatisfiesExpression(node)) &&
      /\bWorkerClass\b/.test(node.type?.getText() ?? "");
    const names = namesIn(node).filter(isClass);
    if (names.length > 0 && (typed || names.some((n) => UNMISTAKABLE.includes(n)) || names.length > 2))
      at(node, `a table or list with ${names.join(", ")}`);
    for (const name of named(node)) at(node, `a case of ${name}`);
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node))
      for (const [, cls] of node.text.matchAll(/\bsynapse-([a-z]+(?:-[a-z]+)*)/g))
        if (isClass(cls!)) services.add(cls!);
    ts.forEachChild(node, (child) => visit(child, ofClasses || (typed && !ts.isFunctionLike(node))));
  };
  visit(tree, false);
  services.delete("main");
  if (services.size > 3) found.push(`${file}: a list of services: ${[...services].join(", ")}`);
  return found;
}

const sources = (folder: string): string[] =>
  fs
    .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((f) => f.endsWith(".ts") && !f.endsWith(".test.ts"))
    .map((f) => path.join(folder, f));

describe("the worker classes", () => {
  it("are known by name to the table alone, with exceptions that are needed", () => {
    const read = (file: string): string[] => {
      const source = fs.readFileSync(path.join(ROOT, file), "utf8");
      // Most files name none: they need no parsing.
      return MAY_NAME.test(source) ? classesByName(source, file) : [];
    };
    const files = ["components", "policy", "cli", "lab", "scripts"].flatMap(sources);
    assert.ok(files.length > 250, `${files.length} files`);
    assert.deepEqual(
      files.filter((f) => !(f in BY_NAME)).flatMap(read),
      [],
      "take it from WORKERS (components/domain/workers.ts), where what is missing gets a field",
    );
    for (const file of Object.keys(BY_NAME)) assert.notDeepEqual(read(file), [], `${file} needs no exception`);
  });

  it("are found wherever they stand", () => {
    for (const source of [
      `const A: Partial<Record<WorkerClass, number>> = { media: 300 };`,
      `const A: readonly WorkerClass[] = ["main", "generic"];`,
      `const A: Record<string, number> = { pusher: 1 };`,
      `const A = ["to-device", "x"];`,
      `const a = (cls: WorkerClass) => (cls === "event-persister" ? 1 : 2);`,
      `const a = instanceNames(plan, "pusher");`,
      `switch (cls) { case "media": a(); }`,
      `const A = { x: 1 } satisfies Partial<Record<WorkerClass, number>>; const B = { media: 1 } satisfies Partial<Record<WorkerClass, number>>;`,
      `const A = ["synapse-media", "synapse-account-0", "x/synapse-receipts", "synapse-generic"].map(f);`,
    ])
      assert.equal(classesByName(source).length, 1, source);
    for (const source of [
      `const A = { presence: s.presence, media: s.media };`,
      `const a = cls === "main";`,
      `const A: Record<WorkerClass, () => string> = make(WORKER_CLASSES, () => kind("media"));`,
    ])
      assert.deepEqual(classesByName(source), [], source);
  });

  it("have routes, or say that they have none", () => {
    const writers = (cls: WorkerClass): WorkerClass[] => [cls, ...[WORKERS[cls].otherwise ?? []].flat()];
    const reached = new Set(
      ROUTES.flatMap((r): WorkerClass[] => [
        ...("stream" in r.target ? writers(writerOf(r.target.stream)) : [r.target.class]),
        ...r.fallback,
      ]),
    );
    assert.deepEqual(
      WORKER_CLASSES.filter((cls) => reached.has(cls)),
      WORKER_CLASSES.filter((cls) => WORKERS[cls].router !== "none"),
      "routes.ts on the left, `router` of workers.ts on the right",
    );
  });

  it("write each stream once, and alone where Synapse takes one writer", () => {
    assert.equal(new Set(STREAMS).size, STREAMS.length);
    assert.deepEqual(
      STREAMS.map((s) => streamFacts(s).place),
      STREAMS.map((_, i) => i),
    );
    for (const stream of STREAMS) {
      const { needs, otherwise, scaling } = WORKERS[writerOf(stream)];
      assert.notEqual(scaling.mode, "autoscaled", `${stream}: others find its writers by name`);
      if (needs) assert.ok(otherwise, `${stream}: who writes it while ${writerOf(stream)} does not exist?`);
      if (!streamFacts(stream).single) continue;
      for (const cls of [writerOf(stream), otherwise ?? "main"]) assert.equal(WORKERS[cls].scaling.mode, "single", cls);
    }
    for (const cls of WORKER_CLASSES) {
      const { otherwise } = WORKERS[cls];
      if (otherwise) assert.equal(WORKERS[otherwise].needs, undefined, `${otherwise} must exist where ${cls} does not`);
    }
  });

  it("start as what they do: writers before those who need them, events' writers with those who hand them events", () => {
    for (const cls of WORKER_CLASSES) {
      const streams = Object.keys(WORKERS[cls].streams);
      if (streams.includes("events")) assert.equal(WORKERS[cls].start, "events");
      else assert.equal(WORKERS[cls].start === "writers", streams.length > 0, cls);
    }
    assert.deepEqual(
      WORKER_CLASSES.filter((cls) => WORKERS[cls].start === "main"),
      ["main"],
    );
  });

  it("cost nothing only where another takes over, and say what is felt where it is not a stream", () => {
    for (const cls of WORKER_CLASSES) {
      const { loss, scaling, streams } = WORKERS[cls];
      if (scaling.mode !== "fixed") assert.equal(loss.seconds === undefined, scaling.mode === "autoscaled", cls);
      if (Object.keys(streams).length === 0) assert.ok(loss.effect, cls);
    }
  });
});
