import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../../../core/context";
import { operatorObjects, type Operator } from "./vendored";

type ResourceClass = new (name: string, args: any, opts: pulumi.CustomResourceOptions) => pulumi.CustomResource;

/**
 * The generated classes send the provider's version with each registration, so the engine needs no lookup of its own.
 */
const CLASSES: Record<string, ResourceClass> = {
  "v1 ServiceAccount": k8s.core.v1.ServiceAccount,
  "v1 ConfigMap": k8s.core.v1.ConfigMap,
  "v1 Secret": k8s.core.v1.Secret,
  "v1 Service": k8s.core.v1.Service,
  "apps/v1 Deployment": k8s.apps.v1.Deployment,
  "apps/v1 DaemonSet": k8s.apps.v1.DaemonSet,
  "policy/v1 PodDisruptionBudget": k8s.policy.v1.PodDisruptionBudget,
  "rbac.authorization.k8s.io/v1 Role": k8s.rbac.v1.Role,
  "rbac.authorization.k8s.io/v1 RoleBinding": k8s.rbac.v1.RoleBinding,
  "rbac.authorization.k8s.io/v1 ClusterRole": k8s.rbac.v1.ClusterRole,
  "rbac.authorization.k8s.io/v1 ClusterRoleBinding": k8s.rbac.v1.ClusterRoleBinding,
  "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration":
    k8s.admissionregistration.v1.ValidatingWebhookConfiguration,
  "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration":
    k8s.admissionregistration.v1.MutatingWebhookConfiguration,
  "apiextensions.k8s.io/v1 CustomResourceDefinition": k8s.apiextensions.v1
    .CustomResourceDefinition as unknown as ResourceClass,
  "apiregistration.k8s.io/v1 APIService": k8s.apiregistration.v1.APIService,
  "cert-manager.io/v1 Certificate": k8s.apiextensions.CustomResource,
  "cert-manager.io/v1 Issuer": k8s.apiextensions.CustomResource,
};

const classOf = (o: any): ResourceClass | undefined => CLASSES[`${o.apiVersion} ${o.kind}`];
const isCustomResource = (o: any): boolean => classOf(o) === k8s.apiextensions.CustomResource;

export interface VendoredOperatorArgs {
  ctx: StackContext;
  operator: Operator;
  /** What must exist first for every object: its namespace. */
  basics: pulumi.Resource[];
  /** Operators that have to run before its controllers and its custom resources. */
  needs?: pulumi.Resource[];
}

/**
 * A webhook whose certificate another process of the operator writes into its registration (cert-manager's cainjector):
 * until then the API server refuses all that the webhook watches, and the provider does not try again.
 */
const isInjected = (o: any): boolean =>
  /WebhookConfiguration$/.test(o.kind) &&
  Object.keys(o.metadata.annotations ?? {}).some((k) => k.startsWith("cert-manager.io/inject-ca-from"));
const awaitingCertificate = (o: any): any => ({
  ...o,
  metadata: {
    ...o.metadata,
    annotations: { ...o.metadata.annotations, "pulumi.com/waitFor": "jsonpath={.webhooks[0].clientConfig.caBundle}" },
  },
});

/**
 * One vendored operator: CRDs, permissions and configuration first, then the controllers, which the engine waits for.
 */
export class VendoredOperator extends pulumi.ComponentResource {
  /**
   * The controllers and their webhooks' certificates, after everything else of the operator: what its custom resources
   * depend on.
   */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: VendoredOperatorArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:cluster:VendoredOperator", name, {}, opts);
    const needs = args.needs ?? [];
    const objects = operatorObjects(args.operator, args.ctx.settings);
    const controllers = objects.filter((o) => o.kind === "Deployment" || o.kind === "DaemonSet");
    const injected = objects.filter(isInjected);
    const first = objects
      .filter((o) => !controllers.includes(o) && !injected.includes(o))
      .map((o) => this.register(name, o, isCustomResource(o) ? [...args.basics, ...needs] : args.basics));
    const running = controllers.map((o) => this.register(name, o, [...first, ...needs]));
    this.ready = [
      ...running,
      ...injected.map((o) => this.register(name, awaitingCertificate(o), [...first, ...running])),
    ];
    this.registerOutputs({});
  }

  private register(name: string, object: any, dependsOn: pulumi.Resource[]): pulumi.CustomResource {
    const Class = classOf(object);
    if (!Class)
      throw new Error(
        `${name}: ${object.apiVersion} ${object.kind} is new in the vendored manifest: add its class in VendoredOperator.ts`,
      );
    const id =
      `${name}-${object.kind}-${object.metadata.namespace ? `${object.metadata.namespace}-` : ""}${object.metadata.name}`.toLowerCase();
    // With a definition goes every object of its kind, in all namespaces, also those that others made, the database's
    // Cluster among them.
    return new Class(id, object, {
      parent: this,
      dependsOn,
      retainOnDelete: object.kind === "CustomResourceDefinition",
    });
  }
}
