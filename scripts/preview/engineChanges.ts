/**
 * The engine's events as changes: the engine decides the operation for each resource; fields and restarts are compared
 * as everywhere. Pure.
 */
import { specialSigKey, unknownValue } from "@pulumi/pulumi/runtime";
import { compare, type Change } from "../../cli/diff";
import type { Evaluation, RegisteredResource } from "../../cli/evaluate";
import { LAYER_ORDER, layerOf, layerOfType, objectTitle } from "../../components/layers/resources";
import { HIDDEN } from "../../cli/redact";
import { diffsOf, type PulumiEvents } from "../../lab/engine/events";

const ACTIONS: Record<string, Change["action"]> = {
  create: "create",
  import: "create",
  update: "update",
  replace: "replace",
  "import-replacement": "replace",
  delete: "delete",
};

/** The printable form of a value of the event log. */
function plain(value: any): any {
  if (value === unknownValue) return "(known when deployed)";
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (specialSigKey in value) return HIDDEN;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
}

/** The outermost component that starts a layer: the URN contains the types of all components. */
const layerOfUrn = (urn: string): string | undefined =>
  (urn.split("::")[2] ?? "").split("$").map(layerOfType).find(Boolean);

const resource = (urn: string, type: string, state: any): RegisteredResource => ({
  urn,
  type,
  name: urn.split("::").slice(3).join("::"),
  layer: layerOfUrn(urn),
  custom: state.custom ?? true,
  inputs: plain(state.inputs ?? {}),
  secretPaths: [],
  dependencies: [],
  named: [],
  protect: Boolean(state.protect),
  retainOnDelete: Boolean(state.retainOnDelete),
  additionalSecretOutputs: [],
});

interface Step {
  action: Change["action"];
  /** Paths that the engine names. */ diffs: string[];
  before?: RegisteredResource;
  after?: RegisteredResource;
}

/** Each resource once: for a replacement, creation and deletion are reported as well. */
function stepsOf(events: PulumiEvents): Step[] {
  const steps = new Map<string, Step>();
  for (const m of events.planned()) {
    const action = ACTIONS[m.op];
    if (!action || !(m.new ?? m.old)?.custom || m.type.startsWith("pulumi:")) continue;
    steps.set(m.urn, {
      action,
      diffs: diffsOf(m),
      ...(m.old && action !== "create" ? { before: resource(m.urn, m.type, m.old) } : {}),
      ...(m.new && action !== "delete" ? { after: resource(m.urn, m.type, m.new) } : {}),
    });
  }
  return [...steps.values()];
}

function changesOf(steps: Step[]): Change[] {
  const side = (which: "before" | "after"): Evaluation => ({
    resources: steps.flatMap((s) => s[which] ?? []),
    outputs: {},
  });
  const key = (c: { layer: string; title: string }): string => `${c.layer}\n${c.title}`;
  const compared = new Map(compare(side("before"), side("after")).map((c) => [key(c), c]));
  return steps
    .map(({ action, diffs, before, after }): Change => {
      const r = (after ?? before)!,
        named = { layer: layerOf(r), action, title: objectTitle(r) };
      if (action === "create" || action === "delete") return { ...named, fields: [] };
      const { fields = [], restarts } = compared.get(key(named)) ?? {};
      // Equal except for hidden values: the engine still knows the paths.
      return {
        ...named,
        fields: fields.length ? fields : diffs.map((path) => ({ path, from: HIDDEN, to: HIDDEN })),
        ...(restarts ? { restarts } : {}),
      };
    })
    .sort((a, b) => LAYER_ORDER.indexOf(a.layer) - LAYER_ORDER.indexOf(b.layer) || a.title.localeCompare(b.title));
}

export const changesOfEvents = (events: PulumiEvents): { operations: Record<string, number>; changes: Change[] } => ({
  operations: events.summary(),
  changes: changesOf(stepsOf(events)),
});
