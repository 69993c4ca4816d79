import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../../../core/context";
import { isController, type Manifest } from "./manifest";
import { operatorObjects, type Operator } from "./vendored";

type Make = (name: string, object: object, opts: pulumi.CustomResourceOptions) => pulumi.CustomResource;

/** The kind of a manifest's object decides the class, and is all that is known of the object's type. */
const madeBy =
  <A extends object | undefined>(
    Class: new (name: string, args: A, opts: pulumi.CustomResourceOptions) => pulumi.CustomResource,
  ): Make =>
  (name, object, opts) =>
    new Class(name, object as A, opts);
const customResource = madeBy(k8s.apiextensions.CustomResource);

/** The SDK's classes send the provider's version with each registration, so the engine need not look for one. */
const CLASSES: Record<string, Make> = {
  "v1 ServiceAccount": madeBy(k8s.core.v1.ServiceAccount),
  "v1 ConfigMap": madeBy(k8s.core.v1.ConfigMap),
  "v1 Secret": madeBy(k8s.core.v1.Secret),
  "v1 Service": madeBy(k8s.core.v1.Service),
  "apps/v1 Deployment": madeBy(k8s.apps.v1.Deployment),
  "apps/v1 DaemonSet": madeBy(k8s.apps.v1.DaemonSet),
  "policy/v1 PodDisruptionBudget": madeBy(k8s.policy.v1.PodDisruptionBudget),
  "rbac.authorization.k8s.io/v1 Role": madeBy(k8s.rbac.v1.Role),
  "rbac.authorization.k8s.io/v1 RoleBinding": madeBy(k8s.rbac.v1.RoleBinding),
  "rbac.authorization.k8s.io/v1 ClusterRole": madeBy(k8s.rbac.v1.ClusterRole),
  "rbac.authorization.k8s.io/v1 ClusterRoleBinding": madeBy(k8s.rbac.v1.ClusterRoleBinding),
  "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration": madeBy(
    k8s.admissionregistration.v1.ValidatingWebhookConfiguration,
  ),
  "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration": madeBy(
    k8s.admissionregistration.v1.MutatingWebhookConfiguration,
  ),
  "apiextensions.k8s.io/v1 CustomResourceDefinition": madeBy(k8s.apiextensions.v1.CustomResourceDefinition),
  "apiregistration.k8s.io/v1 APIService": madeBy(k8s.apiregistration.v1.APIService),
  "cert-manager.io/v1 Certificate": customResource,
  "cert-manager.io/v1 Issuer": customResource,
};

const makerOf = (o: Manifest): Make | undefined => CLASSES[`${o.apiVersion} ${o.kind}`];
const isCustomResource = (o: Manifest): boolean => makerOf(o) === customResource;

/** Arguments of VendoredOperator. */
export interface VendoredOperatorArgs {
  ctx: StackContext;
  operator: Operator;
  /** What every object waits for: namespaces and classes. */
  basics: pulumi.Resource[];
  /** Operators that must run first: the controllers and custom resources wait for them. */
  after?: pulumi.Resource[];
}

/**
 * A webhook whose CA certificate another process writes into its registration (cert-manager's cainjector). Until then
 * the API server refuses every object that the webhook checks, and the provider does not retry.
 */
const isInjected = (o: Manifest): boolean =>
  /WebhookConfiguration$/.test(o.kind) &&
  Object.keys(o.metadata.annotations ?? {}).some((k) => k.startsWith("cert-manager.io/inject-ca-from"));
const awaitingCertificate = (o: Manifest): Manifest => ({
  ...o,
  metadata: {
    ...o.metadata,
    annotations: { ...o.metadata.annotations, "pulumi.com/waitFor": "jsonpath={.webhooks[0].clientConfig.caBundle}" },
  },
});

/**
 * One vendored operator: CRDs, permissions and configuration first, then the controllers. The engine waits for them.
 */
export class VendoredOperator extends pulumi.ComponentResource {
  /**
   * The controllers and the webhooks with their certificates; both come after everything else of the operator. Its
   * custom resources in other layers depend on these.
   */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: VendoredOperatorArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:cluster:VendoredOperator", name, {}, opts);
    const after = args.after ?? [];
    const objects = operatorObjects(args.operator, args.ctx.settings);
    const controllers: Manifest[] = objects.filter(isController);
    const injected = objects.filter(isInjected);
    const first = objects
      .filter((o) => !controllers.includes(o) && !injected.includes(o))
      .map((o) => this.register(name, o, isCustomResource(o) ? [...args.basics, ...after] : args.basics));
    const running = controllers.map((o) => this.register(name, o, [...first, ...after]));
    this.ready = [
      ...running,
      ...injected.map((o) => this.register(name, awaitingCertificate(o), [...first, ...running])),
    ];
    this.registerOutputs({});
  }

  private register(name: string, object: Manifest, dependsOn: pulumi.Resource[]): pulumi.CustomResource {
    const make = makerOf(object);
    if (!make)
      throw new Error(
        `${name}: ${object.apiVersion} ${object.kind} is a new kind in the vendored manifest: add its class in VendoredOperator.ts`,
      );
    const id =
      `${name}-${object.kind}-${object.metadata.namespace ? `${object.metadata.namespace}-` : ""}${object.metadata.name}`.toLowerCase();
    // Deleting a definition deletes every object of its kind in all namespaces, including those of other stacks and the
    // database's Cluster.
    return make(id, object, {
      parent: this,
      dependsOn,
      retainOnDelete: object.kind === "CustomResourceDefinition",
    });
  }
}
