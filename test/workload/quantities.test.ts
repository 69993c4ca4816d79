/** Quantities keep their value, and are what Kubernetes would write. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { quantityToScalar } from "@kubernetes/client-node/dist/util.js";
import { canonical, gibi, mebi, milliCpu, quantityValue } from "../../components/core/workload";

const UNITS: Record<string, number> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
const parts = (quantity: string): [number: number, unit: string] => {
  const m = /^(0|[1-9]\d*)(\D*)$/.exec(quantity);
  assert.ok(m && m[2]! in UNITS, `${quantity} is a whole number with a unit`);
  return [Number(m[1]), m[2]!];
};
const value = (quantity: string): number => {
  const [n, unit] = parts(quantity);
  return n * UNITS[unit]!;
};

/** No larger unit would do: Kubernetes' own words are "no fractional digits, the exponent as large as possible". */
function assertLargest(quantity: string, step: number): void {
  const [n, unit] = parts(quantity);
  assert.ok(n === 0 ? unit === "" : n % step !== 0, quantity);
  assert.equal(canonical(quantity), quantity);
}

describe("Kubernetes quantities", () => {
  it("of memory keep their value, rounded to a MiB", () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double({ min: 0, max: 2 ** 30, noNaN: true }),
          fc.nat(4096).map((n) => n * 1024),
        ),
        (mib) => {
          assert.equal(value(mebi(mib)), Math.round(mib) * 2 ** 20);
          assertLargest(mebi(mib), 1024);
        },
      ),
    ));

  it("of volumes keep their value, up to the next GiB", () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double({ min: 0, max: 2 ** 20, noNaN: true }),
          fc.nat(4096).map((n) => n * 1024),
        ),
        (gib) => {
          assert.equal(value(gibi(gib)), Math.ceil(gib) * 2 ** 30);
          assertLargest(gibi(gib), 1024);
        },
      ),
    ));

  it("of cores keep their value, rounded to a thousandth, and are never none", () =>
    fc.assert(
      fc.property(fc.oneof(fc.double({ min: 0, max: 5000, noNaN: true }), fc.nat(5000)), (cores) => {
        assert.ok(Math.abs(value(milliCpu(cores)) - Math.max(1, Math.round(cores * 1000)) / 1000) < 1e-9);
        assertLargest(milliCpu(cores), 1000);
      }),
    ));

  it("are made canonical without a change of value, and then stay", () => {
    const whole = fc.tuple(fc.nat(2 ** 20), fc.constantFrom("", "k", "M", "G", "Ki", "Mi", "Gi"));
    fc.assert(
      fc.property(whole, ([n, unit]) => {
        const c = canonical(`${n}${unit}`)!;
        assert.equal(value(c), n * UNITS[unit]!);
        assertLargest(c, unit.endsWith("i") && n * UNITS[unit]! >= 1024 ? 1024 : 1000);
      }),
    );
  });

  // What k8s.io/apimachinery v0.36.4 makes of them (ParseQuantity, then MarshalJSON).
  for (const [given, written] of Object.entries({
    "1024Mi": "1Gi",
    "2048Mi": "2Gi",
    "1536Mi": "1536Mi",
    "1.5Gi": "1536Mi",
    "1024Gi": "1Ti",
    "1023Ki": "1023Ki",
    "1000m": "1",
    "1500m": "1500m",
    "0.1": "100m",
    "1000": "1k",
    "1024": "1024",
    "1048576": "1048576",
    "0": "0",
    "0Mi": "0",
    "0m": "0",
    "1.0Gi": "1Gi",
    "0.5Ki": "512",
    "0.1Mi": "104857600m",
    "0.1n": "1n",
    "1000Mi": "1000Mi",
    "1000k": "1M",
    "1e3": "1e3",
    "1000e0": "1e3",
    "1e4": "10e3",
    "12e1": "120",
    "1.5e3": "1500",
    "5e-4": "500e-6",
    "1e-10": "1e-9",
    "100000e-2": "1e3",
    "0e3": "0",
    "1e19": "10e18",
    ".5": "500m",
    "1E": "1E",
    "1Ei": "1Ei",
  }))
    it(`${given} is ${written}`, () => assert.equal(canonical(given), written));

  it("are worth what Kubernetes' own client takes them for", () => {
    const whole = fc.bigInt({ min: 0n, max: 10n ** 15n }).map(String);
    const decimal = fc.tuple(whole, fc.option(fc.nat(999_999))).map(([n, f]) => (f === null ? n : `${n}.${f}`));
    // The client takes fractions only where it makes a floating-point number of the whole.
    const quantities = fc.oneof(
      fc.tuple(whole, fc.constantFrom("k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")),
      fc.tuple(decimal, fc.constantFrom("", "m")),
      fc.tuple(whole, fc.constantFrom("u", "n")),
      fc.tuple(
        decimal,
        fc.tuple(fc.constantFrom("e", "E", "e+", "E+"), fc.nat(20)).map(([e, n]) => `${e}${n}`),
      ),
      fc.tuple(
        whole,
        fc.nat(9).map((n) => `e-${n}`),
      ),
    );
    fc.assert(
      fc.property(quantities, ([n, suffix]) => {
        const theirs = Number(quantityToScalar(`${n}${suffix}`));
        const ours = quantityValue(`${n}${suffix}`);
        assert.ok(Math.abs(ours - theirs) <= theirs * 1e-12 + 1e-9, `${n}${suffix}: ${ours}, not ${theirs}`);
        assert.equal(quantityValue(canonical(`${n}${suffix}`)!), ours);
      }),
      { numRuns: 2_000 },
    );
  });

  it("with a fraction before a large suffix, which that client refuses, are worth what Kubernetes says", () => {
    assert.equal(quantityValue("1.5Gi"), 1.5 * 2 ** 30);
    assert.equal(quantityValue("0.5k"), 500);
    assert.equal(quantityValue("16777216Ki"), 16 * 2 ** 30);
  });

  it("are no other texts", () => {
    for (const text of ["", "Mi", ".", "1.2.3", "1ki", "1KI", "1 Gi", "1GB", "-1", "1e", "1ee3", "1e3Ki", "e3", "all"])
      assert.equal(canonical(text), undefined, text);
    assert.throws(() => quantityValue("1 Gi"), /"1 Gi" is not a Kubernetes quantity/);
  });
});
