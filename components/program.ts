/** The stack's program: settings in, layers composed, outputs out. index.ts runs it under the engine, the tools in process. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { settingsFromConfig } from "./settings/fromConfig";
import type { StackOutputInputs } from "./outputs";
import { plan, PlanInvalid } from "./sizing";
import type { Settings } from "./settings/types";
import { MatrixStack } from "./stack";

export async function program(): Promise<StackOutputInputs> {
  // Both throw before anything is registered, with every error at once.
  const settings = settingsFromConfig();
  const planned = planOrExplain(settings);
  const provider = new k8s.Provider("cluster", {
    // The cluster is known by this name for good: a renewed kubeconfig is no other cluster.
    clusterIdentifier: settings.instance,
    ...(settings.cluster.kubeconfig ? { kubeconfig: pulumi.secret(settings.cluster.kubeconfig) } : {}),
    ...(settings.cluster.context ? { context: settings.cluster.context } : {}),
    enableServerSideApply: true,
    // A changed configuration is an update that the config hash rolls out, not a replacement under another name.
    enableConfigMapMutable: true, enableSecretMutable: true,
  });
  const stack = new MatrixStack("matrix", { settings, plan: planned, provider });
  return stack.outputs;
}

function planOrExplain(settings: Settings): ReturnType<typeof plan> {
  try {
    return plan(settings);
  } catch (error) {
    // The engine prints a RunError's message alone.
    if (error instanceof PlanInvalid) throw new pulumi.RunError(error.message);
    throw error;
  }
}
