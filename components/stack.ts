/** Builds the layers one after the other. Each layer's `deploy.ts` says what it takes from the layers before it. */
import * as pulumi from "@pulumi/pulumi";
import { fieldManager, type StackContext } from "./core/context";
import type { Building, Class, Deployment } from "./core/layer";
import { Order, startsNothing } from "./core/order";
import { turnUris } from "./domain/turnUris";
import { checkedIdentity } from "./keys/checkedIdentity";
import { StackSecrets } from "./keys/secrets";
import { sharedHashes } from "./keys/sharedHashes";
import { ClusterFoundation } from "./layers/cluster";
import { ObjectStore } from "./layers/objectstore";
import { appserviceConnections } from "./layers/synapse/appservices/connections";
import { LAYERS, secretSpecs } from "./layers/registry";
import { SIGNING_KEY } from "./layers/synapse/secrets";
import type { Settings } from "./settings/types";
import { stackOutputs, type StackOutputInputs } from "./outputs";

/** Loads what makes the layers, in the order of the registry. */
export const loadLayers = (): Promise<Deployment[]> => Promise.all(LAYERS.map((layer) => layer.component()));

/** The whole stack: parent of every layer's component. */
export class MatrixStack extends pulumi.ComponentResource {
  readonly outputs: StackOutputInputs;
  /** Resources that no other resource of the stack comes after. */
  readonly last: pulumi.Resource[];

  constructor(
    name: string,
    ctx: StackContext,
    /** From `loadLayers()`. */
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
    const secrets = new StackSecrets("secrets", { settings, specs: secretSpecs(settings) }, { parent: this });

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
      ...(settings.dataCentre
        ? { sharedHashes: sharedHashes(secrets.of(SIGNING_KEY), shared(settings, secrets)) }
        : {}),
      appservices: appserviceConnections(settings, secrets),
    });
    this.last = order.last();
    this.registerOutputs({});
  }
}

/** The secrets that data centres share, of those that the stack generates or is given. */
const shared = (settings: Settings, secrets: StackSecrets): Parameters<typeof sharedHashes>[1] =>
  Object.fromEntries(
    secretSpecs(settings)
      .filter((spec) => spec.importable && (spec.when?.(settings) ?? true))
      .map((spec) => [spec.importable!, secrets.of(spec)]),
  );

/**
 * Limit for the deletion of any object. Pods end within their grace period, at most a minute, except those with calls,
 * which may continue for an hour. A deletion that takes longer waits for a lost machine, for calls, or for the webhook
 * of an operator that is down: it fails after this time, and another `destroy` continues. Without this limit the one
 * for rollouts applies (an hour for Synapse's main process), or ten minutes (seen with a ScheduledBackup whose operator
 * was down).
 */
export const DELETED_WITHIN = { delete: "5m" };

/** Applies every object under the stack's field manager, and limits the time of its deletion. */
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
 * `dependsOn` of a component delays its children but does not become their dependency, so a destroy would not know the
 * order. It is therefore added to each child. Children that start nothing depend only on namespaces and classes.
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
