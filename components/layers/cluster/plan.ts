/** Demands of operators and add-ons, and the cost of losing the node that announces an address. Pure. */
import type { PlanInput } from "../../core/layer";
import { ingressClassNotes } from "../../domain/ingressClasses";
import { OPERATOR_REQUESTS } from "../../domain/operatorRequests";
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import { MEASURED } from "../../sizing/failures";
import type { FailureCost } from "../../sizing/types";

const R = OPERATOR_REQUESTS;
const PLATFORM: Array<{
  name: string;
  when: (s: Settings) => boolean;
  replicas: number;
  cpu: number;
  memoryMiB: number;
}> = [
  { name: "cloudnative-pg", when: (s) => s.cluster.install.cloudNativePg, ...R.cloudNativePg },
  { name: "barman-cloud", when: (s) => s.cluster.install.barmanPlugin, ...R.barmanPlugin },
  { name: "cert-manager", when: (s) => s.cluster.install.certManager, ...R.certManager },
  { name: "cert-manager-webhook", when: (s) => s.cluster.install.certManager, ...R.certManagerWebhook },
  { name: "cert-manager-cainjector", when: (s) => s.cluster.install.certManager, ...R.certManagerCainjector },
  { name: "metallb-controller", when: (s) => s.cluster.install.metallb, ...R.metallbController },
  { name: "metrics-server", when: (s) => s.cluster.install.metricsServer, ...R.metricsServer },
  { name: "local-path-provisioner", when: (s) => s.cluster.install.localPathProvisioner, ...R.localPathProvisioner },
  { name: "prometheus-operator", when: (s) => s.cluster.install.prometheusOperator, ...R.prometheusOperator },
  // Jobs of a rollout (configuration check, buckets), which never run all at once.
  { name: "jobs", when: () => true, replicas: 1, cpu: 0.05, memoryMiB: 128 },
];

export const clusterDemands = (settings: Settings): Demand[] =>
  PLATFORM.filter((x) => x.when(settings)).map((x) => floating(x.name, x));

export const clusterFailures = ({ plan }: PlanInput): FailureCost[] => [
  {
    failure: "Ingress address: announcing node",
    effect:
      plan.ingress.addresses.length > 1
        ? `new connections to its address (1/${plan.ingress.addresses.length} of the users) fail until another node announces it`
        : "new connections fail until another node announces the address",
    seconds: 8,
    source: `${MEASURED}: last failed request 7.4 s after the cut`,
  },
];

export const clusterNotes = ({ settings }: PlanInput): string[] => [
  ...ingressClassNotes(settings.cluster.ingressClass),
];
