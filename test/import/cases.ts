/** The configurations of test/fixtures/import, each read as the command reads it. */
import * as fs from "node:fs";
import * as path from "node:path";
import { environment, variablesIn } from "../../cli/import/environment";
import { importFrom, type Result } from "../../cli/import/result";
import { fileReader, readHomeserver, readSection, readWorkers, readYaml } from "../../cli/import/sources";

export const FIXTURES = path.join(__dirname, "../fixtures/import");

export interface Case {
  name: string;
  homeserver?: string;
  workers?: string;
  values?: string;
  env?: string;
  root?: string;
}
export const CASES: readonly Case[] = [
  { name: "plain", homeserver: "plain/homeserver.yaml" },
  { name: "debian", homeserver: "debian/homeserver.yaml" },
  { name: "sqlite", homeserver: "sqlite/homeserver.yaml" },
  { name: "postgres", homeserver: "postgres/homeserver.yaml" },
  { name: "workers", homeserver: "workers/homeserver.yaml", workers: "workers/workers" },
  { name: "docker", homeserver: "docker/data/homeserver.yaml" },
  { name: "compose", env: "compose/compose.yaml" },
  { name: "ansible", homeserver: "ansible/matrix/synapse/config/homeserver.yaml" },
  {
    name: "bridges",
    homeserver: "bridges/matrix/synapse/config/homeserver.yaml",
    workers: "bridges/matrix/synapse/workers",
    root: "bridges",
  },
  { name: "ananace", values: "ananace/values.yaml" },
  { name: "ess", values: "ess/values.yaml" },
  { name: "large", homeserver: "large/homeserver.yaml" },
  { name: "old", homeserver: "old/homeserver.yaml" },
];

export function run({ homeserver, workers, values, env, root }: Case, given: Record<string, unknown> = {}): Result {
  const at = (file: string): string => path.join(FIXTURES, file);
  const variables = env && variablesIn(readYaml(at(env)), fs.readFileSync(at(env), "utf8"));
  const fromEnv = variables ? environment(variables, homeserver === undefined) : undefined;
  return importFrom({
    stack: "moved",
    fragments: [...(fromEnv?.fragments ?? []), ...(homeserver ? readHomeserver(at(homeserver)) : [])],
    workers: workers ? readWorkers(at(workers)) : [],
    ...(values ? { values: readSection(at(values)) } : {}),
    registrations: [],
    file: fileReader({
      config: path.dirname(at((homeserver ?? values ?? env)!)),
      registrations: [],
      ...(root ? { root: at(root) } : {}),
    }),
    findings: fromEnv?.findings ?? [],
    given,
  });
}
