/** What every test here needs; without matrix-js-sdk, which takes seconds to load. */
import * as crypto from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { until as untilSo } from "../../../lab/common/until";
import { kubectl } from "../../../lab/local/access";

export { sleep };

/** Marks everything of one run. */
export const run = crypto.randomBytes(3).toString("hex");

export const secret = (namespace: string, name: string, key: string): string =>
  Buffer.from(
    JSON.parse(kubectl("-n", namespace, "get", "secret", name, "-o", "json")).data[key] ?? "",
    "base64",
  ).toString();

/** Milliseconds until it was so. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  limitSeconds = 30,
  everyMs = 50,
): Promise<number> {
  const ask = async (): Promise<string | undefined> => ((await check()) ? undefined : "it is not so yet");
  return Math.round(1000 * (await untilSo(what, limitSeconds, ask, everyMs / 1000)));
}
