import type * as k8s from "@pulumi/kubernetes";
import type { Settings } from "./settings/types";
import type { Plan } from "./sizing/types";
import { serviceFqdn } from "./names";

/** What every layer is built from: the settings, the plan, the cluster to talk to. */
export interface StackContext {
  settings: Settings;
  plan: Plan;
  /** The one provider of the cluster; components never make their own. */
  provider: k8s.Provider;
}

/** Complete DNS name of a Service in this stack's cluster. */
export const fqdn = (ctx: { settings: Settings }, service: string, namespace: string): string =>
  serviceFqdn(service, namespace, ctx.settings.cluster.domain);
