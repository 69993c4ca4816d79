/** When an object counts as done: the same conditions that the kubernetes provider waits for. Pure. */

export type Verdict = { done: true } | { done: false; why: string };
const DONE: Verdict = { done: true };
const wait = (why: string): Verdict => ({ done: false, why });

/** Objects that are awaited; others are done when the API server has taken them. */
export function verdict(live: any, annotations: Record<string, string> = {}): Verdict {
  if (annotations["pulumi.com/skipAwait"] === "true") return DONE;
  const custom = annotations["pulumi.com/waitFor"];
  if (custom) return waitFor(live, custom);
  switch (live.kind) {
    case "Deployment": return deployment(live);
    case "StatefulSet": return statefulSet(live);
    case "DaemonSet": return daemonSet(live);
    case "Job": return job(live);
    case "Service": return live.spec?.type === "LoadBalancer" && !live.status?.loadBalancer?.ingress?.length ? wait("no address yet") : DONE;
    case "Ingress": return live.status?.loadBalancer?.ingress?.length ? DONE : wait("no address yet");
    case "CustomResourceDefinition": return condition(live, "Established");
    case "Namespace": return live.status?.phase === "Active" ? DONE : wait(`phase ${live.status?.phase}`);
    default: return DONE;
  }
}

const observed = (o: any): boolean => (o.status?.observedGeneration ?? 0) >= (o.metadata?.generation ?? 0);

function condition(o: any, type: string): Verdict {
  const c = (o.status?.conditions ?? []).find((x: any) => x.type === type);
  return c?.status === "True" ? DONE : wait(c?.message || `condition ${type} is ${c?.status ?? "absent"}`);
}

function deployment(d: any): Verdict {
  const want = d.spec.replicas ?? 1, s = d.status ?? {};
  if (!observed(d) || (s.updatedReplicas ?? 0) < want) return wait(`${s.updatedReplicas ?? 0} of ${want} updated`);
  if ((s.replicas ?? 0) > (s.updatedReplicas ?? 0)) return wait("old pods are ending");
  return (s.availableReplicas ?? 0) >= want ? DONE : wait(`${s.availableReplicas ?? 0} of ${want} available`);
}

function statefulSet(x: any): Verdict {
  const want = x.spec.replicas ?? 1, s = x.status ?? {};
  if (!observed(x)) return wait("not observed yet");
  if (s.updateRevision !== s.currentRevision && (s.updatedReplicas ?? 0) < want) return wait(`${s.updatedReplicas ?? 0} of ${want} updated`);
  return (s.readyReplicas ?? 0) >= want ? DONE : wait(`${s.readyReplicas ?? 0} of ${want} ready`);
}

function daemonSet(x: any): Verdict {
  const s = x.status ?? {}, want = s.desiredNumberScheduled ?? 0;
  if (!observed(x) || (s.updatedNumberScheduled ?? 0) < want) return wait(`${s.updatedNumberScheduled ?? 0} of ${want} updated`);
  return (s.numberAvailable ?? 0) >= want ? DONE : wait(`${s.numberAvailable ?? 0} of ${want} available`);
}

function job(j: any): Verdict {
  const failed = (j.status?.conditions ?? []).find((c: any) => c.type === "Failed" && c.status === "True");
  if (failed) throw new Error(`Job ${j.metadata.namespace}/${j.metadata.name} failed: ${failed.message}`);
  return condition(j, "Complete");
}

/** `condition=Ready`, `condition=Ready=True`, `jsonpath={.status.x}=value`; several as a JSON list, all must hold. */
function waitFor(live: any, text: string): Verdict {
  const all: string[] = text.startsWith("[") ? JSON.parse(text) : [text];
  for (const one of all) {
    const v = one.startsWith("condition=") ? condition(live, one.split("=")[1]!) : jsonpath(live, one);
    if (!v.done) return v;
  }
  return DONE;
}

function jsonpath(live: any, text: string): Verdict {
  const m = /^jsonpath=\{?([^}=]+)\}?(?:=(.*))?$/.exec(text);
  if (!m) throw new Error(`unknown pulumi.com/waitFor: ${text}`);
  const value = m[1]!.split(/[.[\]]/).filter(Boolean).reduce((at: any, key) => at?.[key], live);
  const ok = m[2] === undefined ? value !== undefined : String(value) === m[2];
  return ok ? DONE : wait(`${m[1]} is ${value === undefined ? "absent" : String(value)}${m[2] === undefined ? "" : `, not ${m[2]}`}`);
}
