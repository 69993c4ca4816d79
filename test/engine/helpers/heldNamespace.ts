/** A namespace that is stuck in Terminating: an object in it has a finalizer that nothing removes. */
import { kubectl } from "../../../lab/local/kubectl";

const finalizers = (namespace: string, value: string[] | null): void => {
  kubectl(["-n", namespace, "patch", "configmap", "held", "-p", JSON.stringify({ metadata: { finalizers: value } })]);
};

export function holdDeletedNamespace(namespace: string): void {
  kubectl(["-n", namespace, "create", "configmap", "held"]);
  finalizers(namespace, ["matrix-ha.dev/held"]);
  kubectl(["delete", "namespace", namespace, "--wait=false"]);
}
export const releaseNamespace = (namespace: string): void => finalizers(namespace, null);
