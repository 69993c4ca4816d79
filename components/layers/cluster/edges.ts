/** Connections of the operators and the ingress controller. Monitoring declares those for metrics. Pure. */
import { tcp, udp, type Edge, type Peer } from "../../core/edges";
import type { PlanInput } from "../../core/layer";
import { NAMESPACES } from "../../core/names";
import { fromIssuer } from "../../domain/tlsModes";
import { ingressPeer } from "./ingressController/peer";
import { INGRESS_PODS, INGRESS_PORTS } from "./ingressController/nginxIngress";
import { installedOperators } from "./operators/operators";
import { httpAnywhere, httpTo } from "./reach/proxy";
import { tlsNamespaces } from "./tls/publicTls";

const API = tcp(6443);

/** Webhook ports by component; the API server connects to them to have objects checked. */
const WEBHOOKS: Record<string, number> = {
  "cnpg-controller-manager": 9443,
  "metallb-controller": 9443,
  "cert-manager-webhook": 10250,
};

/** The connections of this layer. */
export function clusterEdges({ settings }: PlanInput): Edge[] {
  const operators = installedOperators(settings).flatMap((o) =>
    Object.values(o.workloads)
      // kube-system does not belong to this stack, so it has no policies. The speakers use the nodes' network.
      .filter((w) => o.namespace !== NAMESPACES.kubeSystem && w.replicas !== "daemon")
      .flatMap((w): Edge[] => {
        const self: Peer = { component: w.component, namespace: o.namespace };
        const webhook = WEBHOOKS[w.component];
        return [
          { from: self, to: { apiServer: true }, ports: API, why: "the objects that it manages" },
          ...(webhook
            ? [{ from: { apiServer: true } as Peer, to: self, ports: tcp(webhook), why: "checks of new objects" }]
            : []),
        ];
      }),
  );
  return [
    ...operators,
    ...barmanEdges(settings.cluster.install),
    ...acmeEdges({ settings }),
    ...controllerEdges({ settings }),
  ];
}

function barmanEdges(install: PlanInput["settings"]["cluster"]["install"]): Edge[] {
  if (!install.barmanPlugin || !install.cloudNativePg) return [];
  return [
    {
      from: { component: "cnpg-controller-manager", namespace: NAMESPACES.cnpg },
      to: { component: "barman-cloud", namespace: NAMESPACES.cnpg },
      ports: tcp(9090),
      why: "asks the backup plugin what its instances need",
    },
  ];
}

function acmeEdges({ settings }: Pick<PlanInput, "settings">): Edge[] {
  if (!fromIssuer(settings.tls)) return [];
  const manager: Peer = { component: "cert-manager", namespace: NAMESPACES.certManager };
  const inDns = settings.tls.mode === "acme" && settings.tls.dns01 !== undefined;
  const challenges: Edge[] = inDns
    ? [
        ...httpAnywhere({ from: manager, ports: tcp(443), why: "writes the challenge at the DNS provider" }, settings),
        {
          from: manager,
          to: { world: true },
          ports: [...tcp(53), ...udp(53)],
          why: "sees that a challenge is in DNS before the issuer looks",
        },
      ]
    : [
        ...httpAnywhere({ from: manager, ports: tcp(443), why: "follows a challenge that is redirected" }, settings),
        ...httpAnywhere(
          { from: manager, ports: tcp(80), why: "sees that a challenge is answered before the issuer looks" },
          settings,
        ),
      ];
  const orders: Edge[] = [
    ...(settings.tls.mode === "acme"
      ? [{ from: manager, ...httpTo(settings.tls.server, settings), why: "orders certificates" }]
      : []),
    ...challenges,
  ];
  return [
    ...(settings.cluster.install.certManager ? orders : []),
    // The solvers run beside the Ingress objects, in namespaces of this stack, whoever installed cert-manager.
    ...(inDns ? [] : tlsNamespaces(settings))
      .filter((n) => n !== NAMESPACES.coturn)
      .map((namespace): Edge => ({
        from: ingressPeer(settings),
        to: { labels: { "acme.cert-manager.io/http01-solver": "true" }, namespace, label: "acme-solver" },
        ports: tcp(8089),
        why: "the issuer's challenge",
      })),
  ];
}

function controllerEdges({ settings }: Pick<PlanInput, "settings">): Edge[] {
  if (!settings.cluster.install.ingressController) return [];
  const self = INGRESS_PODS;
  return [
    {
      from: { world: true },
      to: self,
      ports: tcp(INGRESS_PORTS.http, INGRESS_PORTS.https),
      why: "clients and other servers",
    },
    { from: self, to: { apiServer: true }, ports: API, why: "Ingress objects, endpoints and certificates" },
  ];
}
