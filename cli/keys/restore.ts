/** Which of the saved keys a stack lacks, and reasons not to set them. Pure. */
import type { ImportableSecret } from "../../components/domain/importableSecrets";
import { Refused } from "../arguments";
import { namesIn, type Saved } from "./saved";

export interface Present {
  /** `importSecrets` as configured. */
  configured: Partial<Record<string, string>>;
  /** The keys with which the stack was deployed, if it was. */
  deployed?: Partial<Record<string, string>>;
  serverName?: string;
}

/** From the output of `pulumi config --json --show-secrets`. */
export function configuredIn(json: string): Present {
  const config = JSON.parse(json) as Record<string, { value?: string; objectValue?: any }>;
  const of = (key: string): any => {
    const entry = config[`matrix-ha:${key}`];
    return entry?.objectValue ?? entry?.value;
  };
  const secrets = of("importSecrets") ?? {};
  const serverName = of("serverName") ?? of("domain");
  return {
    configured: typeof secrets === "string" ? JSON.parse(secrets) : secrets,
    ...(serverName ? { serverName } : {}),
  };
}

const sameText = (a: string | undefined, b: string | undefined): boolean => a?.trim() === b?.trim();

/** The names to set. If the stack has other values, refuses before anything is set. */
export function missingIn(
  stack: string,
  saved: Saved,
  present: Present,
  only: readonly ImportableSecret[] = [],
): ImportableSecret[] {
  const absent = only.filter((name) => saved.keys[name] === undefined);
  if (absent.length > 0)
    throw new Refused(`The file does not hold ${absent.join(", ")}. It holds ${namesIn(saved.keys).join(", ")}.`);
  if (saved.serverName && present.serverName && saved.serverName !== present.serverName) {
    throw new Refused(
      `The keys are those of ${saved.serverName}, and the stack ${stack} is ${present.serverName}: no other server can use them. Nothing was set.`,
    );
  }
  const wanted = only.length > 0 ? only : namesIn(saved.keys);
  const differing = (values: Partial<Record<string, string>> = {}): ImportableSecret[] =>
    wanted.filter((name) => values[name] !== undefined && !sameText(values[name], saved.keys[name]));
  const configured = differing(present.configured),
    deployed = differing(present.deployed);
  if (configured.length > 0) {
    throw new Refused(
      `The stack ${stack} has other values configured: ${configured.map((n) => `importSecrets.${n}`).join(", ")}. Nothing was set. If the saved ones are right, remove the configured ones first: pulumi config rm --stack ${stack} --path 'matrix-ha:importSecrets.${configured[0]}'`,
    );
  }
  if (deployed.length > 0) {
    throw new Refused(
      `The stack ${stack} is deployed with other values: ${deployed.join(", ")}. Nothing was set. Is the file an older copy? If the saved ones are to replace them, set them one by one: docs/operate.md, "Rotate a secret".`,
    );
  }
  return wanted.filter((name) => present.configured[name] === undefined);
}
