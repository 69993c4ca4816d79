/** Finds the pods that a word of the command line means: a layer, a component, a pod. Pure. */
import { LAYERS as REGISTERED } from "../../components/layers/registry";
import { UsageError } from "./arguments";

/** What each layer says of its pods: component labels, beginnings with *, namespaces with /. */
export const LAYERS: Record<string, readonly string[]> = Object.fromEntries(
  REGISTERED.filter((layer) => layer.pods).map((layer) => [layer.name, layer.pods!]),
);
/** Labels that begin like those of a Synapse class but do not name one. */
const NOT_SYNAPSE = ["synapse-postgres", "synapse-admin"];

const labelsOf = (p: any): Record<string, string> => p.metadata.labels ?? {};
/** Names for a pod on the command line, besides its own name. */
export const componentOf = (p: any): string | undefined =>
  labelsOf(p)["app.kubernetes.io/component"] ??
  labelsOf(p).app ??
  labelsOf(p)["k8s-app"] ??
  labelsOf(p)["app.kubernetes.io/name"];

function inLayer(p: any, layer: string): boolean {
  const component = componentOf(p) ?? "";
  return LAYERS[layer]!.some((pattern) => {
    if (pattern.endsWith("/")) return p.metadata.namespace === pattern.slice(0, -1);
    if (!pattern.endsWith("*")) return component === pattern;
    return component.startsWith(pattern.slice(0, -1)) && !(layer === "synapse" && NOT_SYNAPSE.includes(component));
  });
}

/** Pods that a word means. @throws for an unknown word, listing the known ones. */
export function podsOf(all: readonly any[], word: string): any[] {
  const [namespace, name] = word.includes("/") ? word.split("/") : [undefined, word];
  const exact = all.filter((p) => p.metadata.name === name && (!namespace || p.metadata.namespace === namespace));
  if (exact.length) return exact;
  const component = (called: string): any[] =>
    all.filter((p) => componentOf(p) === called && (!namespace || p.metadata.namespace === namespace));
  if (component(name!).length) return component(name!);
  if (Object.hasOwn(LAYERS, word)) {
    const layer = all.filter((p) => inLayer(p, word));
    if (layer.length) return layer;
    throw new UsageError(
      `the layer ${word} has no pods here${word === "monitoring" ? ": monitoring.enabled is false" : ""}\n${whatExists(all)}`,
    );
  }
  // A class of Synapse by its short name.
  if (component(`synapse-${name}`).length) return component(`synapse-${name}`);
  throw new UsageError(`no layer, component, pod or node is called "${word}"\n${whatExists(all)}`);
}

export function whatExists(all: readonly any[]): string {
  const layers = Object.keys(LAYERS).filter((l) => all.some((p) => inLayer(p, l)));
  const components = [...new Set(all.map((p) => componentOf(p) ?? p.metadata.name))].sort();
  return `  layers      ${layers.join(", ")}\n  components  ${components.join(", ")}\n  pods        as \`npm run local -- status\` and kubectl name them, or NAMESPACE/POD`;
}

export const ready = (p: any): boolean =>
  !p.metadata.deletionTimestamp &&
  (p.status?.conditions ?? []).some((c: any) => c.type === "Ready" && c.status === "True");

/** The pod for a shell: the first running one by name. */
export function onePod(pods: readonly any[]): any {
  const running = pods
    .filter((p) => p.status?.phase === "Running")
    .sort((a, b) => a.metadata.name.localeCompare(b.metadata.name));
  const best = running.find(ready) ?? running[0];
  if (!best)
    throw new UsageError(
      `${pods.map((p) => `${p.metadata.name} is ${p.status?.phase}`).join(", ")}: a shell needs a running pod`,
    );
  return best;
}

/** The pod's main container, chosen as kubectl does. */
export const mainContainer = (p: any): any =>
  p.spec.containers.find((c: any) => c.name === p.metadata.annotations?.["kubectl.kubernetes.io/default-container"]) ??
  p.spec.containers[0];

/**
 * Lines of several logs, each `TIMESTAMP text`, in the order of time; a line without a time stays behind the one before
 * it.
 */
export function merged(logs: ReadonlyArray<{ source: string; text: string }>): string[] {
  const lines: Array<{ at: string; line: string }> = [];
  for (const { source, text } of logs) {
    let at = "";
    for (const l of text.split("\n").filter((x) => x !== "")) {
      // All timestamps of a cluster have the same zone; fractions have no trailing zeros.
      const m = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(?:Z|[+-]\d\d:\d\d) ?(.*)$/.exec(l);
      if (m) at = `${m[1]}${(m[2] ?? ".").padEnd(10, "0")}`;
      lines.push({ at, line: `${(m ? at.slice(11, 23) : "").padEnd(12)} ${source} ${m ? m[3] : l}` });
    }
  }
  // Stable: lines with the same time keep their order.
  return lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).map((l) => l.line);
}
