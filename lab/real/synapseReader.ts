/** One Python process with Synapse loaded reads the configurations for all tests (synapse_check.py). */
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as readline from "node:readline";
import { rootfsOf } from "./programs";

export interface ReadRequest {
  mount: string;
  root: string;
  uid: number;
  pods: Array<{ id: string; env: Record<string, string>; command: string[] }>;
  run?: boolean;
}
type Line = Record<string, any> & { id: string };

interface Reader {
  child: ChildProcess;
  dir: string;
  log: string;
  open: Map<string, { lines: Line[]; done: (lines: Line[]) => void; failed: (e: Error) => void }>;
}
let reader: Reader | undefined;
let keys = 0;

function start(): Reader {
  if (reader) return reader;
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "reader-")),
    outer = path.join(dir, "root"),
    skeleton = path.join(dir, "skeleton"),
    log = path.join(dir, "log");
  for (const d of [outer, skeleton]) fs.mkdirSync(d);
  fs.copyFileSync(path.join(__dirname, "synapse_check.py"), path.join(skeleton, "check.py"));
  const script = [
    "set -e",
    "mount --make-rprivate /",
    `mount -t overlay reader -o lowerdir=${skeleton}:${rootfsOf("synapse")} ${outer}`,
    `mount -t proc proc ${outer}/proc`,
    "exec 9</",
    `exec chroot ${outer} /opt/synapse/bin/python -B /check.py 2>${log}`,
  ].join("\n");
  const child = spawn("unshare", ["--mount", "bash", "-c", script], { stdio: ["pipe", "pipe", "inherit"] });
  const mine: Reader = { child, dir, log, open: new Map() };
  readline.createInterface({ input: child.stdout! }).on("line", (text) => {
    // Synapse itself prints hints in between.
    if (!text.startsWith("{")) return;
    const line = JSON.parse(text) as Line & { key: string; done?: boolean; failed?: string };
    const request = mine.open.get(line.key);
    if (!request) return;
    if (line.done) {
      mine.open.delete(line.key);
      if (line.failed) request.failed(new Error(line.failed));
      else request.done(request.lines);
    } else request.lines.push(line);
  });
  child.on("exit", (code, signal) => {
    if (reader === mine) reader = undefined;
    for (const r of mine.open.values())
      r.failed(
        new Error(
          `the reader of configurations ended (${code ?? signal}): ${fs.existsSync(log) ? fs.readFileSync(log, "utf8").slice(-3000) : ""}`,
        ),
      );
  });
  reader = mine;
  return mine;
}

/** An answer for each pod of the request, in the same order. */
export function readPods(request: ReadRequest): Promise<Line[]> {
  const r = start(),
    key = String((keys += 1));
  return new Promise((done, failed) => {
    r.open.set(key, { lines: [], done, failed });
    r.child.stdin!.write(`${JSON.stringify({ ...request, key })}\n`);
  });
}
/** Ends it; pending requests fail. */
export async function stopReader(): Promise<void> {
  const r = reader;
  reader = undefined;
  if (!r) return;
  const ended = new Promise<void>((done) => {
    r.child.on("exit", () => done());
  });
  r.child.stdin!.end();
  await ended;
  fs.rmSync(r.dir, { recursive: true, force: true });
}
