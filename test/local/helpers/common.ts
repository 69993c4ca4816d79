/** What every test here needs; without matrix-js-sdk, which takes seconds to load. */
import * as crypto from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
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
  const start = Date.now();
  for (let why = ""; ; await sleep(everyMs)) {
    try {
      if (await check()) break;
      why = "";
    } catch (error) {
      // A busy cluster breaks off a connection now and then: asked again, it answers.
      why = `: ${(error as Error).message}`;
    }
    if (Date.now() - start > limitSeconds * 1000) throw new Error(`${what}: not within ${limitSeconds} s${why}`);
  }
  return Date.now() - start;
}
