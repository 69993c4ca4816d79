/** A project folder of its own for the engine, which writes into the stack's file: the checkout stays as it is. */
import * as fs from "node:fs";
import * as path from "node:path";

/** Name of a stack's settings file. */
export const stackFileOf = (stack: string): string => `Pulumi.${stack}.yaml`;

/**
 * Links the checkout into `folder`, except the stack's file. Repeated each time, because the checkout may be another
 * one.
 */
export function linkProject(root: string, folder: string, stack: string): void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const entry of fs.readdirSync(root)) {
    if (entry === ".git" || entry === stackFileOf(stack)) continue;
    const link = path.join(folder, entry);
    fs.rmSync(link, { force: true });
    fs.symlinkSync(path.join(root, entry), link);
  }
}

/**
 * The encryption salt, as the engine wrote it into the folder; empty if it has not written one yet.
 */
export function saltOf(folder: string, stack: string): string {
  const file = path.join(folder, stackFileOf(stack));
  const line = fs.existsSync(file) ? /^encryptionsalt:.*$/m.exec(fs.readFileSync(file, "utf8"))?.[0] : undefined;
  return line ? `${line}\n` : "";
}
