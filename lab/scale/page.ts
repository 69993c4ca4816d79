/** docs/proof/scale.md. Pure. */
import type { GrowthResult } from "./growth";
import type { Outcome } from "./losses";
import type { SizeResult } from "./size";

/** What is kept in docs/proof/scale.json; each part with the moment of its run. */
export interface Proof {
  /** By number of users. */
  sizes: Record<string, Dated<SizeResult>>;
  growth?: Dated<GrowthResult>;
  /** Versions of what ran. */
  versions: Record<string, string>;
  machine: string;
}
export type Dated<T> = T & { date: string };

const n = (value: number): string => value.toLocaleString("en-US");
const cell = (text: string): string => text.replace(/\|/g, "\\|").replace(/\s+/g, " ");
const seconds = (value: number | undefined): string => (value === undefined ? "" : value.toFixed(value < 10 ? 1 : 0));
const verdict = (faults: readonly string[]): string =>
  faults.length === 0 ? "as planned" : `**${cell(faults.join("; "))}**`;

/** All faults of a part, those of its losses and changes included. */
export const faultsIn = (part: SizeResult | GrowthResult): string[] => [
  ...part.faults,
  ...("losses" in part ? part.losses.flatMap((l) => l.faults.map((f) => `${l.what}: ${f}`)) : []),
  ...("changes" in part ? part.changes.flatMap((c) => c.faults.map((f) => `${c.what}: ${f}`)) : []),
];

const PLAYED = [
  "**Real**: etcd, the API server with Pod Security, quotas and the stack's own admission policy, the controllers of Kubernetes (Deployments, StatefulSets, DaemonSets, Jobs, budgets, autoscalers' bounds, volumes), the scheduler, the eviction API, Pulumi's engine and its Kubernetes provider. Requests are sent to the API server with strict validation of fields.",
  "**KWOK** plays the kubelets: a pod that the scheduler has placed is ready half a second later, a Job's pod has completed, a deleted pod is gone. No container runs, so nothing here says that a program starts.",
  "**The lab** plays the operators (`lab/scale/played.ts`), whose pods do not run either: CloudNativePG's instances with their claims and budgets (placement, requests and labels as its sources make them; standbys before the primary; another primary before its host is drained), the Deployment of its Pooler, the StatefulSets of the Prometheus operator, the volumes of local-path-provisioner, MetalLB's addresses, the conditions of cert-manager.",
  "**Not there**: the admission webhooks of the operators (the API server does not call any), metrics (so autoscalers keep to their bounds, and the test moves them), hosts that are prepared over SSH. `npm run local` and `npm run test:cluster` have the real operators, on three nodes.",
  "A lost host is one whose Node is deleted, as an operator does when the machine is off for good; its pods are removed at once, which the controller manager would do a minute later.",
];

function sizesTable(sizes: ReadonlyArray<Dated<SizeResult>>): string[] {
  return [
    "| Users | By | Hosts | Resources | Pods | Plan, s | Preview, s | `up`, s | Second `up`, s | Deployed | Run |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
    ...sizes.map(
      (s) =>
        `| ${[n(s.ccu), s.by, s.hosts, s.objects, s.pods, ...(["plan", "preview", "up", "second"] as const).map((k) => seconds(s.seconds[k])), verdict(s.faults), s.date].join(" | ")} |`,
    ),
  ];
}

const lossRow = (o: Outcome): string =>
  `| ${[o.what, o.pods, o.waiting, seconds(o.seconds), o.refused ?? "", verdict(o.faults)].join(" | ")} |`;

function lossesOf(s: Dated<SizeResult>): string[] {
  if (s.losses.length === 0) return [];
  return [
    `### ${n(s.ccu)} users`,
    "",
    "| What | Pods moved or added | Wait for the host | Seconds | Refused at first | Outcome |",
    "|---|---|---|---|---|---|",
    ...s.losses.map(lossRow),
    "",
  ];
}

function growthOf(g: Dated<GrowthResult>): string[] {
  return [
    `## From ${n(g.from)} users to ${n(g.to)} and back`,
    "",
    `${g.date}. On the ${g.hosts} hosts of ${n(g.to)} users. Meanwhile the ready pods of every workload of the smaller size were counted again and again: each must keep all of its pods but the one that an update replaces at a time.`,
    "",
    "| Change | Seconds | Resources | Pods | Counted | Outcome |",
    "|---|---|---|---|---|---|",
    ...g.changes.map(
      (c) =>
        `| ${[
          c.what,
          seconds(c.seconds),
          Object.entries(c.summary)
            .map(([op, count]) => `${count} ${op}`)
            .join(", "),
          `${c.pods.before}, then ${c.pods.after}`,
          `${c.looks} times`,
          verdict(c.faults),
        ].join(" | ")} |`,
    ),
    "",
    ...(g.faults.length ? [verdict(g.faults), ""] : []),
    ...g.changes.flatMap((c) => [
      `${c.what}, workloads that restarted pods: ${
        c.restarted.map((r) => `${r.owner} (${r.pods} of ${r.of})`).join(", ") || "none"
      }.`,
      "",
    ]),
  ];
}

export function scalePage({ sizes, growth, versions, machine }: Proof): string {
  const all = Object.values(sizes).sort((a, b) => a.ccu - b.ccu);
  return [
    "<!-- Generated by `npm run test:scale`; do not edit. -->",
    "# Every size on a real control plane",
    "",
    `Each size is deployed by \`pulumi up\` (or, where the table says so, by server-side apply of the rendered objects, without the engine) on hosts as the plan recommends them, on a control plane of its own: every object must be admitted, every pod placed on a host of its role, no workload of several pods on one host or in one zone, and no disruption budget may stand in the way of a drain. Measured on ${machine}; other work ran beside it, so times are upper bounds.`,
    "",
    "## What is real",
    "",
    ...PLAYED.map((line) => `- ${line}`),
    "",
    "## Sizes",
    "",
    ...sizesTable(all),
    "",
    "## Hosts lost and drained, autoscalers at their maximum",
    "",
    "The fullest host of each role is lost, then the fullest is drained; each zone is lost; then every autoscaler goes to its maximum, and with it the fullest application host is lost. Every pod must be ready elsewhere, but for those that have their volume on the lost hosts; PostgreSQL, Redis and MinIO must keep their majority. When the host is back, everything must be ready again. Seconds are those until all others ran.",
    "",
    ...all.flatMap(lossesOf),
    ...(growth ? growthOf(growth) : []),
    "## Versions",
    "",
    "| Part | Version |",
    "|---|---|",
    ...Object.entries(versions).map(([part, version]) => `| ${part} | ${version} |`),
    "",
  ].join("\n");
}
