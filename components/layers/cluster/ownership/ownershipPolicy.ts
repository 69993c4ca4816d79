/** The policy by which the API server refuses to let this stack take over objects of other owners. Pure. */
import type { admissionregistration } from "@pulumi/kubernetes/types/input";
import { fieldManager } from "../../../core/context";
import type { Settings } from "../../../settings/types";
import { PART_OF } from "../../../core/workload/metadata";

/** CEL: whether the object has this stack's labels. */
function ours(object: string, settings: Settings): string {
  const has = (key: string, value: string): string =>
    `'${key}' in ${object}.metadata.labels && ${object}.metadata.labels['${key}'] == '${value}'`;
  return `has(${object}.metadata.labels) && ${has("app.kubernetes.io/part-of", PART_OF)} && ${has("app.kubernetes.io/instance", settings.instance)}`;
}

/**
 * Refuses an apply by this stack (recognized by its field manager) to an object that is not this stack's. A person can
 * hand an object over by labelling it, because kubectl is another field manager.
 */
export function ownershipPolicySpec(settings: Settings): admissionregistration.v1.ValidatingAdmissionPolicySpec {
  const handOver = `kubectl label KIND NAME app.kubernetes.io/part-of=${PART_OF} app.kubernetes.io/instance=${settings.instance}`;
  return {
    failurePolicy: "Fail",
    matchConstraints: {
      // The old or the new object must match, so requests that do not concern this stack are not evaluated.
      objectSelector: {
        matchLabels: { "app.kubernetes.io/part-of": PART_OF, "app.kubernetes.io/instance": settings.instance },
      },
      resourceRules: [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["UPDATE"], resources: ["*"] }],
    },
    matchConditions: [
      {
        name: "by-this-stack",
        expression: `has(request.options.fieldManager) && request.options.fieldManager == '${fieldManager(settings)}'`,
      },
    ],
    validations: [
      {
        expression: ours("oldObject", settings),
        messageExpression: `request.kind.kind + ' ' + (request.namespace == '' || request.kind.kind == 'Namespace' ? '' : request.namespace + '/') + request.name + ' exists already and is not this stack\\'s. Remove or rename it, or switch off the part that needs it (cluster.install, storage.*.create); to hand it over: ${handOver}'`,
        reason: "Invalid",
      },
    ],
  };
}
