/** Remote commands over real SSH, as the command provider runs them: host key checked, input on stdin. */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { capture } from "../capture";

export interface Connection { host: string; port?: number; user?: string; hostKey?: string; privateKey?: string }

export interface RemoteResult { code: number; stdout: string; stderr: string }

/** Runs `script` on the host. Key and known_hosts live in a directory of their own that is removed afterwards. */
export async function runRemote(connection: Connection, script: string, stdin: string | undefined): Promise<RemoteResult> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-ssh-"));
  try {
    const port = connection.port ?? 22;
    const known = path.join(dir, "known_hosts");
    if (!connection.hostKey) throw new Error(`${connection.host}: no host key given; a connection without one would trust any host`);
    fs.writeFileSync(known, `${port === 22 ? connection.host : `[${connection.host}]:${port}`} ${connection.hostKey}\n`);
    const args = ["-o", `UserKnownHostsFile=${known}`, "-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "LogLevel=ERROR", "-p", String(port)];
    if (connection.privateKey) {
      const key = path.join(dir, "key");
      fs.writeFileSync(key, connection.privateKey.endsWith("\n") ? connection.privateKey : `${connection.privateKey}\n`, { mode: 0o600 });
      args.push("-i", key, "-o", "IdentitiesOnly=yes");
    }
    const { status, ...said } = await capture("ssh", [...args, `${connection.user ?? "root"}@${connection.host}`, script], stdin);
    return { code: status ?? 1, ...said };
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
