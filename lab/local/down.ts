/** `down`: removes the lab's own cluster; on another, only what the engine deployed, after asking. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import * as readline from "node:readline/promises";
import type { Request } from "./arguments";
import { localConfig } from "./config";
import { isNew, projectFolder, pulumi } from "./engine";
import { RUN_DIR } from "../common/folders";
import { kindDown } from "./kind";
import { getItems } from "./kubectl";
import { KIND_NAME, readTarget } from "./target";

async function agreed(question: string, request: Request): Promise<boolean> {
  if (request.yes) return true;
  if (!process.stdin.isTTY)
    throw new Error(
      "there is no terminal to ask on: --yes removes without asking, --dry-run only lists what would be removed",
    );
  const terminal = readline.createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question(`${question} Type yes: `)).trim() === "yes";
  } finally {
    terminal.close();
  }
}

export async function foreignDown(request: Request): Promise<void> {
  if (request.cluster === "kind") {
    console.log(`The kind cluster ${KIND_NAME} with everything in it, and ${RUN_DIR}.`);
    if (request.dryRun) return;
    if (!(await agreed("Delete them?", request))) {
      console.log("Nothing was removed.");
      return;
    }
    kindDown();
    return;
  }
  const target = readTarget();
  if (!target || isNew()) {
    console.log("Nothing was deployed from here to this cluster; nothing is removed.");
    return;
  }
  console.log(`From ${target.server}:`);
  projectFolder(localConfig([]));
  if (pulumi(["destroy", "--preview-only"]).status !== 0)
    throw new Error("pulumi destroy --preview-only failed; nothing was removed");
  if (request.dryRun) return;
  if (!(await agreed("Remove this?", request))) {
    console.log("Nothing was removed.");
    return;
  }
  if (pulumi(["destroy", "--yes", "--skip-preview"]).status !== 0)
    throw new Error("pulumi destroy failed; run `down` again to continue");
  console.log(leftovers());
  fs.rmSync(RUN_DIR, { recursive: true, force: true });
}

/** Objects that a destroy leaves on purpose: those with data, and those that others may use too. */
function leftovers(): string {
  const ours = (o: any): boolean => o.metadata.labels?.["app.kubernetes.io/part-of"] === "matrix-ha";
  const namespaces = getItems("namespaces")
    .filter(ours)
    .map((n) => n.metadata.name);
  const volumes = getItems("persistentvolumes")
    .filter((v) => namespaces.includes(v.spec.claimRef?.namespace))
    .map((v) => v.metadata.name);
  const definitions = getItems("customresourcedefinitions")
    .filter(ours)
    .map((d) => d.metadata.name);
  return `Left, because these may hold your data or objects of others:
  namespaces   ${namespaces.join(" ") || "none"}
  volumes      ${volumes.length} (${[...new Set(volumes)].join(" ") || "none"})
  definitions  ${definitions.length}
To delete them for good: kubectl delete namespace NAME (with everything in it), kubectl delete persistentvolume NAME, kubectl delete customresourcedefinition -l app.kubernetes.io/part-of=matrix-ha (with every object of these kinds, in all namespaces).`;
}

export function labDown(script: string): void {
  const done = spawnSync("bash", [path.resolve(script)], { stdio: "inherit" });
  if (done.status !== 0)
    throw new Error(`${script} ended with ${done.status ?? done.signal}; run \`npm run local -- down\` again`);
}
