/** docs/proof/cluster.md from the runs. Pure. */
import { RETRY_AFTER_SECONDS, type Figures } from "./load";
import type { Scenario, Table } from "./scenario";

export interface Result extends Pick<Scenario, "id" | "group" | "title" | "how" | "promised" | "bounds"> {
  date: string;
  /** Absent if there was no steady load. */
  figures?: Figures;
  table?: Table;
  notes: string[];
  failures: string[];
  /** Seconds from the end of the load until everything was healthy. */
  healed: number;
  /** All of it, seconds. */
  seconds: number;
}
/** One `npm run local` from nothing, as lab/local/firstLogin.ts recorded it. */
export interface FirstLogin {
  date: string;
  /** Nothing had been built before. */
  cold: boolean;
  seconds: { cluster: number; firstLogin: number; ready: number };
  memoryGiB: number;
  pods: number;
  notReady: string[];
  restarted: string[];
  warnings: Array<{ reason: string; count: number; example: string; explained?: string }>;
}
/** The last run of everything at once. */
export interface WholeRun {
  date: string;
  minutes: number;
  scenarios: number;
  bad: number;
}
export interface Surroundings {
  versions: Record<string, string>;
  machine: string;
  firstLogins: FirstLogin[];
  wholeRun?: WholeRun;
}

const cell = (s: string | number): string => String(s).replace(/\|/g, "\\|").replace(/\n/g, " ");
const seconds = (x: number): string => `${x.toFixed(1)} s`;
const row = (cells: Array<string | number>): string => `| ${cells.map(cell).join(" | ")} |`;
const lines = (t: Table): string[] => [row(t.head), `|${t.head.map(() => "---|").join("")}`, ...t.rows.map(row), ""];

function table(results: Result[]): string[] {
  if (!results.length) return ["None has run.", ""];
  return lines({
    head: [
      "What",
      "No send acknowledged: at all / to one room",
      "Failed: first try / after one retry",
      "Acknowledged and lost",
      "Delivery: median / longest",
      "Promised before",
    ],
    rows: results.map((r) => {
      const f = r.figures;
      const link = `[${r.title}](#${r.id})${r.failures.length ? " **failed**" : ""}`;
      if (!f) return [link, "", "", "", "", r.promised ?? ""];
      return [
        link,
        `${seconds(f.gap)} / ${seconds(f.roomGap)}`,
        `${f.failedFirst} / ${f.failedAfterRetry} of ${f.sends}`,
        f.lost,
        `${f.deliveryMedian.toFixed(2)} s / ${seconds(f.deliveryLongest)}`,
        r.promised ?? "",
      ];
    }),
  });
}

function detail(r: Result): string[] {
  const f = r.figures;
  const list = (kinds: Record<string, number> = {}): string =>
    Object.entries(kinds)
      .map(([kind, n]) => `${n} × ${kind}`)
      .join(", ");
  const first = list(f?.kinds),
    second = list(f?.kindsAfterRetry);
  return [
    `<a id="${r.id}"></a>`,
    "",
    `### ${r.title}`,
    "",
    `${r.how}. ${r.date}. ${r.failures.length ? "**Failed.**" : "Passed."}`,
    "",
    ...r.failures.map((x) => `- **${x}**`),
    ...r.notes.map((x) => `- ${x}`),
    ...(first ? [`- first tries failed: ${first}${second ? `; second tries: ${second}` : ""}`] : []),
    ...(f
      ? [
          `- one message per ${f.every} ms; slowest acknowledged send ${seconds(f.slowest)}; median before the cause ${Math.round(f.baselineMedian * 1000)} ms; failed polls of the reader ${f.syncErrors}; messages stored twice ${f.doubled}`,
          `- everything ready again ${r.healed.toFixed(0)} s after the load had ended; asserted: at most ${r.bounds.gap} s without any acknowledgement, at most ${r.bounds.failedAfterRetry} sends failed after one retry, none lost${f.undelivered === undefined ? "" : ", the last of each room delivered"}`,
        ]
      : []),
    "",
    ...(r.table ? lines(r.table) : []),
  ];
}

function firstLogin(all: FirstLogin[]): string[] {
  if (!all.length) return [];
  return [
    "## From nothing to first login",
    "",
    ...lines({
      head: [
        "",
        "Date",
        "Cluster up",
        "First login",
        "Everything ready",
        "Memory in use",
        "Pods ready",
        "Restarts",
        "Warning events without explanation",
      ],
      rows: all.map((x) => [
        x.cold ? "cold: nothing built" : "warm: all parts built",
        x.date,
        `${x.seconds.cluster} s`,
        `${x.seconds.firstLogin} s`,
        `${x.seconds.ready} s`,
        `${x.memoryGiB.toFixed(1)} GiB`,
        `${x.pods - x.notReady.length} of ${x.pods}${x.notReady.length ? `: not ${x.notReady.join(", ")}` : ""}`,
        x.restarted.join(", ") || "none",
        x.warnings
          .filter((w) => !w.explained)
          .map((w) => `${w.count} × ${w.reason}: ${w.example}`)
          .join("; ") || "none",
      ]),
    }),
    "Warning events that a start brings with it:",
    "",
    ...new Set(
      all
        .flatMap((x) => x.warnings)
        .filter((w) => w.explained)
        .map((w) => `- ${w.reason}: ${w.explained}`),
    ),
    "",
  ];
}

export function renderReport(results: Result[], around: Surroundings): string {
  const of = (group: Scenario["group"]): Result[] => results.filter((r) => r.group === group);
  const whole = around.wholeRun;
  return [
    "<!-- Generated by `npm run test:cluster`; do not edit. -->",
    "# Failures and changes, caused on a real cluster",
    "",
    `Each row is one run of \`npm run test:cluster\` against the whole stack of \`Pulumi.local.yaml\`: ${around.machine}. Times are upper bounds: three nodes, the control plane and the clients share the same cores.${whole ? ` The last run of everything in one go took ${whole.minutes} minutes (${whole.date}; ${whole.scenarios - whole.bad} of ${whole.scenarios} rows passed; it leaves out scenarios that another row covers, which \`--only\` runs).` : ""}`,
    "",
    `Load: four users send in turn, one message per ${[...new Set(results.flatMap((r) => r.figures?.every ?? []))].sort((a, b) => b - a).join(" or ")} ms in all (each row's details say which), each to a room of its own, by HTTPS through the announced address with verified certificates; a fifth reads all rooms with long polls. Each send has a fixed transaction id, is given up after 30 s, and is tried once more ${RETRY_AFTER_SECONDS} s after a failure. Afterwards the event id of every acknowledged send is looked for in \`/messages\`; where a row's details say so, the last of each room must also have come to the reader. The last column is what the deployments that this stack replaces promise.`,
    "",
    ...firstLogin(around.firstLogins),
    ...(of("proof").length ? ["## Deployed again, and used", "", ...table(of("proof"))] : []),
    "## Failures",
    "",
    ...table(of("failure")),
    "## Changes",
    "",
    ...table(of("change")),
    "## Backup and restore",
    "",
    ...(of("restore").length ? of("restore").flatMap(detail) : ["Has not run.", ""]),
    "## Details",
    "",
    ...results.filter((r) => r.group !== "restore").flatMap(detail),
    "## Versions",
    "",
    ...lines({ head: ["Part", "Version"], rows: Object.entries(around.versions) }),
  ].join("\n");
}
