/** A step as the one line of shell that SSH runs, and as a file that people read. Pure. */
import type { HostSettings, Settings } from "../../settings/types";
import { hostSteps, type HostStep } from "./steps";

const END = "MATRIX_HA_STEP";

/**
 * The script goes in as an argument of bash, so that standard input stays free for a secret; the quoted heredoc
 * keeps every character as it is. Works from any POSIX login shell. Not root: sudo that asks nothing.
 */
export function remoteCommand(step: HostStep, user: string): string {
  if (step.script.includes(END)) throw new Error(`the script of step ${step.name} contains ${END}`);
  return `${user === "root" ? "" : "sudo -n "}bash -c "$(cat <<'${END}'\n${step.script}${END}\n)"`;
}

/** For `npm run render`: `hosts/<host>/NN-<step>.sh`. Empty where hosts are not prepared by this stack. */
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
