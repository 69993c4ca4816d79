/**
 * Ruff over every Python file here, as WebAssembly, so that Node is all it needs: part of `npm run lint`. With
 * `--write` (`npm run format`) it formats them.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parse, runMain } from "../cli/arguments";
import { PositionEncoding, Workspace, type Diagnostic } from "@astral-sh/ruff-wasm-nodejs";

const ROOT = resolve(__dirname, "..");
const NOT_OURS = new Set(["node_modules", "vendor", ".git", ".scratch", "out"]);

const LINT = {
  select: ["E4", "E7", "E9", "W", "F", "B", "PLE", "PLW", "RUF100"],
  ignore: [
    "E401", // the standard library's modules stand on one line
    "E741", // `l` for a line or a listener is clear where it is used in the same line
  ],
};

/** The width of lines. What pods run has wider ones: wrapped, they would be other bytes, and restart all of Synapse. */
const width = (file: string): number => (file.startsWith("components/") ? 170 : 120);

const workspaces = new Map<number, Workspace>();
function ruff(file: string): Workspace {
  const columns = width(file);
  let workspace = workspaces.get(columns);
  if (!workspace) {
    workspace = new Workspace(
      { "line-length": columns, "target-version": "py311", lint: LINT },
      PositionEncoding.Utf16,
    );
    workspaces.set(columns, workspace);
  }
  return workspace;
}

export function pythonFiles(directory = ROOT): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return pythonFiles(path);
    return entry.isFile() && entry.name.endsWith(".py") ? [relative(ROOT, path)] : [];
  });
}

/** What is wrong with a file, a line each; nothing when it is as it should be. */
export function problems(file: string, text: string): string[] {
  const found = ruff(file).check(text) as Diagnostic[];
  const said = found.map((d) => `${file}:${d.start_location.row}:${d.start_location.column}: ${d.code} ${d.message}`);
  // What cannot be read cannot be formatted.
  if (found.some((d) => d.code === "invalid-syntax") || ruff(file).format(text) === text) return said;
  return [...said, `${file}: is not in ruff's format. Run npm run format.`];
}

function main(write: boolean): void {
  const files = pythonFiles();
  if (write)
    for (const file of files) {
      const path = join(ROOT, file);
      writeFileSync(path, ruff(file).format(readFileSync(path, "utf8")));
    }
  const found = files.flatMap((file) => problems(file, readFileSync(join(ROOT, file), "utf8")));
  for (const line of found) console.error(line);
  if (found.length) process.exitCode = 1;
}

const USAGE = `npm run lint | npm run format
  Checks every Python file with ruff, and its format.
  --write  formats the files first`;

if (require.main === module)
  runMain(USAGE, async (argv) => main(parse(argv, { write: { type: "boolean" } }).write ?? false));
