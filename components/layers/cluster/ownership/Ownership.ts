import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { fieldManager, type StackContext } from "../../../core/context";
import { labels } from "../../../core/workload";
import { ownershipPolicySpec } from "./ownershipPolicy";

/**
 * Whose an object is that exists already. The provider takes over what it is to create and finds
 * (`upsertExistingObjects`): after a killed `up`, a lost state, a `destroy` that left namespaces and the database, that
 * is our own. Somebody else's is refused by the API server itself, by this policy, before anything of it is changed.
 */
export class Ownership extends pulumi.ComponentResource {
  /** What every other object of the stack comes after. */
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
        // The API server has read a policy when its status says so.
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
