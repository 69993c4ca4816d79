/**
 * `npm run local`: a real Kubernetes of three nodes on this machine, with the stack Pulumi.local.yaml on it.
 * Pulumi's engine deploys it: yours if you have one, otherwise one that is built here (lab/engine).
 */
import * as path from "node:path";
import { parseRequest, USAGE, UsageError, type Request } from "./local/arguments";
import { chooseFolder } from "./local/target";

/** Commands are loaded after the run folder is chosen, because their paths depend on it. */
async function run(request: Request): Promise<number> {
  switch (request.command) {
    case "up":
    case "deploy":
      await (await import("./local/up")).up(request);
      return 0;
    case "down":
      if (request.cluster === "lab") (await import("./local/down")).labDown(path.resolve(__dirname, "cluster/down.sh"));
      else await (await import("./local/down")).foreignDown(request);
      return 0;
    case "status":
      return (await import("./local/status")).status();
    case "logs":
      return (await import("./local/logs")).logs(request);
    case "shell":
      return (await import("./local/shell")).shell(request);
    case "engine":
      return (await import("./local/engineCommand")).engineCommand(request);
    case "chaos":
      return (await import("./scenarios/chaos")).chaos(request);
  }
}

async function main(): Promise<void> {
  const request = parseRequest(process.argv.slice(2));
  if (request.help) {
    console.log(USAGE);
    return;
  }
  chooseFolder(request);
  process.exitCode = await run(request);
}

if (require.main === module)
  main().catch((error) => {
    console.error(error instanceof UsageError ? error.message : `error: ${error.message}`);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  });
