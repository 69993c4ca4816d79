/**
 * Writes the plan's current output into README.md and docs/plan.md, between their markers. `--check` only says whether
 * they are up to date.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { chooseMachines, chosenTotals, runTotals, type ChosenMachines, type Totals } from "../cli/machines";
import { rate } from "../cli/load";
import { planFor, report } from "../cli/plan";
import type { NodePlan } from "../components/sizing";
import { PROFILES, type Profile } from "../components/sizing/activity";
import { RUN_SIZES } from "../components/sizing/hostSizes";
import { loadOf } from "../components/sizing/load";
import { writeOrCheck } from "./writeOrCheck";

const ROOT = resolve(__dirname, "..");
/** Sizes of README's table: the smallest, and those of the two examples. */
const SIZES = [100, 1_000, 20_000];
const USES: Record<NodePlan["role"], string> = {
  "control-plane": "Kubernetes itself",
  application: "Synapse, HAProxy, Redis, ingress, monitoring",
  database: "PostgreSQL, on NVMe",
  storage: "MinIO; none with an external S3",
  call: "TURN and the SFU",
};
const n = (value: number): string => value.toLocaleString("en-US");

function sizes(): string {
  const plans = SIZES.map((ccu) => planFor({ ccu }).plan.nodes);
  const roles = plans[0]!.map((node) => node.role);
  const cell = (node: NodePlan): string =>
    `${node.count} × ${node.cpu} vCPU, ${node.memoryGiB} GiB, ${n(node.diskGiB)} GiB disk`;
  const total = (nodes: NodePlan[]): string => {
    const sum = (of: (node: NodePlan) => number): string =>
      n(Math.round(nodes.reduce((all, node) => all + node.count * of(node), 0)));
    return `**${sum(() => 1)} machines, ${sum((x) => x.cpu)} vCPU, ${sum((x) => x.memoryGiB)} GiB**`;
  };
  return [
    `| Role | For | ${SIZES.map((ccu) => `${n(ccu)} users`).join(" | ")} |`,
    `|---|---|${SIZES.map(() => "---").join("|")}|`,
    ...roles.map(
      (role) =>
        `| ${role} | ${USES[role]} | ${plans.map((nodes) => cell(nodes.find((x) => x.role === role)!)).join(" | ")} |`,
    ),
    `| all | | ${plans.map(total).join(" | ")} |`,
  ].join("\n");
}

/** Sizes of the table of chosen machines: those that were run. */
const CHOSEN_SIZES = [100, 1_000, 5_000, 10_000, 20_000];

/** Chosen machines beside those of the deployments that were run. */
function chosenSizes(): string {
  const totals = (t: Totals): string => `${n(t.machines)} machines, ${n(t.cpu)} vCPU, ${n(t.memoryGiB)} GiB`;
  const kinds = ({ groups }: ChosenMachines): string =>
    groups.map((g) => `${g.hosts.length} × ${g.size.cpu} vCPU, ${g.size.memoryGiB} GiB`).join("; ");
  const cell = (chosen: ChosenMachines): string => `**${totals(chosenTotals(chosen))}** (${kinds(chosen)})`;
  const rows = CHOSEN_SIZES.map((ccu) => {
    const [fewest, cheapest, zones] = [
      { prefer: "fewest" as const },
      { prefer: "cheapest" as const },
      { zones: ["a", "b", "c"] },
    ].map((options) => chooseMachines(ccu, options, (config) => config));
    const [run, ours] = [runTotals(fewest!.wish), chosenTotals(fewest!)];
    const saved = `${n(run.machines - ours.machines)} machines, ${n(run.cpu - ours.cpu)} vCPU, ${n(run.memoryGiB - ours.memoryGiB)} GiB`;
    const reserve = fewest!.holdsUpTo === undefined ? `more than ${n(ccu * 2)}` : n(fewest!.holdsUpTo);
    return `| ${n(ccu)} | ${totals(run)} | ${cell(fewest!)} | ${saved} | ${reserve} | ${cell(cheapest!)} | ${cell(zones!)} |`;
  });
  return [
    "| Users | As deployments of this size had | Fewest machines | Saved | They hold up to | Least hardware | Fewest, any of three zones lost |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** What each size is asked for and may be asked for, beside the machines that such deployments had. */
function loads(): string {
  const rows = CHOSEN_SIZES.map((ccu) => {
    const { settings, plan } = planFor({ ccu });
    const { load } = plan;
    const own = load.parts.reduce((sum, part) => sum + part.cores, 0);
    const measured = load.parts.reduce((sum, part) => sum + part.cores * part.measured, 0) / own;
    const peak = (profile: Profile): string => rate(loadOf({ ...settings, activity: { profile } }).rates.send);
    const expected = PROFILES.map((profile) => (profile === "typical" ? `**${peak(profile)}**` : peak(profile)));
    const run = runTotals({ ccu, sizes: RUN_SIZES, prefer: "fewest" });
    const ceiling = `${rate(load.ceiling.messagesPerSecond)}: ${load.ceiling.limits[0]!.name}`;
    return `| ${n(ccu)} | ${expected.join(", ")} | ${ceiling} | ${Math.round(100 * load.ceiling.share)} % | ${n(plan.synapse.messagesPerSecond)} | ${own.toFixed(1)} (${Math.round(100 * measured)} % measured) | ${n(run.cpu)} |`;
  });
  return [
    "| Users | Messages a second at the peak: quiet, typical, busy | Ceiling | Typical uses | Table of such deployments | Cores at the typical peak | vCPU of such deployments |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

interface Generated {
  file: string;
  marker: string;
  block(): string;
}
const GENERATED: Generated[] = [
  { file: "README.md", marker: "sizes", block: sizes },
  { file: "docs/plan.md", marker: "machines", block: chosenSizes },
  { file: "docs/plan.md", marker: "loads", block: loads },
  { file: "docs/plan.md", marker: "plan", block: () => `\`\`\`text\n${report(planFor({ ccu: 1000 }))}\n\`\`\`` },
];

/** Each file with its generated parts up to date. */
export function generatedPages(): Record<string, string> {
  const pages: Record<string, string> = {};
  for (const { file, marker, block } of GENERATED) {
    const text = pages[file] ?? readFileSync(resolve(ROOT, file), "utf8");
    const marked = new RegExp(`(<!-- ${marker}: npx tsx scripts/readme.ts -->\n)[^]*?(<!-- end of ${marker} -->)`);
    if (!marked.test(text)) throw new Error(`${file} has lost the markers of "${marker}"`);
    pages[file] = text.replace(marked, (_, begin: string, end: string) => `${begin}\n${block()}\n\n${end}`);
  }
  return pages;
}

if (require.main === module)
  writeOrCheck("readme.ts", "Puts the plan's present output into README.md and docs/plan.md.", () =>
    Object.entries(generatedPages()).map(([file, text]) => ({ file, text })),
  );
