/** Waiting for a condition of the cluster. */
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Asks until the answer is undefined; anything else says why it is not so yet. An error is such an answer, too: a busy
 * cluster breaks off a connection now and then, and answers when it is asked again.
 *
 * @param every Seconds between two questions.
 * @returns Seconds until it was so.
 * @throws When it is not so within `seconds`, with the last reason.
 */
export async function until(
  what: string,
  seconds: number,
  check: () => Promise<string | undefined> | string | undefined,
  every = 1,
): Promise<number> {
  const started = Date.now();
  for (let why: string | undefined = "not asked"; ;) {
    try {
      why = await check();
    } catch (error) {
      why = (error as Error).message;
    }
    if (why === undefined) return (Date.now() - started) / 1000;
    if (Date.now() - started > seconds * 1000) throw new Error(`${what}: not within ${seconds} s: ${why}`);
    await sleep(every * 1000);
  }
}
