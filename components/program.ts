/**
 * The stack's program: reads the settings, builds the layers, returns the outputs. index.ts runs it under the engine;
 * the tools run it in their own process.
 */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { hideResponsesInDebugLog } from "./core/debugLog";
import { refuseLosses } from "./deployed";
import { DestroyGuard } from "./keys/DestroyGuard";
import { explained } from "./core/messageOnly";
import { endWhenOrphaned } from "./core/orphaned";
import { settingsFromConfig } from "./settings/fromConfig";
import type { StackOutputInputs } from "./outputs";
import { plan } from "./plan";
import { loadLayers, MatrixStack } from "./stack";

/**
 * Registers the whole stack.
 *
 * @throws MessageOnly, before anything is registered, when settings or plan are invalid, or would lose what the
 * deployed stack holds
 */
export async function program(): Promise<StackOutputInputs> {
  endWhenOrphaned();
  hideResponsesInDebugLog();
  // All three throw before anything is registered, with every error at once.
  const settings = explained(settingsFromConfig);
  const planned = explained(() => plan(settings));
  await refuseLosses({ settings, plan: planned });
  const provider = new k8s.Provider(
    "cluster",
    {
      // The provider identifies the cluster by this name, so that a renewed kubeconfig does not mean another cluster.
      clusterIdentifier: settings.instance,
      ...(settings.cluster.kubeconfig ? { kubeconfig: pulumi.secret(settings.cluster.kubeconfig) } : {}),
      ...(settings.cluster.context ? { context: settings.cluster.context } : {}),
      enableServerSideApply: true,
      // Objects that exist already are taken over: they belong to this stack, or cluster/Ownership refuses them.
      // Without this, the provider (since 4.29) refuses every existing object, and an `up` after a killed one could not
      // continue.
      upsertExistingObjects: true,
      // A changed ConfigMap or Secret is updated in place, and the config hash restarts its pods. By default the
      // provider would replace it under another name.
      enableConfigMapMutable: true,
      enableSecretMutable: true,
    },
    {
      transformations: [
        ({ props, opts }) => ({ props: settings.cluster.kubeconfig ? props : without(props, "kubeconfig"), opts }),
      ],
    },
  );
  const stack = new MatrixStack("matrix", { settings, plan: planned, provider }, await loadLayers());
  new DestroyGuard({ settings, after: stack.last, checked: stack.outputs.signingKey });
  return stack.outputs;
}

/**
 * Without a kubeconfig in the settings, the SDK uses the path in KUBECONFIG as the property. The state would then
 * contain a path of the machine that deployed, and previews from other machines would show an update. The provider
 * reads the variable itself, so the property is removed.
 */
function without(props: object, key: string): object {
  return Object.fromEntries(Object.entries(props).filter(([k]) => k !== key));
}
