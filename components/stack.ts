/** The layers, built one after the other. What each gets from the others is in its `layer.ts`. */
import * as pulumi from "@pulumi/pulumi";
import { fieldManager, type StackContext } from "./core/context";
import type { Building, Class, Deployment } from "./core/layer";
import { Order, startsNothing } from "./core/order";
import { turnUris } from "./domain/turnUris";
import { checkedIdentity } from "./keys/checkedIdentity";
import { StackSecrets } from "./keys/secrets";
import { ClusterFoundation } from "./layers/cluster";
import { ObjectStore } from "./layers/objectstore";
import { LAYERS, SECRET_SPECS } from "./layers/registry";
import { SIGNING_KEY } from "./layers/synapse/secrets";
import { stackOutputs, type StackOutputInputs } from "./outputs";

export const loadLayers = (): Promise<Deployment[]> => Promise.all(LAYERS.map((layer) => layer.component()));

export class MatrixStack extends pulumi.ComponentResource {
  readonly outputs: StackOutputInputs;
  /** Resources that nothing else of the stack comes after. */
  readonly last: pulumi.Resource[];

  constructor(
    name: string,
    ctx: StackContext,
    /** What makes the layers, in their order: `loadLayers()`. */
    deployments: readonly Deployment[],
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const order = new Order();
    super(
      "matrix-ha:stack:MatrixStack",
      name,
      {},
      {
        ...opts,
        providers: { kubernetes: ctx.provider },
        transformations: [appliedAs(fieldManager(ctx.settings)), order.transformation],
      },
    );
    const { settings, plan } = ctx;
    const secrets = new StackSecrets("secrets", { settings, specs: SECRET_SPECS }, { parent: this });

    const built: pulumi.Resource[] = [];
    const find: Building["find"] = <T extends pulumi.Resource>(type: Class<T>) =>
      built.find((resource): resource is T => resource instanceof type);
    const get: Building["get"] = (type) => {
      const found = find(type);
      if (!found) throw new Error(`no layer has made a ${type.name} yet: see the order of layers/registry.ts`);
      return found;
    };
    const after: Building["after"] = (...resources) =>
      layerAfter(this, get(ClusterFoundation).basics, resources.flat());
    for (const { deploy } of deployments)
      built.push(...deploy({ ctx, secrets, layers: LAYERS, self: this, get, find, after }));

    const { tls } = get(ClusterFoundation);
    const identity = checkedIdentity(settings, secrets.of(SIGNING_KEY), tls.caPem);
    this.outputs = stackOutputs({
      settings,
      plan,
      turnUris: turnUris(settings),
      s3Endpoint: get(ObjectStore).media.endpoint,
      caCertificate: tls.caPem,
      identity,
    });
    this.last = order.last();
    this.registerOutputs({});
  }
}

/**
 * How long the deletion of any object is waited for. Pods end within their grace period, a minute at most but for
 * calls, which may go on for an hour. A deletion that takes longer waits for a machine that is gone, for calls, or for
 * the webhook of an operator that is down: it says so after this, and `destroy` again goes on. Without it the limit is
 * that of the rollout (an hour for Synapse's main process), or ten minutes (seen: a ScheduledBackup whose operator was
 * away).
 */
export const DELETED_WITHIN = { delete: "5m" };

/** Every object of the cluster is applied under the stack's own name, and says so when its deletion hangs. */
const appliedAs =
  (manager: string): pulumi.ResourceTransformation =>
  ({ type, props, opts }) => {
    if (!type.startsWith("kubernetes:")) return undefined;
    const { metadata } = props;
    return {
      props: {
        ...props,
        metadata: { ...metadata, annotations: { ...metadata?.annotations, "pulumi.com/patchFieldManager": manager } },
      },
      opts: pulumi.mergeOptions(opts, { customTimeouts: DELETED_WITHIN }),
    };
  };

/**
 * `dependsOn` of a component delays its children but is no dependency of theirs: a destroy would not know the order.
 * So it is given to each child instead, and to those that start nothing only what any object needs.
 */
function layerAfter(
  parent: pulumi.Resource,
  basics: pulumi.Resource[],
  resources: pulumi.Resource[],
): pulumi.ComponentResourceOptions {
  return {
    parent,
    transformations: [
      ({ type, props, opts }) => ({
        props,
        opts: pulumi.mergeOptions(opts, { dependsOn: startsNothing(type) ? basics : [...basics, ...resources] }),
      }),
    ],
  };
}
