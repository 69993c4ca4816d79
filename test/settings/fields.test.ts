/** What each kind of field accepts, and what it says about itself where the setting does not say it. */
import assert from "node:assert/strict";
import type { z } from "zod";
import {
  address,
  addressRange,
  bool,
  cidr,
  decimal,
  dnsLabel,
  hostname,
  httpsUrl,
  int,
  isTight,
  list,
  objectName,
  oneOf,
  port,
  privateAuthority,
  recordOf,
  secret,
  section,
  text,
  texts,
  type FieldDoc,
} from "../../components/schema/fields";
import { s3Fields } from "../../components/schema/s3";
import { cpu, memoryMiB, replicas, storageGiB } from "../../components/schema/sizes";
import { defaultOf, docOf } from "../../components/schema/walk";

const DOC = { doc: "Meaning." };

function only(schema: z.ZodType, accepted: unknown[], refused: unknown[]): void {
  for (const value of accepted) assert.ok(schema.safeParse(value).success, `refused: ${JSON.stringify(value)}`);
  for (const value of refused) assert.ok(!schema.safeParse(value).success, `accepted: ${JSON.stringify(value)}`);
}

/** A kind of field: what it says, and the values at its bounds. */
type Kind = [name: string, schema: z.ZodType, says: Partial<FieldDoc>, accepted: unknown[], refused: unknown[]];
const x = (n: number): string => "x".repeat(n);

const KINDS: Kind[] = [
  [
    "a whole number",
    int(3, 9000, DOC),
    { doc: "Meaning.", example: 3, allowed: "a whole number from 3 to 9,000" },
    [3, 4, 9000],
    [2, 9001, 3.5, "3", null, NaN, Infinity],
  ],
  [
    "a whole number that can only be one",
    int(1000, 1000, DOC),
    { doc: "Meaning.", example: 1000, allowed: "a whole number from 1,000" },
    [1000],
    [999, 1001],
  ],
  [
    "a number",
    decimal(0.5, 2000, DOC),
    { doc: "Meaning.", example: 1, allowed: "a number from 0.5 to 2,000" },
    [0.5, 1, 1.25, 2000],
    [0.49, 2000.1, "1"],
  ],
  [
    "a number above one",
    decimal(4, 5, DOC),
    { doc: "Meaning.", example: 4, allowed: "a number from 4 to 5" },
    [4, 5],
    [3.9],
  ],
  [
    "yes or no",
    bool(DOC),
    { doc: "Meaning.", example: false, allowed: "true or false" },
    [true, false],
    ["true", 0, null],
  ],
  [
    "a port",
    port(DOC),
    { doc: "Meaning.", example: 1, allowed: "a port: a whole number from 1 to 65535" },
    [1, 443, 65535],
    [0, 65536, 1.5],
  ],
  [
    "a text",
    text(DOC),
    { doc: "Meaning.", example: "example", allowed: "text that is not blank" },
    ["a", " a "],
    ["", "  ", "\n", 1],
  ],
  [
    "one of some words",
    oneOf(["host", "zone"], DOC),
    { doc: "Meaning.", example: "host", allowed: "one of host, zone" },
    ["host", "zone"],
    ["", "hosts", "host, zone"],
  ],
  [
    "a secret",
    secret(DOC),
    {
      doc: "Meaning.",
      example: "[encrypted by pulumi]",
      secret: true,
      allowed: "text that is not blank, without a blank or a line break at its beginning and end",
    },
    ["s", "two words", "[encrypted by pulumi]", "line\nline\n"],
    ["", " ", " s", "s ", "s\n", 1],
  ],
  [
    "a secret of a certain form",
    secret({ ...DOC, allowed: "letters" }, (v) => /^[a-z]+$/.test(v)),
    { doc: "Meaning.", example: "[encrypted by pulumi]", secret: true, allowed: "letters" },
    ["abc", "[encrypted by pulumi]"],
    ["", "123", "abc ", "[encrypted]"],
  ],
  [
    "a host name",
    hostname(DOC),
    {
      doc: "Meaning.",
      example: "host.example.com",
      allowed: "a DNS name in lower case, such as chat.example.com",
    },
    ["a.b", "chat.example.com"],
    ["localhost", "Chat.example.com", "https://chat.example.com", ""],
  ],
  [
    "one part of a DNS name",
    dnsLabel(DOC),
    {
      doc: "Meaning.",
      example: "example",
      allowed: "lower-case letters, digits and '-', at most 63, beginning and ending with a letter or digit",
    },
    ["a", "a-1", x(63)],
    ["", "a.b", "-a", x(64)],
  ],
  [
    "an address",
    address(DOC),
    { doc: "Meaning.", example: "192.0.2.1", allowed: "an IPv4 or IPv6 address, without port, prefix or zone" },
    ["10.0.0.1", "fd00::1"],
    ["10.0.0.1/32", "10.0.0.1:80", "fe80::1%eth0", "host", ""],
  ],
  [
    "a network",
    cidr(DOC),
    {
      doc: "Meaning.",
      example: "192.0.2.0/24",
      allowed: "a network such as 10.0.0.0/8 or fd00::/8, with no bits set after the prefix",
      remedy: "write the network's first address and the prefix; a single address is /32 (IPv4) or /128 (IPv6)",
    },
    ["10.0.0.0/8", "fd00::/8", "10.0.0.1/32"],
    ["10.0.0.1/8", "10.0.0.1", "10.0.0.0-10.0.0.9"],
  ],
  [
    "a range of addresses",
    addressRange(DOC),
    {
      doc: "Meaning.",
      example: "192.0.2.0/24",
      allowed: "a network (203.0.113.0/28) or a range (203.0.113.10-203.0.113.20)",
      remedy:
        "give the first address before the last, both of one family; for a network, the first address and the prefix",
    },
    ["203.0.113.0/28", "203.0.113.10-203.0.113.20"],
    ["203.0.113.20-203.0.113.10", "203.0.113.5/24", "x"],
  ],
  [
    "an https URL",
    httpsUrl(DOC),
    { doc: "Meaning.", example: "https://example.com", allowed: "an https:// URL without user or password" },
    ["https://example.com/x"],
    ["http://example.com", "https://u:p@example.com", "example.com"],
  ],
  [
    "the name of a Kubernetes object",
    objectName("Meaning."),
    {
      doc: "Meaning.",
      example: "example",
      allowed: "a Kubernetes object name: lower-case letters, digits, '-' and '.'",
    },
    ["a", "a.b-c"],
    ["A", "a_b", ""],
  ],
  ["a list", list(int(1, 2, DOC), DOC), { doc: "Meaning.", allowed: "a list" }, [[], [1, 2]], [[3], "1", { 0: 1 }]],
  [
    "texts under names",
    texts(DOC),
    { doc: "Meaning.", allowed: "names with text values", example: {} },
    [{}, { a: "b" }],
    [{ a: 1 }, [], "a"],
  ],
  [
    "a section",
    section({ a: int(1, 2, DOC), b: bool(DOC).optional() }, DOC),
    { doc: "Meaning." },
    [{ a: 1 }, { a: 2, b: true }],
    [{}, { a: 1, c: 1 }, [], "a"],
  ],
  [
    "a private authority",
    privateAuthority("the mail server"),
    {
      doc: "True: the certificate of the mail server is signed by one of `trustedAuthorities`, and no other is accepted. False: by a public authority.",
      example: false,
      allowed: "true or false",
      defaultText: "false",
    },
    [true, false, undefined],
    ["true", null],
  ],
  [
    "the cores of a pod",
    cpu(),
    { doc: "Requested cores of each pod.", example: 1, allowed: "cores, more than 0" },
    [undefined, 0.01, 1024],
    [0, 0.009, 1025],
  ],
  [
    "the memory of a pod",
    memoryMiB(),
    {
      doc: "Requested memory of each pod, MiB. The limit is higher: 1.5 times, unless the layer sets another.",
      example: 16,
      allowed: "a whole number from 16 to 16,777,216",
    },
    // 16 TiB: more than any machine has.
    [undefined, 16, 16_777_216],
    [15, 16_777_217, 16.5],
  ],
  [
    "the memory of a pod that needs more",
    memoryMiB(512),
    {
      doc: "Requested memory of each pod, MiB. The limit is higher: 1.5 times, unless the layer sets another.",
      example: 512,
      allowed: "a whole number from 512 to 16,777,216",
    },
    [512],
    [511],
  ],
  [
    "the size of a volume",
    storageGiB("Meaning."),
    { doc: "Meaning.", example: 1, allowed: "a whole number from 1 to 1,000,000" },
    [undefined, 1, 1_000_000],
    [0, 1_000_001],
  ],
];

describe("fields", () => {
  for (const [name, schema, says, accepted, refused] of KINDS)
    it(`${name} has its bounds and says them`, () => {
      assert.deepEqual(docOf(schema), says);
      only(schema, accepted, refused);
    });

  it("a number of pods has the least that its layer survives with", () => {
    assert.equal(docOf(replicas(2)).doc, "Pods.");
    assert.equal(docOf(replicas(2, "Pods of the entrance.")).doc, "Pods of the entrance.");
    assert.equal(docOf(replicas(2)).example, 2);
    only(replicas(2), [undefined, 2, 3], [1, 0, 2.5]);
  });

  it("a setting's own words replace those of its kind", () => {
    const own = { doc: "D.", allowed: "A", remedy: "R", example: "E" };
    for (const schema of [
      int(1, 2, own as FieldDoc),
      decimal(1, 2, own),
      bool(own),
      port(own),
      text(own),
      oneOf(["a"], own),
      hostname(own),
      dnsLabel(own),
      address(own),
      cidr(own),
      addressRange(own),
      httpsUrl(own),
      list(bool(DOC), own),
      texts(own),
      section({}, own),
    ])
      assert.deepEqual(docOf(schema), own);
  });

  it("every example is a valid value", () => {
    for (const [name, schema, { example }] of KINDS)
      if (example !== undefined) assert.ok(schema.safeParse(example).success, name);
  });

  it("a record has the same kind of field under each key", () => {
    const shape = recordOf(["a", "b"], (key) => text({ doc: `About ${key}.` }));
    assert.deepEqual(Object.keys(shape), ["a", "b"]);
    assert.equal(docOf(shape.a).doc, "About a.");
    assert.equal(docOf(shape.b).doc, "About b.");
  });

  it("a secret has no blanks around it, unless it is a file of several lines", () => {
    for (const value of ["", "a", "a b", "a\nb", "a\nb\n", " a\n b ", "a \n\n b"]) assert.ok(isTight(value), value);
    for (const value of [" a", "a ", "a\n", "\na", "\n", " \n a", "a \n "]) assert.ok(!isTight(value), value);
  });
});

describe("fields: an S3", () => {
  it("has a region that most programs take for granted", () => assert.equal(defaultOf(s3Fields.region), "us-east-1"));

  it("is encrypted on its way, unless it is inside", () => {
    assert.deepEqual(docOf(s3Fields.endpoint), {
      doc: "URL of the S3 API.",
      allowed: "an https:// URL, or http:// to a private address",
      remedy: "give the URL of the S3 API without the bucket: https://s3.eu-central-1.amazonaws.com",
      example: "https://s3.example.com",
    });
    only(s3Fields.endpoint, ["https://s3.example.net", "http://10.0.0.1:9000"], ["http://s3.example.net", "s3"]);
  });

  it("has a bucket whose name S3 accepts: 3 to 63 characters", () => {
    assert.deepEqual(docOf(s3Fields.bucket), {
      doc: "Bucket. It must exist.",
      allowed: "a bucket name: 3 to 63 lower-case letters, digits, '-' and '.'",
      example: "example",
    });
    only(
      s3Fields.bucket,
      ["abc", "a-c", "a.c", "0a9", "my-media.2", x(63)],
      ["", "ab", x(64), "-bc", "ab-", ".bc", "ab.", "aBc", "a_c", "a c", "a/b", "abc\n"],
    );
  });

  it("has two keys, which are secrets", () => {
    const tight = "text that is not blank, without a blank or a line break at its beginning and end";
    const says = { secret: true, example: "[encrypted by pulumi]", allowed: tight };
    assert.deepEqual(docOf(s3Fields.accessKey), { doc: "Access key id.", ...says });
    assert.deepEqual(docOf(s3Fields.secretKey), { doc: "Secret access key.", ...says });
    assert.match(docOf(s3Fields.privateAuthority).doc!, /^True: the certificate of the endpoint is signed/);
  });
});
