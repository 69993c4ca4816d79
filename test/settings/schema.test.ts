/** What is looked up in a schema, how values are read, and how they and their places are named in errors. */
import assert from "node:assert/strict";
import { z } from "zod";
import { describeValue, quote } from "../../components/schema/describe";
import { bool, field, int, list, oneOf, secret, section, text, texts } from "../../components/schema/fields";
import { normalize } from "../../components/schema/normalize";
import { Report } from "../../components/schema/report";
import {
  childOf,
  core,
  defaultOf,
  defined,
  docOf,
  elementOf,
  enumOf,
  exampleOf,
  isPlainObject,
  literalOf,
  mayBeAbsent,
  optionFor,
  optionsOf,
  pathText,
  recordValueOf,
  schemasAlong,
  shapeOf,
  typeOf,
  valueAt,
} from "../../components/schema/walk";

const DOC = { doc: "Meaning." };
const NUMBER = int(5, 9, DOC);
const TEXT = text(DOC);
const ONE = section({ kind: z.literal("one"), size: NUMBER }, { doc: "One." });
const TWO = section({ kind: z.literal("two"), names: list(TEXT, DOC) }, { doc: "Two." });
const UNION = field(z.discriminatedUnion("kind", [ONE, TWO]), { doc: "One or two." });
const LIST = list(section({ on: bool(DOC), size: NUMBER.optional() }, DOC), DOC);
const ROOT = section(
  {
    size: NUMBER,
    on: bool(DOC).default(true),
    word: oneOf(["a", "b"], DOC).optional(),
    list: LIST,
    union: UNION.optional(),
    labels: texts(DOC),
    inner: section({ size: NUMBER.default(6) }, DOC).prefault({}),
  },
  DOC,
);

describe("schema: fields", () => {
  it("are seen through what makes them optional", () => {
    for (const schema of [NUMBER.optional(), NUMBER.default(7), NUMBER.prefault(7), NUMBER.nullable()]) {
      assert.equal(core(schema), NUMBER);
      assert.equal(core(schema.optional()), NUMBER);
      assert.equal(typeOf(schema), "number");
      assert.deepEqual(docOf(schema), docOf(NUMBER));
      assert.equal(mayBeAbsent(schema), true);
    }
    assert.equal(core(NUMBER), NUMBER);
    assert.equal(mayBeAbsent(NUMBER), false);
    assert.deepEqual(docOf(z.string()), {});
  });

  it("have types", () => {
    for (const [schema, type] of [
      [ROOT, "object"],
      [LIST, "array"],
      [texts(DOC), "record"],
      [UNION, "union"],
      [oneOf(["a"], DOC), "enum"],
      [z.literal("a"), "literal"],
      [bool(DOC), "boolean"],
      [NUMBER, "number"],
      [TEXT, "string"],
    ] as const)
      assert.equal(typeOf(schema), type);
  });

  it("have parts, each kind its own; asking for those of another kind is a mistake of the program", () => {
    assert.deepEqual(Object.keys(shapeOf(ONE)), ["kind", "size"]);
    assert.equal(elementOf(list(NUMBER, DOC).optional()), NUMBER);
    assert.equal(typeOf(recordValueOf(texts(DOC))), "string");
    assert.deepEqual(optionsOf(UNION.optional()), { discriminator: "kind", options: [ONE, TWO] });
    assert.equal(literalOf(z.literal(["x", "y"])), "x");
    assert.deepEqual(enumOf(oneOf(["a", "b"], DOC)), ["a", "b"]);
    assert.throws(() => shapeOf(NUMBER), /^Error: a field of type number, where ZodObject was expected$/);
    assert.throws(() => elementOf(ROOT), /^Error: a field of type object, where ZodArray was expected$/);
    assert.throws(() => enumOf(TEXT.optional()), /^Error: a field of type string, where ZodEnum was expected$/);
  });

  it("have static defaults, or none", () => {
    assert.equal(defaultOf(NUMBER.default(7)), 7);
    assert.equal(defaultOf(NUMBER.prefault(7)), 7);
    assert.equal(defaultOf(NUMBER.default(7).optional()), 7);
    assert.deepEqual(defaultOf(section({}, DOC).prefault({})), {});
    assert.equal(defaultOf(NUMBER.optional()), undefined);
    assert.equal(defaultOf(NUMBER), undefined);
  });

  it("of a union are those of the option that the value chooses", () => {
    assert.equal(optionFor(UNION, { kind: "one" }), ONE);
    assert.equal(optionFor(UNION, { kind: "two" }), TWO);
    for (const value of [{ kind: "three" }, {}, "one", ["one"], null, undefined])
      assert.equal(optionFor(UNION, value), undefined);
  });

  it("are found by their key", () => {
    assert.equal(childOf(ROOT, "size", {}), NUMBER);
    for (const key of ["toString", "constructor", "__proto__", "x"])
      assert.equal(childOf(ROOT, key, {}), undefined, key);
    assert.equal(childOf(LIST, 0, []), elementOf(LIST));
    assert.equal(typeOf(childOf(texts(DOC), "any", {})!), "string");
    assert.equal(childOf(UNION, "size", { kind: "one" }), NUMBER);
    assert.equal(childOf(UNION, "size", { kind: "two" }), undefined);
    assert.equal(childOf(UNION, "size", { kind: "three" }), undefined);
    // What chooses is known even while nothing is chosen: its error needs the documentation.
    assert.equal(childOf(UNION, "kind", { kind: "three" }), shapeOf(ONE).kind);
    assert.equal(childOf(UNION, "kind", { kind: "two" }), shapeOf(TWO).kind);
    for (const schema of [NUMBER, TEXT, bool(DOC)]) assert.equal(childOf(schema, "size", {}), undefined);
  });

  it("are found along a path, as far as there are any", () => {
    const raw = { list: [{ on: true }], union: { kind: "two", names: ["a"] } };
    const element = elementOf(LIST);
    assert.deepEqual(schemasAlong(ROOT, raw, []), [ROOT]);
    const along = schemasAlong(ROOT, raw, ["list", 0, "on"]);
    assert.ok(along.length === 4 && along[0] === ROOT && core(along[1]!) === LIST && along[2] === element);
    assert.equal(along[3], shapeOf(element).on);
    const chosen = schemasAlong(ROOT, raw, ["union", "names", 0]);
    assert.ok(chosen.length === 4 && chosen[3] === TEXT);
    assert.equal(schemasAlong(ROOT, raw, ["union", "size"]).length, 2, "the other option's field");
    assert.equal(schemasAlong(ROOT, raw, ["size", "x", "y"]).length, 2);
    assert.equal(schemasAlong(ROOT, raw, ["x", "size"]).length, 1);
    assert.equal(schemasAlong(ROOT, undefined, ["list", 3, "size"]).length, 4, "also where nothing was written");
  });

  it("have a valid example: the documented one, else one of their type", () => {
    assert.equal(exampleOf(NUMBER), 5);
    assert.equal(exampleOf(z.number()), 1);
    assert.equal(exampleOf(z.boolean()), false);
    assert.equal(exampleOf(z.string()), "example");
    assert.equal(exampleOf(z.enum(["b", "a"])), "b");
    assert.equal(exampleOf(z.literal("x")), "x");
    assert.deepEqual(exampleOf(z.record(z.string(), z.string())), {});
    assert.deepEqual(exampleOf(z.array(z.number())), [1]);
    assert.deepEqual(exampleOf(LIST), [{ on: false }]);
    assert.deepEqual(exampleOf(UNION), { kind: "one", size: 5 });
    // Only what must be there.
    assert.deepEqual(exampleOf(ROOT), { size: 5, list: [{ on: false }], labels: {} });
    const own = field(z.object({ a: z.number() }), { doc: "D.", example: { a: 4 } });
    assert.deepEqual(exampleOf(own), { a: 4 });
    assert.notEqual(exampleOf(own), exampleOf(own), "each caller has its own");
  });
});

describe("schema: values", () => {
  it("are found at a path", () => {
    const raw = { a: { b: [1, { c: null }] } };
    assert.equal(valueAt(raw, []), raw);
    assert.equal(valueAt(raw, ["a", "b", 0]), 1);
    assert.equal(valueAt(raw, ["a", "b", 1, "c"]), null);
    for (const path of [["x"], ["a", "b", 7], ["a", "b", 1, "c", "d"], ["a", "b", 0, "c"], ["a", "toString"]])
      assert.equal(valueAt(raw, path), undefined, path.join("."));
    assert.equal(valueAt("text", ["length"]), undefined, "a text has no settings in it");
    assert.equal(valueAt(undefined, ["a"]), undefined);
  });

  it("of a section are a plain object", () => {
    assert.equal(isPlainObject({}), true);
    for (const value of [null, undefined, [], "a", 1]) assert.equal(isPlainObject(value), false);
  });

  it("that are undefined are left out; others that say no are not", () =>
    assert.deepEqual(Object.keys(defined({ a: undefined, b: null, c: false, d: 0, e: "" })), ["b", "c", "d", "e"]));

  it("numbers and switches may be texts, as Pulumi delivers them", () => {
    for (const [value, read] of [
      ["5000", 5000],
      [" 5 ", 5],
      ["-5", -5],
      ["0.5", 0.5],
      ["-10.25", -10.25],
      ["5e3", "5e3"],
      ["0x10", "0x10"],
      ["1.", "1."],
      [".5", ".5"],
      ["", ""],
      ["5 GiB", "5 GiB"],
      ["x5", "x5"],
      ["1,000", "1,000"],
      [5, 5],
      [true, true],
    ])
      assert.equal(normalize(NUMBER, value), read, JSON.stringify(value));
    for (const [value, read] of [
      ["true", true],
      ["false", false],
      ["True", "True"],
      ["yes", "yes"],
      ["toString", "toString"],
      ["", ""],
      [1, 1],
      [true, true],
    ])
      assert.equal(normalize(bool(DOC), value), read, JSON.stringify(value));
    assert.equal(normalize(TEXT, "5"), "5");
    assert.equal(normalize(TEXT, "true"), "true");
    assert.equal(normalize(NUMBER.optional(), "5"), 5);
  });

  it("lists and sections may be JSON, all the way down", () => {
    assert.deepEqual(normalize(list(NUMBER, DOC), '["1", 2]'), [1, 2]);
    assert.deepEqual(normalize(list(NUMBER, DOC), ["1", "x"]), [1, "x"]);
    assert.deepEqual(
      normalize(ROOT, ' {"size": "5", "on": "false", "list": "[{\\"on\\": \\"true\\"}]", "more": "5"}'),
      {
        size: 5,
        on: false,
        list: [{ on: true }],
        more: "5",
      },
    );
    // A text that is none stays, for the schema to refuse.
    for (const value of ["[1", "1", "{}", "", 1, { 0: 1 }, null])
      assert.deepEqual(normalize(list(NUMBER, DOC), value), value);
    for (const value of ["{", "a", "[]", "", 1, [1], null]) {
      assert.deepEqual(normalize(ROOT, value), value);
      assert.deepEqual(normalize(texts(DOC), value), value);
    }
    assert.deepEqual(normalize(texts(DOC), '{"a": "b"}'), { a: "b" });
  });

  it("that YAML reads as numbers are texts where names have text values", () =>
    assert.deepEqual(normalize(texts(DOC), { a: 5, b: true, c: "x", d: [1], e: 0.5 }), {
      a: "5",
      b: "true",
      c: "x",
      d: [1],
      e: "0.5",
    }));

  it("that are not there count as not written", () => {
    assert.deepEqual(normalize(ROOT, { size: null, on: undefined, x: null, word: "a" }), { word: "a" });
    assert.deepEqual(normalize(texts(DOC), { a: null, b: "" }), { b: "" });
    assert.deepEqual(normalize(ROOT, { __proto__: null, toString: "5" }), { toString: "5" });
  });

  it("of a union are read as those of their option; a word alone chooses it", () => {
    assert.deepEqual(normalize(UNION, "one"), { kind: "one" });
    assert.deepEqual(normalize(UNION, "three"), { kind: "three" });
    assert.deepEqual(normalize(UNION, { kind: "one", size: "5" }), { kind: "one", size: 5 });
    assert.deepEqual(normalize(UNION, '{"kind": "one", "size": "5"}'), { kind: "one", size: 5 });
    assert.deepEqual(normalize(UNION, { kind: "three", size: "5" }), { kind: "three", size: "5" });
    assert.deepEqual(normalize(UNION, [1]), [1]);
    assert.equal(normalize(UNION, 5), 5);
  });
});

describe("schema: errors", () => {
  it("name a path as the operator writes it", () => {
    for (const [path, name] of [
      [[], ""],
      [["ccu"], "ccu"],
      [["hosts", 2, "address"], "hosts[2].address"],
      [["a", 0, 1], "a[0][1]"],
      [["overrides", "pools", "user-directory"], "overrides.pools.user-directory"],
      [["_a", "B9"], "_a.B9"],
      [["labels", "a b"], 'labels["a b"]'],
      [["labels", "app.kubernetes.io/name"], 'labels["app.kubernetes.io/name"]'],
      [["labels", "9a"], 'labels["9a"]'],
      [["labels", "-a"], 'labels["-a"]'],
      [["labels", "a."], 'labels["a."]'],
      [["labels", ""], 'labels[""]'],
      [["federation.enabled"], '["federation.enabled"]'],
      [[0, "a"], "[0].a"],
    ] as const)
      assert.equal(pathText(path), name);
  });

  it("show what was given, as far as it is short and no section", () => {
    for (const [value, schema, shown] of [
      [undefined, TEXT, "nothing"],
      ["a", TEXT, '"a"'],
      ["", TEXT, '""'],
      ["a\nb", TEXT, '"a\\nb"'],
      [5, TEXT, "5"],
      [true, TEXT, "true"],
      [null, TEXT, "null"],
      ["a", NUMBER, '"a"'],
      ["a", bool(DOC), '"a"'],
      [[], TEXT, "an empty list"],
      [[1], TEXT, "a list of 1"],
      [[1, 2], LIST, "a list of 2"],
      [{}, TEXT, "an empty section"],
      [{ a: 1 }, TEXT, "a section"],
      // A text there may be anything, for instance a pasted key.
      ["a", ROOT, "a text"],
      ["a", LIST, "a text"],
      ["a", UNION, "a text"],
      ["a", texts(DOC), "a text"],
      [5, ROOT, "5"],
    ] as const)
      assert.equal(describeValue(value, schema), shown);
  });

  it("never show a secret, but say where a blank is that no one sees", () => {
    const SECRET = secret(DOC).optional();
    for (const [value, shown] of [
      [undefined, "nothing"],
      ["", "an empty secret"],
      ["s", "a secret (not shown)"],
      [5, "a secret (not shown)"],
      [["s"], "a secret (not shown)"],
      [{ a: "s" }, "a secret (not shown)"],
      ["s\n", "a secret (not shown) that ends in a line break"],
      ["s ", "a secret (not shown) that ends in a blank"],
      [" s", "a secret (not shown) that begins in a blank"],
      [" s\n", "a secret (not shown) that ends in a line break"],
      ["a\nb\n", "a secret (not shown)"],
    ] as const)
      assert.equal(describeValue(value, SECRET), shown);
  });

  it("shorten a long text to 80 characters, and show no key", () => {
    assert.equal(quote("x".repeat(80)), `"${"x".repeat(80)}"`);
    assert.equal(quote("x".repeat(81)), `"${"x".repeat(77)}..."`);
    assert.equal(quote(`ab${"x".repeat(200)}`), `"ab${"x".repeat(75)}..."`);
    for (const text of ["-----BEGIN CERTIFICATE-----", "x PRIVATE KEY x"])
      assert.equal(quote(text), "a PEM block (not shown)");
  });

  const error = (path: string): { path: string; given: string; allowed: string; remedy: string } => ({
    path,
    given: "g",
    allowed: "a",
    remedy: "r",
  });
  it("are reported once for each place, and not where they follow from another", () => {
    const report = new Report();
    const paths = (): string[] => report.errors.map((e) => e.path);
    report.add(error("hosts[1].name"));
    report.add(error("hosts[1].name"));
    report.add(error("hosts[1]"));
    report.add(error("hosts"));
    report.add(error("hosts[1].name.x"));
    assert.deepEqual(paths(), ["hosts[1].name"]);
    report.add(error("hosts[2].name"), ["domain"]);
    report.add(error("hostsFile"));
    report.add(error("ccu"), ["domain", "hosts[1].name"]);
    report.add(error("ccu"), ["hosts"]);
    assert.deepEqual(paths(), ["hosts[1].name", "hosts[2].name", "hostsFile"]);
    report.addAnother(error("hosts[1].name"));
    assert.equal(paths().length, 4);
    assert.ok(report.hasAt(/^hosts\[2\]/) && !report.hasAt(/^hosts\[3\]/));
    assert.ok(!new Report().hasAt(/./));
  });

  it("concern a place, all that is in it, and all that it is in", () => {
    const report = new Report();
    report.add(error("a.b[0].c"));
    for (const path of ["a", "a.b", "a.b[0]", "a.b[0].c", "a.b[0].c.d", "a.b[0].c[1]"])
      assert.equal(report.isWrong(path), true, path);
    for (const path of ["a.b[0].cc", "a.b[1]", "a.b[0].d", "a.bb", "b", "aa", "c", "b[0].c", "a.b[0].c-d"])
      assert.equal(report.isWrong(path), false, path);
  });
});
