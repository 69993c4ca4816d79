/** A report of a run as text. Pure. */
import type { Report } from "./run";

const ms = (value: number | undefined): string => (value === undefined ? "-" : value.toFixed(0));

const columns = (rows: string[][]): string[] => {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((r) => r[i]!.length)));
  return rows.map((r) =>
    r.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
  );
};

export function reportText(r: Report): string {
  const kinds = Object.entries(r.kinds).map(([kind, f]) => [
    kind,
    ...[f.offered, f.served, f.refused, f.failed].map(String),
    ...[f.p50, f.p95, f.p99].map(ms),
  ]);
  const requests = Object.values(r.kinds).reduce((sum, f) => sum + f.served, 0) + r.woken.longPoll + r.woken.sliding;
  const total = Object.values(r.cpu).reduce((sum, v) => sum + v, 0);
  const parts = Object.entries(r.cpu)
    .sort(([, x], [, y]) => y - x)
    .map(([part, used]) => [
      part,
      used.toFixed(2),
      `${((100 * used) / r.seconds).toFixed(1)} %`,
      ((1000 * used) / requests).toFixed(2),
    ]);
  return [
    `${r.plan.users} users in ${r.rooms.count} rooms of 2 to ${r.rooms.largest} members, ${r.seconds.toFixed(0)} s`,
    "",
    ...columns([["kind", "offered", "served", "refused", "failed", "p50 ms", "p95 ms", "p99 ms"], ...kinds]),
    "",
    `waiting clients: ${r.woken.longPoll} answers to long polls, ${r.woken.sliding} to sliding syncs, ${r.woken.failed} failed; ${r.woken.messages} messages delivered, p50 ${ms(r.delivery.p50)} ms, p95 ${ms(r.delivery.p95)} ms, p99 ${ms(r.delivery.p99)} ms after they were due`,
    "",
    ...columns([
      ["part", "CPU s", "of a core", "ms a request"],
      ...parts,
      ["all", total.toFixed(2), `${((100 * total) / r.seconds).toFixed(1)} %`, ((1000 * total) / requests).toFixed(2)],
    ]),
    "",
    `the load generator itself: ${r.own.toFixed(2)} CPU s`,
  ].join("\n");
}
