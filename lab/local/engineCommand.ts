/** `npm run local -- engine ARGS...`: any pulumi command on the local stack, with the right environment. */
import { clusterFlags, type Request } from "./arguments";
import { localConfig } from "./config";
import { isNew, prepare, projectFolder, PROJECT, pulumi, selectStack } from "./engine";
import { described, findParts } from "../engine/parts";
import { quoted } from "./nodes";
import { requireCluster } from "./kubectl";

const SHOWN = [
  "PULUMI_HOME",
  "PULUMI_BACKEND_URL",
  "PULUMI_CONFIG_PASSPHRASE_FILE",
  "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
  "PULUMI_IGNORE_AMBIENT_PLUGINS",
  "PULUMI_SKIP_UPDATE_CHECK",
  "KUBECONFIG",
  "PATH",
];

export function engineCommand(request: Request): number {
  requireCluster();
  const env = prepare();
  if (isNew()) selectStack(localConfig([]));
  else projectFolder(localConfig([]));
  if (request.words.length) return pulumi(request.words).status;
  console.log(`# ${described(findParts())}
# In your own shell (or: npm run local -- engine${clusterFlags(request)} ARGS...):
cd ${quoted(PROJECT)}
${SHOWN.filter((k) => env[k])
  .map((k) => `export ${k}=${quoted(env[k]!)}`)
  .join("\n")}`);
  return 0;
}
