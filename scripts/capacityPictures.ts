/** The pictures of docs/proof/capacity.md, from the data file of costs and from the plans that follow from it. Pure. */
import { planFor } from "../cli/plan";
import { ANCHOR_CCU } from "../components/domain/anchors";
import { PROFILES } from "../components/sizing/activity";
import type { CostFile, CostRow } from "../components/sizing/costs";
import { document, type Point, type Tone } from "./svg";
import { EXPERIMENTS } from "../lab/load/experiments";

const LEFT = 190,
  WIDTH = 900;
const text = (x: number, y: number, words: string, more = ""): string =>
  `<text class="port" x="${x}" y="${y}"${more}>${words}</text>`;

/** Parts that a bar tells apart; all others are one. */
const SHADES: Array<{ name: string; tone: Tone; parts: string[] }> = [
  { name: "processes that receive and answer", tone: "front", parts: ["generic", "synchrotron", "initial-sync"] },
  { name: "event persisters", tone: "calls", parts: ["event-persister"] },
  { name: "PostgreSQL and PgBouncer", tone: "data", parts: ["postgres", "pgbouncer"] },
  { name: "all others", tone: "synapse", parts: [] },
];
const COUNTS = ["total", "transactions", "queries", "walBytes", "databaseBytes"];

const shadeOf = (part: string): (typeof SHADES)[number] =>
  SHADES.find(({ parts }) => parts.includes(part)) ?? SHADES.at(-1)!;

/** A bar for each operation that was measured: its CPU by part, and the error of the whole. */
export function cpuPicture({ rows, date }: CostFile, theme?: "dark"): string {
  const operations = EXPERIMENTS.flatMap(({ id, unit }) => {
    const total = rows.find((r) => r.operation === id && r.part === "total" && r.how === "measured" && r.known);
    const parts = rows.filter((r) => r.operation === id && r.known && r.value > 0 && !COUNTS.includes(r.part));
    return total ? [{ unit, total, parts }] : [];
  });
  const most = Math.max(...operations.map(({ total }) => total.value + total.error));
  const x = (value: number): number => Math.round(LEFT + (value / most) * (WIDTH - LEFT - 130));
  const bars = operations.flatMap(({ unit, total, parts }, i) => {
    const y = 70 + i * 44;
    let from = 0;
    const pieces = SHADES.map(({ tone, name }) => {
      const value = sum(parts.filter((p) => shadeOf(p.part).name === name));
      const piece = `<rect class="${tone}" x="${x(from)}" y="${y}" width="${x(from + value) - x(from)}" height="24"/>`;
      from += value;
      return piece;
    });
    const label = `${(total.value * 1000).toFixed(1)} ± ${(total.error * 1000).toFixed(1)} ms`;
    return [text(LEFT - 10, y + 17, unit, ' text-anchor="end"'), ...pieces, text(x(from) + 8, y + 17, label)];
  });
  const legend = SHADES.map(
    ({ tone, name }, i) =>
      `<rect class="${tone}" x="${30 + i * 215}" y="${84 + operations.length * 44}" width="14" height="14"/>${text(50 + i * 215, 96 + operations.length * 44, name)}`,
  );
  return document({
    width: WIDTH,
    height: 124 + operations.length * 44,
    title: `CPU of one more of each, by part, ms (measured ${date})`,
    body: [
      `<text class="title" x="30" y="38">CPU of one more of each, ms (measured ${date})</text>`,
      ...bars,
      ...legend,
    ],
    theme,
  });
}

const sum = (rows: readonly CostRow[]): number => rows.reduce((all, r) => all + r.value, 0);

interface Curve {
  profile: string;
  points: Array<{ ccu: number; cores: number }>;
}

/** Cores of 1,000 users at their peak, by size and profile; a profile ends where the ceiling refuses it. */
export function userCurves(): Curve[] {
  return PROFILES.map((profile) => ({
    profile,
    points: ANCHOR_CCU.flatMap((ccu) => {
      try {
        const { parts } = planFor({ ccu, set: [`activity.profile=${profile}`] }).plan.load;
        return [{ ccu, cores: (1000 * parts.reduce((all, p) => all + p.cores, 0)) / ccu }];
      } catch {
        return [];
      }
    }),
  }));
}

export function userPicture(theme?: "dark"): string {
  const curves = userCurves();
  const [top, bottom] = [70, 330];
  const most = Math.max(...curves.flatMap((c) => c.points.map((p) => p.cores)));
  const at = ({ ccu, cores }: { ccu: number; cores: number }): Point => [
    LEFT + Math.round((Math.log10(ccu / ANCHOR_CCU[0]) / Math.log10(200)) * (WIDTH - LEFT - 190)),
    Math.round(bottom - (cores / most) * (bottom - top)),
  ];
  const lines = curves.flatMap(({ profile, points }) => {
    const drawn = points.map(at);
    const [x, y] = drawn.at(-1)!;
    return [
      `<path class="arrow" d="M${drawn.map((p) => p.join(" ")).join("L")}"/>`,
      ...points.map((p, i) => text(drawn[i]![0], drawn[i]![1] - 8, p.cores.toFixed(1), ' text-anchor="middle"')),
      text(x + 22, y + 4, profile),
    ];
  });
  const sizes = ANCHOR_CCU.map((ccu) =>
    text(at({ ccu, cores: 0 })[0], bottom + 22, ccu.toLocaleString("en-US"), ' text-anchor="middle"'),
  );
  return document({
    width: WIDTH,
    height: 380,
    title: "Cores that 1,000 users take at their peak, by size of the stack and activity",
    body: [
      `<text class="title" x="30" y="38">Cores that 1,000 users take at their peak, by concurrent users of the stack</text>`,
      `<path class="arrow" d="M${LEFT} ${bottom}L${WIDTH - 180} ${bottom}"/>`,
      ...sizes,
      ...lines,
      text(30, bottom + 22, "concurrent users"),
      text(30, bottom + 40, "A line ends where the ceiling of messages a second refuses the next size."),
    ],
    theme,
  });
}
