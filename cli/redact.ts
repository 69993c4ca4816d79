/** Removes secret values from output. Pure. */
import type { RegisteredResource } from "./evaluate";

export const HIDDEN = "(secret)";

function hideAll(map: Record<string, unknown> | undefined): Record<string, unknown> | undefined {
  return map && Object.fromEntries(Object.keys(map).map((k) => [k, HIDDEN]));
}

function hidePath(root: any, path: string): void {
  const steps = path.match(/[^.[\]]+/g) ?? [];
  let at = root;
  for (const step of steps.slice(0, -1)) {
    at = at?.[step];
    if (at === undefined) return;
  }
  const last = steps[steps.length - 1];
  if (at && last !== undefined && last in at)
    at[last] =
      typeof at[last] === "object" && at[last] !== null && !Array.isArray(at[last]) ? hideAll(at[last]) : HIDDEN;
}

/** The inputs of a resource without secret values: a Secret keeps its keys, everything else keeps its shape. */
export function redacted(r: RegisteredResource): any {
  const copy = structuredClone(r.inputs);
  if (copy?.kind === "Secret") {
    copy.data = hideAll(copy.data);
    copy.stringData = hideAll(copy.stringData);
    for (const k of ["data", "stringData"]) if (copy[k] === undefined) delete copy[k];
    return copy;
  }
  for (const path of r.secretPaths) hidePath(copy, path);
  return copy;
}
