/** `npm run test:local`: the homeserver's tests, in a process that trusts the stack's own CA. */
import { spawnSync } from "node:child_process";
import * as path from "node:path";
import { access } from "./access";
import { ROOT } from "./config";

async function main(): Promise<void> {
  const a = await access();
  const mocha = path.join(ROOT, "node_modules", "mocha", "bin", "mocha.js");
  const done = spawnSync(process.execPath, [mocha, "--no-config", "--require", "tsx", "--exit", "--timeout", "120000", "test/local/*.test.ts"], {
    cwd: ROOT, stdio: "inherit", env: { ...process.env, NODE_EXTRA_CA_CERTS: a.caFile },
  });
  process.exitCode = done.status ?? 1;
}

main().catch((error) => { console.error(`error: ${error.message}\nIs the local homeserver up? \`npm run local\` starts it.`); process.exitCode = 1; });
