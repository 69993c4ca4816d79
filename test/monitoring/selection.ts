/** Which registered pods a PodMonitor would scrape: Kubernetes' label selection over what the program registers. */
import type { RegisteredResource } from "../../cli/evaluate";

export interface PodTemplate {
  namespace: string;
  name: string;
  labels: Record<string, string>;
  ports: number[];
}

const CONTROLLERS = ["kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet", "kubernetes:apps/v1:DaemonSet"];

export function podTemplates(resources: RegisteredResource[]): PodTemplate[] {
  return resources
    .filter((r) => CONTROLLERS.includes(r.type))
    .map(({ inputs }) => ({
      namespace: inputs.metadata.namespace,
      name: inputs.metadata.name,
      labels: inputs.spec.template.metadata.labels,
      ports: [
        ...(inputs.spec.template.spec.containers ?? []),
        ...(inputs.spec.template.spec.initContainers ?? []),
      ].flatMap((c: any) => (c.ports ?? []).map((p: any) => p.containerPort)),
    }));
}

export function selects(selector: any, labels: Record<string, string>): boolean {
  const all = Object.entries(selector.matchLabels ?? {}).every(([k, v]) => labels[k] === v);
  return (
    all &&
    (selector.matchExpressions ?? []).every((e: any) => {
      if (e.operator !== "In") throw new Error(`operator ${e.operator}`);
      return labels[e.key] !== undefined && e.values.includes(labels[e.key]);
    })
  );
}

/** `namespace/name` of the pods that a PodMonitor reaches, with the ports that it asks. */
export function scraped(monitor: any, pods: PodTemplate[]): Array<{ pod: string; endpoint: string }> {
  return pods
    .filter(
      (p) =>
        monitor.spec.namespaceSelector.matchNames.includes(p.namespace) && selects(monitor.spec.selector, p.labels),
    )
    .flatMap((p) =>
      monitor.spec.podMetricsEndpoints
        .filter((e: any) => p.ports.includes(e.portNumber))
        .map((e: any) => ({ pod: `${p.namespace}/${p.name}`, endpoint: `${e.portNumber}${e.path}` })),
    );
}
