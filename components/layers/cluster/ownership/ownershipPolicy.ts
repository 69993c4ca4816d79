/** The rule by which the API server refuses to give this stack an object that belongs to another owner. Pure. */
import type { admissionregistration } from "@pulumi/kubernetes/types/input";
import { fieldManager } from "../../../core/context";
import type { Settings } from "../../../settings/types";
import { PART_OF } from "../../../core/workload/metadata";

/** In CEL: the object carries this stack's labels. */
function ours(object: string, settings: Settings): string {
  const has = (key: string, value: string): string =>
    `'${key}' in ${object}.metadata.labels && ${object}.metadata.labels['${key}'] == '${value}'`;
  return `has(${object}.metadata.labels) && ${has("app.kubernetes.io/part-of", PART_OF)} && ${has("app.kubernetes.io/instance", settings.instance)}`;
}

/**
 * Applied by this stack (its field manager says so) onto an object that was not this stack's: refused. A person may
 * hand an object over by labelling it, because kubectl is another field manager.
 */
export function ownershipPolicySpec(settings: Settings): admissionregistration.v1.ValidatingAdmissionPolicySpec {
  const handOver = `kubectl label KIND NAME app.kubernetes.io/part-of=${PART_OF} app.kubernetes.io/instance=${settings.instance}`;
  return {
    failurePolicy: "Fail",
    matchConstraints: {
      // Of the old and the new object one has to match: objects that nobody gives to this stack are not looked at.
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
