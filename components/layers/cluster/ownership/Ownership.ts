import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { fieldManager, type StackContext } from "../../../core/context";
import { labels } from "../../../core/workload";
import { ownershipPolicySpec } from "./ownershipPolicy";

/**
 * Protects existing objects of other owners. The provider takes over objects that it should create and that exist
 * already (`upsertExistingObjects`). After a killed `up`, a lost state, or a `destroy` that left namespaces and the
 * database, these are the stack's own. By this policy the API server refuses changes to any others.
 */
export class Ownership extends pulumi.ComponentResource {
  /** Every other object of the stack comes after these. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: { ctx: StackContext }, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:cluster:Ownership", name, {}, opts);
    const { settings } = args.ctx;
    const metadata = {
      name: `${fieldManager(settings)}-owns-what-it-applies`,
      labels: labels(settings, "ownership", "matrix-ha", "none"),
    };
    const policy = new k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
      `${name}-policy`,
      {
        // The status shows when the API server has read the policy.
        metadata: { ...metadata, annotations: { "pulumi.com/waitFor": "jsonpath={.status.observedGeneration}" } },
        spec: ownershipPolicySpec(settings),
      },
      { parent: this },
    );
    const binding = new k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
      `${name}-binding`,
      {
        metadata,
        spec: { policyName: metadata.name, validationActions: ["Deny"] },
      },
      { parent: this, dependsOn: [policy] },
    );
    this.ready = [binding];
    this.registerOutputs({});
  }
}
