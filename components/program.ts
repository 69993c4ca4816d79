/**
 * The stack's program: settings in, layers composed, outputs out. index.ts runs it under the engine, the tools in
 * process.
 */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { hideResponsesInDebugLog } from "./core/debugLog";
import { DestroyGuard } from "./keys/DestroyGuard";
import { MessageOnly } from "./core/messageOnly";
import { endWhenOrphaned } from "./core/orphaned";
import { SettingsInvalid } from "./core/errors";
import { settingsFromConfig } from "./settings/fromConfig";
import type { StackOutputInputs } from "./outputs";
import { plan, type Plan } from "./plan";
import type { Settings } from "./settings/types";
import { loadLayers, MatrixStack } from "./stack";

export async function program(): Promise<StackOutputInputs> {
  endWhenOrphaned();
  hideResponsesInDebugLog();
  // Both throw before anything is registered, with every error at once.
  const settings = settingsFromConfig();
  const planned = planOrExplain(settings);
  const provider = new k8s.Provider(
    "cluster",
    {
      // The cluster is known by this name for good: a renewed kubeconfig is no other cluster.
      clusterIdentifier: settings.instance,
      ...(settings.cluster.kubeconfig ? { kubeconfig: pulumi.secret(settings.cluster.kubeconfig) } : {}),
      ...(settings.cluster.context ? { context: settings.cluster.context } : {}),
      enableServerSideApply: true,
      // What is to be created and exists is taken over: it is this stack's own, or cluster/Ownership refuses it. Since
      // 4.29 the provider refuses everything that exists, and an `up` after a killed one would never get on.
      upsertExistingObjects: true,
      // A changed configuration is an update that the config hash rolls out, not a replacement under another name.
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
 * Where no kubeconfig is set, the SDK puts the path in KUBECONFIG in its place, and the state would know the machine
 * that deployed: from another one every preview would show an update. The provider reads the variable by itself.
 */
function without(props: object, key: string): object {
  return Object.fromEntries(Object.entries(props).filter(([k]) => k !== key));
}

function planOrExplain(settings: Settings): Plan {
  try {
    return plan(settings);
  } catch (error) {
    if (error instanceof SettingsInvalid) throw new MessageOnly(error.message);
    throw error;
  }
}
