import type * as k8s from "@pulumi/kubernetes";
import type { Settings } from "../settings/types";
import type { Plan } from "../sizing/types";
import { serviceFqdn } from "./names";

/** What every layer is built from: the settings, the plan, the cluster to talk to. */
export interface StackContext {
  settings: Settings;
  plan: Plan;
  /** The one provider of the cluster; components never make their own. */
  provider: k8s.Provider;
}

/**
 * Under this name the API server knows the fields that this stack sets. One for the whole stack, and always the same:
 * what a killed `up` or a lost state made is then still its own, where the provider's own names, one at random for each
 * resource, would be in conflict with each other.
 */
export const fieldManager = (settings: Settings): string => `matrix-ha-${settings.instance}`;

/** Complete DNS name of a Service in this stack's cluster. */
export const fqdn = (ctx: { settings: Settings }, service: string, namespace: string): string =>
  serviceFqdn(service, namespace, ctx.settings.cluster.domain);
