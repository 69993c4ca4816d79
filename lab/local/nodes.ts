/** Access to the lab's nodes: SSH as any deployment tool would do it, with the known host keys and no questions. */
import * as fs from "node:fs";
import * as path from "node:path";
import { UsageError } from "./arguments";
import { localConfig } from "./config";
import { RUN_DIR } from "../common/folders";

const PKI = path.join(RUN_DIR, "pki");

/** Nodes that have SSH here: only the lab's own cluster does. */
export function sshNodes(): Map<string, string> {
  if (!fs.existsSync(path.join(PKI, "id"))) return new Map();
  return new Map((localConfig([]).hosts as any[]).map((h) => [h.name, h.address]));
}

export function sshArguments(node: string, command: readonly string[], terminal: boolean): string[] {
  const address = sshNodes().get(node);
  if (!address)
    throw new UsageError(
      `no node ${node} that can be reached by SSH; there ${sshNodes().size ? `are ${[...sshNodes().keys()].join(", ")}` : "is none: only the lab's own nodes have it"}`,
    );
  return [
    "-i",
    path.join(PKI, "id"),
    "-o",
    `UserKnownHostsFile=${path.join(PKI, "known_hosts")}`,
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=5",
    "-o",
    "LogLevel=ERROR",
    ...(terminal ? ["-t"] : []),
    `root@${address}`,
    ...(command.length ? ["--", command.map(quoted).join(" ")] : []),
  ];
}

/** As one word for the shell at the other end. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
