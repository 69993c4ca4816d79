/** `npm run local -- logs`: of a layer, a component, a pod or a node; several pods' lines in the order of time. */
import { spawn } from "node:child_process";
import * as readline from "node:readline";
import type { Request } from "./arguments";
import { ENV, getItems, interactive, KUBECTL, kubectlLater, requireCluster } from "./kubectl";
import { sshArguments, sshNodes } from "./nodes";
import { merged, podsOf } from "./select";

/** Number of kubectl processes at a time; more only load two cores. */
const CONCURRENCY = 4;

interface Source {
  pod: any;
  container: string;
  name: string;
}

/** Containers that have started; init containers too, since a pod often waits for those. */
function sources(pods: any[]): Source[] {
  return pods.flatMap((pod) => {
    const states = [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])].filter(
      (s: any) => s.state?.running || s.state?.terminated || s.lastState?.terminated,
    );
    return states.map((s: any) => ({
      pod,
      container: s.name,
      name: states.length > 1 ? `${pod.metadata.name}/${s.name}` : pod.metadata.name,
    }));
  });
}

const args = (s: Source, more: string[]): string[] => [
  "-n",
  s.pod.metadata.namespace,
  "logs",
  s.pod.metadata.name,
  "-c",
  s.container,
  ...more,
];

export async function logs(request: Request): Promise<number> {
  requireCluster();
  const word = request.words[0];
  if (word !== undefined && sshNodes().has(word)) {
    const number = Number(request.since.slice(0, -1)),
      unit = { s: "sec", m: "min", h: "hour" }[request.since.at(-1)!]!;
    return interactive(
      "ssh",
      sshArguments(
        word,
        [
          "journalctl",
          "--no-pager",
          "--output=short-precise",
          "--since",
          `${number} ${unit} ago`,
          ...(request.follow ? ["--follow"] : []),
        ],
        false,
      ),
    );
  }
  const all = getItems("pods", "-A");
  const from = sources(
    word === undefined
      ? all.filter((p) => p.metadata.labels?.["app.kubernetes.io/part-of"] === "matrix-ha")
      : podsOf(all, word),
  );
  if (request.follow) return follow(from, request.since);
  const texts: Array<{ source: string; text: string }> = [];
  const waiting = [...from];
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (let s = waiting.shift(); s; s = waiting.shift()) {
        const source = s.name;
        texts.push(
          await kubectlLater(args(s, ["--timestamps", `--since=${request.since}`])).then(
            (text) => ({ source, text }),
            (error: Error) => ({ source, text: `(${error.message.split("\n")[0]})` }),
          ),
        );
      }
    }),
  );
  const lines = merged(texts.sort((a, b) => a.source.localeCompare(b.source)));
  if (lines.length) process.stdout.write(`${lines.join("\n")}\n`);
  else
    console.error(
      `nothing was logged in the last ${request.since} by ${from.map((s) => s.name).join(", ") || "any pod"}`,
    );
  return 0;
}

/** Until Ctrl-C, or until the last of them ends. */
async function follow(from: Source[], since: string): Promise<number> {
  const children = from.map((s) => {
    const child = spawn(KUBECTL, args(s, ["--follow", `--since=${since}`]), {
      env: ENV,
      stdio: ["ignore", "pipe", "inherit"],
    });
    readline
      .createInterface({ input: child.stdout! })
      .on("line", (l) => process.stdout.write(`${from.length > 1 ? `${s.name} ` : ""}${l}\n`));
    return child;
  });
  await Promise.all(
    children.map(
      (c) =>
        new Promise((r) => {
          c.on("close", r);
          c.on("error", r);
        }),
    ),
  );
  return 0;
}
