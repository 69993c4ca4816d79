/** Sets a server's keys as encrypted `importSecrets` of a stack, each on standard input of `pulumi config set`. */
import type { ImportableSecret } from "../../components/domain/importableSecrets";
import { Refused } from "../arguments";
import { keysInExport } from "./found";
import { json, pulumi } from "./programs";
import { configuredIn, missingIn } from "./restore";
import type { Saved } from "./saved";

/** The output of `pulumi stack export --show-secrets`. */
export const exported = (stack: string, cwd?: string): string =>
  json(pulumi(["stack", "export", "--show-secrets", "--stack", stack], { cwd }));

/** Sets what the stack lacks. @returns The names that were set. @throws Refused where it has other values */
export function fill(
  stack: string,
  saved: Saved,
  { only = [], cwd }: { only?: readonly ImportableSecret[]; cwd?: string } = {},
): ImportableSecret[] {
  const present = configuredIn(json(pulumi(["config", "--json", "--show-secrets", "--stack", stack], { cwd })));
  const deployed = keysInExport(exported(stack, cwd)).keys;
  const wanted = missingIn(stack, saved, { ...present, deployed }, only);
  for (const [i, name] of wanted.entries()) {
    try {
      pulumi(["config", "set", "--stack", stack, "--secret", "--path", `matrix-ha:importSecrets.${name}`], {
        cwd,
        input: saved.keys[name]!,
      });
    } catch (error) {
      throw new Refused(
        `${(error as Error).message} Set so far: ${wanted.slice(0, i).join(", ") || "nothing"}. Run the command again: keys that are set already stay.`,
      );
    }
  }
  return wanted;
}
