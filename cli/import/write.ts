/** Writes what the import made: a stack file, and a folder that only its owner can read. */
import * as fs from "node:fs";
import * as path from "node:path";
import { pathText } from "../../components/schema/walk";
import { Refused } from "../arguments";
import { writeKeys } from "../keys/disk";
import type { Result } from "./result";
import { awaited, pathsOf, reportText, secretFile, secretsScript, stackText } from "./texts";

export interface Target {
  stack: string;
  /** Folder of the stack files. */
  cwd: string;
  /** The new folder. */
  out: string;
  given: Record<string, unknown>;
}

/** Nothing is written where something is already there. */
export function refuseExisting({ stack, cwd, out }: Target): string {
  const stackFile = path.join(cwd, `Pulumi.${stack}.yaml`);
  if (fs.existsSync(stackFile))
    throw new Refused(
      `${stackFile} exists, and is not overwritten: name another stack with --stack, or move the file away.`,
    );
  if (fs.existsSync(out))
    throw new Refused(`${out} exists, and is not overwritten: name another folder with --out, or remove it.`);
  return stackFile;
}

/** @throws Refused Where a file exists, or where git would take the secrets into a commit */
export function write(target: Target, result: Result): string {
  const stackFile = refuseExisting(target);
  const { out, stack, given } = target;
  const secrets = path.join(out, "secrets");
  fs.mkdirSync(secrets, { recursive: true, mode: 0o700 });
  fs.chmodSync(out, 0o700);
  const put = (file: string, text: string): void => writeKeys(path.join(out, file), text);
  try {
    for (const { path: at, value } of result.draft.secrets) put(path.join("secrets", secretFile(pathText(at))), value);
    put("secrets.sh", secretsScript(stack, [...pathsOf(result.draft), ...awaited(result.findings)]));
    put("report.md", reportText({ stack, ...result }));
  } catch (error) {
    // It is this call's own folder: nothing else is in it.
    fs.rmSync(out, { recursive: true });
    throw error;
  }
  fs.writeFileSync(stackFile, stackText(result.draft, given), { flag: "wx" });
  return stackFile;
}
