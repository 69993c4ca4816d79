/** What the real PostgreSQL server and the operator's source say about parameters of postgresql.conf. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { capture } from "../capture";
import type { Parameter, ParameterData } from "../../components/layers/postgres/parameters";
import { inImage, initDatabase, PG, UID } from "./postgres";
import type { Network } from "./network";

/** Libraries that the operator loads as soon as one of their parameters is given, and that the lab's image has. */
const LIBRARIES = "pg_stat_statements,auto_explain";
const COLUMNS = "name, vartype, unit, min_val, max_val, array_to_string(enumvals, ','), context";

/** The module of the operator, at the version that this stack installs. */
const OPERATOR = "github.com/cloudnative-pg/cloudnative-pg";

/** The folder of the operator's source; Go's proxy has it. */
export function operatorSource(version: string): string {
  const json = execFileSync("go", ["mod", "download", "-json", `${OPERATOR}@${version}`], { encoding: "utf8" });
  return (JSON.parse(json) as { Dir: string }).Dir;
}

/** Names of the parameters that the operator's webhook refuses, from its table of fixed parameters. */
export function refusedByOperator(source: string): string[] {
  const text = fs.readFileSync(path.join(source, "pkg/postgres/configuration.go"), "utf8");
  const table = /\n\tFixedConfigurationParameters = map\[string\]string\{\n(.*?)\n\t\}\n/s.exec(text)?.[1] ?? "";
  const names = [...table.matchAll(/^\t\t"([a-z_.]+)": +(?:fixed|blocked)ConfigurationParameter,$/gm)].map((m) => m[1]);
  if (names.length === 0) throw new Error(`no table of fixed parameters in ${source}`);
  return names.sort();
}

/** A data folder to ask the server in. */
export function parameterFolder(net: Network): string {
  const dir = path.join(net.dir, "parameters");
  fs.mkdirSync(dir);
  fs.chmodSync(dir, 0o755);
  initDatabase(net, path.join(dir, "data"));
  return dir;
}

const run = (dir: string, script: string): ReturnType<typeof capture> => {
  fs.writeFileSync(path.join(dir, "data/ask.sh"), script);
  return capture("unshare", ["--mount", "bash", "-c", inImage("postgresql", dir, ["/bin/sh", "/mnt/ask.sh"], UID)]);
};

/** Every parameter of the server, by name. */
export async function parametersOf(dir: string): Promise<Record<string, Parameter>> {
  const copy = `copy (select ${COLUMNS} from pg_settings order by name) to '/mnt/settings.csv' with (format csv)`;
  const { status, stderr } = await run(
    dir,
    `echo "${copy}" | ${PG}/postgres --single -D /mnt/data -c shared_preload_libraries=${LIBRARIES} postgres >/dev/null`,
  );
  if (status !== 0) throw new Error(stderr);
  const lines = fs.readFileSync(path.join(dir, "data/settings.csv"), "utf8").trim().split("\n");
  return Object.fromEntries(
    lines.map((line): [string, Parameter] => {
      const [name, type, unit, min, max, values, context] = columns(line);
      return [
        name,
        {
          type: type as Parameter["type"],
          ...(unit ? { unit } : {}),
          ...(min ? { min: Number(min), max: Number(max) } : {}),
          ...(values ? { values: values.split(",") } : {}),
          ...(context === "internal" ? { internal: true } : {}),
        },
      ];
    }),
  );
}

const columns = (line: string): string[] =>
  [...line.matchAll(/("((?:[^"]|"")*)"|([^,]*))(?:,|$)/g)].map((m) => m[2]?.replace(/""/g, '"') ?? m[3]);

/** Version of the server. @example "18.6" */
export async function serverVersion(dir: string): Promise<string> {
  const { stdout } = await run(dir, `${PG}/postgres --version`);
  return /\(PostgreSQL\) ([\d.]+)/.exec(stdout)![1];
}

/** Which of these assignments the server accepts when it starts with them. */
export async function accepted(dir: string, asked: ReadonlyArray<readonly [string, string]>): Promise<boolean[]> {
  const word = (text: string): string => `'${text.replace(/'/g, `'\\''`)}'`;
  const ask = ([name, value]: readonly [string, string]): string =>
    `${PG}/postgres -D /mnt/data -c shared_preload_libraries=${LIBRARIES} -C ${name} -c ${word(`${name}=${value}`)} >/dev/null 2>&1; echo $?`;
  const { status, stdout, stderr } = await run(dir, asked.map(ask).join("\n"));
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split("\n")
    .map((code) => code === "0");
}

/** The data file: a line for each parameter, so that a new version's changes can be read. */
export function dataFile({ parameters, ...head }: ParameterData): string {
  const lines = Object.entries(parameters).map(([name, p]) => `    ${JSON.stringify(name)}: ${JSON.stringify(p)}`);
  const [start] = JSON.stringify(head, null, 2).split(/\n}$/);
  return `${start},\n  "parameters": {\n${lines.join(",\n")}\n  }\n}\n`;
}
