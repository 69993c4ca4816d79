import type * as k8s from "@pulumi/kubernetes";
import type { Settings } from "../settings/types";
import type { Plan } from "../sizing/types";
import { serviceFqdn } from "./names";

/** What every layer is built from. */
export interface StackContext {
  /** The stack's settings, complete and checked. */
  settings: Settings;
  /** The sizes that follow from the settings. */
  plan: Plan;
  /** The only provider of the cluster; components never create their own. */
  provider: k8s.Provider;
}

/**
 * The name under which the API server records the fields that this stack sets. It is the same for the whole stack and
 * never changes, so the stack still owns what it created before a killed `up` or a lost state. The provider's default
 * is a random name for each resource; those would conflict with each other.
 */
export const fieldManager = (settings: Settings): string => `matrix-ha-${settings.instance}`;

/**
 * Complete DNS name of a Service in this stack's cluster.
 *
 * @example
 *   fqdn(ctx, "haproxy", "matrix"); // haproxy.matrix.svc.cluster.local
 */
export const fqdn = (ctx: { settings: Settings }, service: string, namespace: string): string =>
  serviceFqdn(service, namespace, ctx.settings.cluster.domain);
