/**
 * `down` on a cluster that is not ours: removes what the driver made and nothing else. An object is removed only when the
 * driver's state names it, it was not there before, and the cluster says that the driver applied it.
 */
import type { Applied } from "./state";

export interface Ref { apiVersion: string; kind: string; metadata: { name: string; namespace?: string } }
export interface Removal {
  /** Taken out of objects that others own (labels of nodes), by applying nothing. */
  undo: Ref[];
  /** While the operators still live: they finish what hangs on them. */
  custom: Ref[];
  /**
   * Registered with the API server and answered by pods of the stack. Once those are gone, nobody could delete what a webhook
   * watches, and no namespace would end: the API server counts what is in it by all its API services.
   */
  registrations: Ref[];
  /** With everything in them; the one of the volumes' provisioner last. */
  namespaces: Ref[];
  /** In namespaces that were there before. */
  namespaced: Ref[];
  clusterWide: Ref[];
  /** Definitions go last, and only when nobody has objects of their kind. */
  definitions: Ref[];
  /** Was there before, so it stays. */
  kept: Ref[];
}

export const refText = (r: Ref): string => `${r.kind} ${r.metadata.namespace ? `${r.metadata.namespace}/` : ""}${r.metadata.name}`;

/** API groups that Kubernetes itself serves; objects of all others belong to an operator. */
const builtIn = (apiVersion: string): boolean => !apiVersion.includes("/") || apiVersion.endsWith(".k8s.io/v1") || /^(apps|batch|policy|autoscaling|extensions)\//.test(apiVersion) || /^[\w.]+\.k8s\.io\//.test(apiVersion) && !/^(gateway\.networking|metrics)\./.test(apiVersion);
const PROVISIONER_NAMESPACE = "local-path-storage";

/** In the order of removal: against that of application. Pure. */
export function removalPlan(applied: Record<string, Applied>): Removal {
  const plan: Removal = { undo: [], custom: [], registrations: [], namespaces: [], namespaced: [], clusterWide: [], definitions: [], kept: [] };
  const entries = Object.values(applied).filter((a) => a.handle?.kind).reverse();
  const ours = new Set(entries.filter((a) => a.handle.kind === "Namespace" && !a.existed).map((a) => a.handle.metadata.name));
  for (const a of entries) {
    const ref: Ref = a.handle;
    if (a.type.endsWith("Patch")) plan.undo.push(ref);
    else if (a.existed) plan.kept.push(ref);
    else if (ref.kind === "Namespace") plan.namespaces.push(ref);
    else if (ref.kind === "CustomResourceDefinition") plan.definitions.push(ref);
    else if (/(WebhookConfiguration|^APIService)$/.test(ref.kind)) plan.registrations.push(ref);
    else if (!builtIn(ref.apiVersion)) plan.custom.push(ref);
    else if (!ref.metadata.namespace) plan.clusterWide.push(ref);
    else if (!ours.has(ref.metadata.namespace)) plan.namespaced.push(ref);
  }
  plan.namespaces.sort((a, b) => Number(a.metadata.name === PROVISIONER_NAMESPACE) - Number(b.metadata.name === PROVISIONER_NAMESPACE));
  return plan;
}

/** Kinds in which people keep what would be missed. */
export const PRECIOUS = ["deployments", "statefulsets", "daemonsets", "cronjobs", "jobs", "pods", "services", "ingresses", "persistentvolumeclaims"];

/**
 * What somebody else put into a namespace that the stack made: nobody's child, not in the driver's state, and without the
 * marks of the stack's operators. Such a namespace is emptied of ours and left. Pure.
 */
export function strangers(objects: readonly any[], applied: Record<string, Applied>): any[] {
  const known = new Set(Object.values(applied).filter((a) => a.handle?.kind).map((a) => refText(a.handle)));
  return objects.filter((o) => !o.metadata.ownerReferences?.length && !known.has(refText(o)) &&
    // Every object of the stack says so; a Job of an earlier deployment is in no state any more.
    o.metadata.labels?.["app.kubernetes.io/part-of"] !== "matrix-ha" && o.metadata.labels?.["cnpg.io/cluster"] === undefined &&
    // Claims of StatefulSets carry the selector's labels, and so name the stack's instance.
    !(o.kind === "PersistentVolumeClaim" && o.metadata.labels?.["app.kubernetes.io/instance"] !== undefined && o.metadata.labels["app.kubernetes.io/component"] !== undefined) &&
    // Claims of the Prometheus and the Alertmanager of the stack, whose operator does not copy labels onto them.
    !(o.kind === "PersistentVolumeClaim" && o.metadata.labels?.["app.kubernetes.io/managed-by"] === "prometheus-operator" &&
      (known.has(`Prometheus ${o.metadata.namespace}/${o.metadata.labels.prometheus}`) || known.has(`Alertmanager ${o.metadata.namespace}/${o.metadata.labels.alertmanager}`))) &&
    // Helper pods of the volumes' provisioner.
    !(o.kind === "Pod" && o.metadata.name.startsWith("helper-pod-")));
}

/** Whether the driver's name is among those who set fields. */
export const appliedBy = (o: any, manager: string): boolean => (o.metadata.managedFields ?? []).some((m: any) => m.manager === manager);
