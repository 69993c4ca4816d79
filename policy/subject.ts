/** Builds the subject of the rules from an evaluation. Pure. */
import type { Evaluation } from "../cli/evaluate";
import { isKubernetes, layerOf } from "../components/layers/resources";
import { edges } from "../components/topology";
import type { Settings } from "../components/settings/types";
import type { Plan } from "../components/sizing/types";
import type { KubernetesObject, OperatorPods, PodTemplate, Subject } from "./types";

const LONG_RUNNING = new Set(["Deployment", "StatefulSet", "DaemonSet"]);

export function templateOf(owner: KubernetesObject): PodTemplate | undefined {
  const spec = owner.inputs.spec;
  const template =
    owner.kind === "CronJob"
      ? spec?.jobTemplate?.spec?.template
      : owner.kind === "Job" || LONG_RUNNING.has(owner.kind)
        ? spec?.template
        : undefined;
  if (!template) return undefined;
  return {
    owner,
    labels: template.metadata?.labels ?? {},
    annotations: template.metadata?.annotations ?? {},
    spec: template.spec,
    longRunning: LONG_RUNNING.has(owner.kind),
  };
}

/** By kind, the pods that each operator creates, according to its documentation. */
export function operatorPodsOf(owner: KubernetesObject): OperatorPods | undefined {
  const { spec } = owner.inputs;
  const monitoring = {
    "app.kubernetes.io/managed-by": "prometheus-operator",
    "app.kubernetes.io/instance": owner.name,
    ...spec?.podMetadata?.labels,
  };
  switch (`${owner.apiVersion.split("/")[0]} ${owner.kind}`) {
    case "postgresql.cnpg.io Cluster":
      return {
        owner,
        labels: { "cnpg.io/cluster": owner.name, "cnpg.io/podRole": "instance" },
        ports: { postgresql: 5432, metrics: 9187, status: 8000 },
        replicas: spec.instances,
      };
    case "postgresql.cnpg.io Pooler":
      return {
        owner,
        labels: { "cnpg.io/poolerName": owner.name, ...spec.template?.metadata?.labels },
        ports: { pgbouncer: 5432, metrics: 9127 },
        replicas: spec.instances,
      };
    case "monitoring.coreos.com Prometheus":
      return { owner, labels: monitoring, ports: { web: 9090 }, replicas: spec.replicas };
    case "monitoring.coreos.com Alertmanager":
      return { owner, labels: monitoring, ports: { web: 9093 }, replicas: spec.replicas };
    default:
      return undefined;
  }
}

export function subjectOf(evaluation: Evaluation, settings: Settings, plan: Plan): Subject {
  const objects = evaluation.resources.filter(isKubernetes).map((r): KubernetesObject => ({
    urn: r.urn,
    layer: layerOf(r),
    kind: r.inputs.kind,
    apiVersion: r.inputs.apiVersion,
    namespace: r.inputs.metadata?.namespace ?? "",
    name: r.inputs.metadata?.name ?? "",
    inputs: r.inputs,
  }));
  const templates = objects.map(templateOf).filter((t): t is PodTemplate => t !== undefined);
  return {
    resources: evaluation.resources,
    objects,
    templates,
    operatorPods: objects.map(operatorPodsOf).filter((p): p is OperatorPods => p !== undefined),
    settings,
    plan,
    edges: edges({ settings, plan }),
  };
}

export const containersOf = (t: PodTemplate): any[] => [...(t.spec.initContainers ?? []), ...(t.spec.containers ?? [])];
export const titleOf = (o: KubernetesObject | PodTemplate): string => {
  const k = "owner" in o ? o.owner : o;
  return `${k.kind} ${k.namespace ? `${k.namespace}/` : ""}${k.name}`;
};

/** Every string in a value, with its path. */
export function* strings(value: any, path = ""): Generator<{ path: string; text: string }> {
  if (typeof value === "string") yield { path, text: value };
  else if (Array.isArray(value)) for (const [i, v] of value.entries()) yield* strings(v, `${path}[${i}]`);
  else if (value !== null && typeof value === "object")
    for (const [k, v] of Object.entries(value)) yield* strings(v, path ? `${path}.${k}` : k);
}

export const matchesSelector = (selector: any, labels: Record<string, string>): boolean =>
  matches(selector?.matchLabels, labels) &&
  (selector?.matchExpressions ?? []).every((e: any) =>
    e.operator === "In"
      ? e.values.includes(labels[e.key])
      : e.operator === "NotIn"
        ? !e.values.includes(labels[e.key])
        : e.operator === "Exists"
          ? e.key in labels
          : !(e.key in labels),
  );

export const matches = (selector: Record<string, string> | undefined, labels: Record<string, string>): boolean =>
  Object.entries(selector ?? {}).every(([k, v]) => labels[k] === v);
