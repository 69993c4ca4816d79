/** Addresses are what Node takes for one, in both families, and keep their value; networks hold what they should. */
import assert from "node:assert/strict";
import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import {
  addressText,
  commonNetwork,
  contains,
  familyOf,
  hostCidr,
  isPrivateAddress,
  overlaps,
  parseAddress,
  parseAddresses,
  parseCidr,
  parseNetwork,
  type Family,
  type Interval,
} from "../../components/core/addresses";

const BITS = { 4: 32, 6: 128 } as const;
const address = (family: Family): fc.Arbitrary<bigint> =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(BITS[family])) - 1n });
const anyAddress = fc.constantFrom<Family>(4, 6).chain((family) => fc.tuple(fc.constant(family), address(family)));
const anyNetwork = anyAddress.chain(([family, value]) =>
  fc.tuple(fc.constant(family), fc.constant(value), fc.nat(BITS[family])),
);

describe("addresses", () => {
  it("are what Node takes for one, but for zones", () => {
    const hex = fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEF"), maxLength: 5 });
    const texts = fc.oneof(
      fc.ipV4(),
      fc.ipV4Extended(),
      fc.ipV6(),
      fc.array(fc.nat(300), { minLength: 1, maxLength: 5 }).map((parts) => parts.join(".")),
      fc.array(hex, { maxLength: 9 }).map((parts) => parts.join(":")),
      fc.tuple(fc.array(hex, { maxLength: 7 }), fc.ipV4()).map(([parts, tail]) => [...parts, tail].join(":")),
      fc.string({ unit: fc.constantFrom(..."0123456789abcdef:.x/-") }),
    );
    fc.assert(
      fc.property(texts, (text) => assert.equal(parseAddress(text)?.family ?? 0, isIP(text), text)),
      { numRuns: 5_000 },
    );
  });

  for (const text of ["10.1", "0x7f.1", "010.0.0.1", "1.2.3.04", "2130706433", "fe80::1%eth0", "[::1]", " ::1", ""])
    it(`are not ${JSON.stringify(text)}`, () => assert.equal(parseAddress(text), undefined));

  it("keep their value when they are written and read", () =>
    fc.assert(
      fc.property(anyAddress, ([family, value]) => {
        const text = addressText(family, value);
        assert.deepEqual(parseAddress(text), { family, from: value, to: value });
        assert.deepEqual(parseAddress(text.toUpperCase()), parseAddress(text));
        assert.equal(familyOf(text), `IPv${family}`);
        assert.deepEqual(parseCidr(hostCidr(text)), parseAddress(text));
      }),
    ));

  it("mean the same in each way of writing", () => {
    // The URL parser's writing is the shortest.
    const shortest = (text: string): string => new URL(`http://[${text}]/`).hostname.slice(1, -1);
    const dotted = (value: bigint): string =>
      addressText(6, value)
        .split(":")
        .slice(0, 6)
        .concat(addressText(4, value & 0xffffffffn))
        .join(":");
    fc.assert(
      fc.property(address(6), fc.nat(128), (any, zeros) => {
        const value = any >> BigInt(zeros);
        for (const text of [shortest(addressText(6, value)), dotted(value)])
          assert.equal(parseAddress(text)?.from, value, text);
      }),
    );
    assert.equal(parseAddress("::10.0.0.1")?.from, 0x0a000001n);
    assert.equal(parseAddress("::ffff:10.0.0.1")?.from, 0xffff0a000001n);
  });
});

describe("networks and ranges of addresses", () => {
  it("of both families", () => {
    const o = (a: string, b: string): boolean => overlaps(parseAddresses(a)!, parseAddresses(b)!);
    assert.ok(
      o("10.0.0.0/8", "10.255.255.255") && o("fd00::/8", "fd12::1-fd12::2") && o("::ffff:1.2.3.4", "::ffff:0:0/96"),
    );
    assert.ok(!o("10.0.0.0/8", "11.0.0.0") && !o("::/0", "10.0.0.1"));
    for (const text of ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.2-10.0.0.1", "10.0.0.1-::1", "x", "10.0.0.0/", "1-2-3"])
      assert.equal(parseAddresses(text), undefined, text);
    assert.ok(parseCidr("0.0.0.0/0") && parseCidr("::/0") && !parseCidr("10.0.0.1"));
  });

  it("hold the addresses that Node finds in them", () =>
    fc.assert(
      fc.property(anyNetwork, fc.nat(128), ([family, value, prefix], flipped) => {
        const near = value ^ (1n << BigInt(flipped % BITS[family]));
        const list = new BlockList();
        // A prefix of 0 is refused by some versions of Node.
        list.addSubnet(addressText(family, value), Math.max(1, prefix), `ipv${family}`);
        const network = parseNetwork(`${addressText(family, value)}/${Math.max(1, prefix)}`)!;
        assert.equal(
          contains(network, { family, from: near, to: near }),
          list.check(addressText(family, near), `ipv${family}`),
        );
      }),
    ));

  it("are a CIDR when no bit is set behind the prefix", () =>
    fc.assert(
      fc.property(anyNetwork, ([family, value, prefix]) => {
        const { from, to } = parseNetwork(`${addressText(family, value)}/${prefix}`)!;
        assert.equal(to - from + 1n, 1n << BigInt(BITS[family] - prefix));
        assert.deepEqual(parseCidr(`${addressText(family, from)}/${prefix}`), { family, from, to });
        assert.equal(parseCidr(`${addressText(family, value)}/${prefix}`) === undefined, from !== value);
        assert.deepEqual(parseAddresses(`${addressText(family, from)} - ${addressText(family, to)}`), {
          family,
          from,
          to,
        });
      }),
    ));

  it("overlap when one begins in the other, in either order", () =>
    fc.assert(
      fc.property(fc.array(fc.nat(40), { minLength: 4, maxLength: 4 }), (ends) => {
        const interval = (a: number, b: number): Interval => ({
          family: 4,
          from: BigInt(Math.min(a, b)),
          to: BigInt(Math.max(a, b)),
        });
        const a = interval(ends[0]!, ends[1]!),
          b = interval(ends[2]!, ends[3]!);
        const shared = Array.from({ length: 41 }, (_, n) => BigInt(n)).some(
          (n) => a.from <= n && n <= a.to && b.from <= n && n <= b.to,
        );
        assert.equal(overlaps(a, b), shared);
        assert.equal(overlaps(b, a), shared);
      }),
    ));

  it("have a smallest network in common", () =>
    fc.assert(
      fc.property(
        fc.constantFrom<Family>(4, 6).chain((family) =>
          fc.array(
            address(family).map((value): Interval => ({ family, from: value, to: value })),
            { minLength: 1 },
          ),
        ),
        (parts) => {
          const text = commonNetwork(parts),
            network = parseCidr(text)!;
          assert.ok(parts.every((part) => contains(network, part)));
          const half = (network.from + network.to) / 2n;
          if (network.from < network.to)
            for (const smaller of [
              { ...network, to: half },
              { ...network, from: half + 1n },
            ])
              assert.ok(!parts.every((part) => contains(smaller, part)), text);
        },
      ),
    ));

  it("are private where the Internet has no way to", () => {
    for (const text of [
      "10.0.0.1",
      "172.31.0.1",
      "192.168.1.1",
      "127.0.0.1",
      "169.254.0.1",
      "100.127.0.1",
      "fd00::1",
      "fe80::1",
      "::1",
    ])
      assert.ok(isPrivateAddress(text), text);
    for (const text of [
      "11.0.0.1",
      "172.32.0.1",
      "100.128.0.1",
      "8.8.8.8",
      "2001:4860::1",
      "::ffff:10.0.0.1",
      "10.1",
      "fd",
      "",
    ])
      assert.ok(!isPrivateAddress(text), text);
  });
});
