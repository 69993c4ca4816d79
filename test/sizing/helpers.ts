import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Settings } from "../../components/settings/types";
import { SettingsInvalid } from "../../components/core/errors";
import { plan } from "../../components/plan";
import { RECOMMENDED_STORE, recommendedHosts, type Plan } from "../../components/sizing";
import { fixtureSettings } from "../fixtures/plan";

/** Settings of a size, on the machines that the plan recommends for it. */
export function sized(ccu: number, change: (s: Settings) => void = () => undefined): Settings {
  const s = fixtureSettings();
  s.ccu = ccu;
  s.hosts = recommendedHosts(ccu);
  s.objectStore = { ...RECOMMENDED_STORE };
  s.presence.enabled = true;
  // Beyond them the ceiling of messages a second refuses the usual activity on cores as they were measured.
  if (ccu > 20_000) Object.assign(s, { coreSpeed: 4, activity: { ...s.activity, messagesPerUserHour: 2.5 } });
  change(s);
  return s;
}

/** A store of pools of four, which survive the loss of a host: what stacks without `survives: zone` have. */
export const FOURS = { kind: "minio", survives: "host" } as const;

export const pool = (p: Plan, cls: string): Plan["synapse"]["pools"][number] => {
  const found = p.synapse.pools.find((x) => x.class === cls);
  assert.ok(found, `no pool ${cls}`);
  return found;
};

export function invalid(s: Settings): SettingsInvalid {
  try {
    plan(s);
  } catch (error) {
    if (error instanceof SettingsInvalid) return error;
    throw error;
  }
  return assert.fail("the plan was accepted");
}

export const anyCcu = (max = 20_000): fc.Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: 100, max }),
    fc.constantFrom(100, 101, 999, 1000, 1001, 4999, 5000, 5001, 9999, 10_000, 10_001, 19_999, 20_000),
  );

/** The options that change which processes there are. */
export const anyOptions = fc.record({
  federation: fc.boolean(),
  presence: fc.boolean(),
  s3: fc.boolean(),
  rtc: fc.boolean(),
});
export const withOptions =
  (o: { federation: boolean; presence: boolean; s3: boolean; rtc: boolean }) =>
  (s: Settings): void => {
    s.federation.enabled = o.federation;
    s.presence.enabled = o.presence;
    s.rtc.enabled = o.rtc;
    if (o.s3)
      s.objectStore = {
        kind: "s3",
        endpoint: "https://s3.example.net",
        region: "eu-1",
        bucket: "media",
        accessKey: "a",
        secretKey: "b",
      };
  };
