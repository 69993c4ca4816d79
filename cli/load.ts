/** The plan's section about load: what is expected, how near the ceiling it is, and what it takes of each part. */
import type { Plan } from "../components/sizing";
import { table, wrap } from "./table";

/** Parts with a row of their own: those that are busiest. */
const SHOWN = 8;

export const rate = (value: number): string =>
  value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 1 : 0 });
const n = (value: number): string => value.toLocaleString("en-US");
const percent = (share: number): string => `${Math.round(share * 100)} %`;

export function loadText({ ccu, load, synapse }: Plan, width: number): string {
  const { ceiling } = load;
  const [first, ...others] = ceiling.limits;
  const next = others.slice(0, 2).map((limit) => `${limit.name} (${rate(limit.messagesPerSecond)})`);
  const table = synapse.messagesPerSecond;
  const sentences = [
    `Expected: ${rate(load.messagesPerSecond)} messages a second at the peak. ${n(ccu)} users send ${rate(load.messagesPerUserHour)} an hour each (activity: ${load.profile}), ${rate(load.peakFactor)} times as many in the busiest minute; ${rate(load.recipientsOnline)} others are connected when one comes.`,
    `Ceiling: ${rate(ceiling.messagesPerSecond)} a second, so ${percent(ceiling.share)} is used: ${first!.name}. Then: ${next.join(", ")}.${table > ceiling.messagesPerSecond ? ` The table that the sizes come from says ${n(table)}: no number of processes carries that on cores as they were measured.` : ""}`,
  ];
  return [
    ...sentences.map((text) => wrap(text, width, "  ", "  ")),
    partTable(load),
    wrap(
      `least: the fewest processes that carry the peak, each with 70 % of a core. reserve: for 30 % more people and one process lost. busy: share of the planned cores. measured: share of the CPU that follows from measured costs; the rest are upper bounds (components/sizing/costs.json). Calls and federation are not in it.`,
      width,
      "  ",
      "  ",
    ),
  ].join("\n");
}

function partTable({ parts }: Plan["load"]): string {
  const sorted = [...parts].sort((a, b) => b.busy - a.busy);
  const rest = sorted.slice(SHOWN);
  const range = (from: number, to: number): string => (to > from ? `${from} to ${to}` : String(from));
  const cores = (all: Plan["load"]["parts"]): number => all.reduce((sum, p) => sum + p.cores, 0);
  const measured = (all: Plan["load"]["parts"]): string =>
    percent(all.reduce((sum, p) => sum + p.cores * p.measured, 0) / cores(all));
  return table(
    ["part", "planned", "least", "with reserve", "cores at the peak", "busy", "measured"],
    [
      ...sorted
        .slice(0, SHOWN)
        .map((p) => [
          p.part,
          range(p.planned, p.most),
          p.least,
          p.recommended,
          p.cores.toFixed(2),
          percent(p.busy),
          percent(p.measured),
        ]),
      [
        `${rest.length} others`,
        rest.reduce((sum, p) => sum + p.planned, 0),
        rest.reduce((sum, p) => sum + p.least, 0),
        rest.reduce((sum, p) => sum + p.recommended, 0),
        cores(rest).toFixed(2),
        `up to ${percent(Math.max(...rest.map((p) => p.busy)))}`,
        measured(rest),
      ],
      ["all", "", "", "", cores(parts).toFixed(2), "", measured(parts)],
    ],
  );
}
