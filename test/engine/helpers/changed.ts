/** The changes of a setting according to the program alone: the engine has to make exactly these. */
import { evaluate, type Evaluation } from "../../../cli/evaluate";
import { localConfig, STACK } from "../../../lab/local/config";

export const evaluation = (sets: string[]): Promise<Evaluation> =>
  evaluate({ stack: STACK, config: localConfig(sets) });

/** `name` of every resource whose inputs differ, and how. */
export function changedNames(before: Evaluation, after: Evaluation): Map<string, "create" | "update" | "delete"> {
  const index = (e: Evaluation): Map<string, any> =>
    new Map(e.resources.filter((r) => r.custom && !r.type.startsWith("pulumi:")).map((r) => [r.name, r]));
  const a = index(before),
    b = index(after);
  const found = new Map<string, "create" | "update" | "delete">();
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const x = a.get(name),
      y = b.get(name);
    if (!x) found.set(name, "create");
    else if (!y) found.set(name, "delete");
    else if (JSON.stringify(x.inputs) !== JSON.stringify(y.inputs)) found.set(name, "update");
  }
  return found;
}

/** Kinds whose replacement would stop the service, or lose what it holds. */
export const NEVER_REPLACED =
  /:(StatefulSet|PersistentVolumeClaim|Cluster|Secret|Namespace|Deployment|DaemonSet|RandomPassword|PrivateKey|SelfSignedCert)$/;
