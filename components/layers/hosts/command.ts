/** A step as the command that SSH runs, and as a file to read. Pure. */
import type { HostSettings, Settings } from "../../settings/types";
import { hostSteps, type HostStep } from "./steps";

const END = "MATRIX_HA_STEP";

/**
 * The command for a step. The script is an argument of bash, so that standard input remains free for a secret. The
 * quoted heredoc keeps every character unchanged. It works in any POSIX login shell.
 *
 * @param user Login name; for users other than root the command uses sudo, which must not ask for a password.
 * @throws Error when the script contains the end mark of the heredoc
 */
export function remoteCommand(step: HostStep, user: string): string {
  if (step.script.includes(END)) throw new Error(`the script of step ${step.name} contains ${END}`);
  return `${user === "root" ? "" : "sudo -n "}bash -c "$(cat <<'${END}'\n${step.script}${END}\n)"`;
}

/** The scripts by host, for `npm run render` (`hosts/<host>/NN-<step>.sh`). Empty when `prepareHosts` is false. */
export function renderHostScripts(settings: Settings): Record<string, Array<{ file: string; text: string }>> {
  if (!settings.prepareHosts) return {};
  return Object.fromEntries(
    settings.hosts.map((host) => [host.name, hostSteps(settings, host).map((step, i) => scriptFile(host, step, i))]),
  );
}

function scriptFile(host: HostSettings, step: HostStep, index: number): { file: string; text: string } {
  return {
    file: `${String(index + 1).padStart(2, "0")}-${step.name}.sh`,
    text: `#!/bin/bash\n# ${host.name}: ${step.why}.\n# Run as root; a second run changes nothing.\n${step.script}`,
  };
}
