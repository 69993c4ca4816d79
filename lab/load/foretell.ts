/** What the measured costs say that a run of the model takes, to compare with what it took. Pure. */
import type { CostFile } from "./costs";
import { FILE_MIB } from "./model";
import type { Report } from "./run";

/** How many of each experiment's unit a run has had. */
export function amounts(r: Report): Map<string, number> {
  const served = (kind: string): number => r.kinds[kind]?.served ?? 0;
  return new Map([
    ["idle", r.seconds],
    ["send", served("send")],
    // A send is measured in rooms of two: those are in its cost.
    ["member", r.members - 2 * served("send")],
    ["wake", r.woken.longPoll],
    ["wakeSliding", r.woken.sliding],
    ["typing", served("typing")],
    ["receipt", served("receipt")],
    ["presence", served("presence")],
    ["login", served("login")],
    ["firstSync", served("firstSync")],
    ["upload", served("upload") * FILE_MIB],
    ["uploadRequest", served("upload")],
    ["download", served("download") * FILE_MIB],
    ["downloadRequest", served("download")],
    ["keyUpload", served("keyUpload")],
    ["keyClaim", served("keyClaim")],
  ]);
}

/** CPU seconds of each part. A cost that is not told from zero still counts: to leave it out would be a guess too. */
export function foretold(costs: CostFile, r: Report): Map<string, number> {
  const many = amounts(r),
    out = new Map<string, number>();
  for (const { operation, part, value, unit } of costs.rows)
    if (unit.startsWith("CPU seconds")) out.set(part, (out.get(part) ?? 0) + value * (many.get(operation) ?? 0));
  return out;
}
