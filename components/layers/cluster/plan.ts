/** Demands of operators and add-ons, and the cost of losing the node that announces an address. Pure. */
import type { PlanInput } from "../../core/layer";
import { DISTRIBUTION_FACTS } from "../../domain/distributions";
import { proxyNotes } from "./reach/proxy";
import { privateCertificateNotes } from "./tls/checks";
import { ingressClassNotes } from "../../domain/ingressClasses";
import { OPERATOR_REQUESTS } from "../../domain/operatorRequests";
import type { Settings } from "../../settings/types";
import { floating, type Demand } from "../../sizing/demands";
import { MEASURED } from "../../sizing/failures";
import type { FailureCost, ZoneEffect } from "../../sizing/types";
import type { LostZone } from "../../sizing/zones";

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
  ...distributionNotes(settings),
  ...ingressClassNotes(settings.cluster.ingressClass),
  ...privateCertificateNotes(settings),
  ...proxyNotes(settings),
  ...(settings.tls.mode === "issuer" && settings.cluster.install.ingressController
    ? [
        `If the issuer ${settings.tls.clusterIssuer} solves challenges by HTTP-01, give its solver the ingressTemplate annotation nginx.org/mergeable-ingress-type: minion; the stack's controller refuses a second Ingress for a host without it. DNS-01 needs nothing.`,
      ]
    : []),
];

/** What the distribution must be installed without, and what cannot be checked on it. */
function distributionNotes({ cluster }: Settings): string[] {
  const facts = DISTRIBUTION_FACTS[cluster.distribution];
  return [
    ...facts.inTheWay.map((b) => `Install ${facts.title} with \`${b.how}\`, without ${b.what}: ${b.why}.`),
    ...(cluster.install.metricsServer && cluster.kubeletCertificates === "self-signed"
      ? [
          `metrics-server accepts any certificate of the kubelets, because those of ${facts.title} sign their own: who can take over a node's address could send it false figures and read its token, which may list nodes and pods. With signed ones (serverTLSBootstrap) set cluster.kubeletCertificates: cluster-ca.`,
        ]
      : []),
  ];
}

/** The addresses: another node announces those of a lost one. */
export function clusterZoneLoss({ settings }: PlanInput, zone: LostZone): ZoneEffect[] {
  if (!settings.cluster.install.metallb || !zone.lost.some((h) => h.roles.includes("application"))) return [];
  const left = zone.left.some((h) => h.roles.includes("application"));
  const part = "ingress address";
  return left
    ? [
        {
          part,
          outcome: "recovers",
          effect: "new connections fail until a node elsewhere announces it; the zones must share the layer 2 network",
          seconds: 8,
          source: `${MEASURED} with one node: last failed request 7.4 s after the cut`,
        },
      ]
    : [
        {
          part,
          outcome: "stops",
          effect: "no node is left that announces it",
          seconds: 0,
          source: "all application hosts are there",
          remedy: "Put application hosts into several zones",
        },
      ];
}
