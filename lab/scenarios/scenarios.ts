/**
 * Everything that `npm run test:cluster` does, in this order (a scenario that is part of another one runs only on
 * request). Bounds are generous: the machine is shared; the figures are in the document.
 */
import { UsageError } from "../../cli/arguments";
import { LOCAL_TESTS } from "../proof/localTests";
import { CERTIFICATE } from "./certificate";
import { CHANGES } from "./changes";
import { deploy, script } from "./cluster";
import { HANDOVER } from "./handover";
import { HOSTS } from "./hosts";
import { MACHINES } from "./nodes";
import { PROCESSES } from "./processes";
import { REDIS } from "./redis";
import { RESTORE } from "./restore";
import type { Run, Scenario } from "./scenario";
import { STORAGE } from "./storage";
import { UPGRADE } from "./upgrade";

export type { Run, Scenario };

const PROOF: Scenario[] = [
  {
    id: "unchanged",
    group: "proof",
    title: "The second deployment changes nothing",
    how: "`npm run local -- deploy --expect-no-changes`",
    seconds: 35,
    quick: true,
    partOf: "backup-restore",
    bounds: { gap: 10, failedAfterRetry: 0 },
    action: async (r) => {
      r.cause();
      r.note(/deployed in .*/.exec(await deploy([], ["--expect-no-changes"]))?.[0] ?? "nothing changed");
    },
  },
  {
    id: "used",
    group: "proof",
    title: "Used as its users and operators do",
    how: "`npm run test:local`, without the tests of the network policy engine itself",
    seconds: 110,
    quiet: true,
    bounds: { gap: 0, failedAfterRetry: 0 },
    action: async (r) => {
      const { code, text } = await script("test:local", LOCAL_TESTS.filter((t) => t !== "engine").join(","));
      r.table?.({ head: ["Seen"], rows: [...text.matchAll(/^\s+✔ (.*)$/gm)].map((m) => [m[1]!]) });
      r.note(`${/\d+ passing.*/.exec(text)?.[0] ?? "nothing passed"}`);
      if (code !== 0)
        r.fail(
          (/^ *\d+ failing[^]*/m.exec(text)?.[0] ?? `ended with ${code}: ${text.slice(-600)}`)
            .replace(/\s+/g, " ")
            .trim()
            .slice(0, 1500),
        );
    },
  },
];

/** Failures alone, which can be caused without measuring. */
export const SCENARIOS: Scenario[] = [...PROCESSES, HANDOVER, ...REDIS, ...MACHINES, ...STORAGE, CERTIFICATE];
export const ALL: Scenario[] = [...PROOF, ...SCENARIOS, ...HOSTS, ...CHANGES, UPGRADE, RESTORE];

/**
 * The scenarios of these names (or whose names begin like this), the part for every change, or all that no other one
 * covers; and the scenarios that take back their settings.
 */
export function choose({ only, quick }: { only?: readonly string[]; quick?: boolean }): Scenario[] {
  const named =
    (o: string) =>
    (s: Scenario): boolean =>
      s.id === o || s.id.startsWith(`${o}-`);
  for (const o of only ?? []) if (!ALL.some(named(o))) throw new UsageError(`${o} is unknown: --list names all`);
  const chosen = ALL.filter((s) =>
    only ? only.some((o) => named(o)(s)) : quick ? s.quick : !s.partOf && !s.onRequest,
  );
  // Settings are taken back, whichever scenarios were chosen.
  return ALL.filter(
    (s) => chosen.includes(s) || (chosen.some((c) => c.takenBackBy === s.id) && !chosen.some((c) => c.id === s.partOf)),
  );
}
