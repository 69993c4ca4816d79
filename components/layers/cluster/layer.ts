/** What every layer stands on in the cluster: namespaces, operators, classes, certificates, network policies. */
import type { Layer } from "../../core/layer";
import { clusterAlerts } from "./alerts";
import { checkCluster } from "./checks";
import { ClusterFoundation } from "./ClusterFoundation";
import { clusterEdges } from "./edges";
import { IMAGES } from "./images";
import { clusterDemands, clusterFailures, clusterNotes } from "./plan";
import { NetworkPolicies } from "./policies/NetworkPolicies";
import { clusterSettings, completeCluster, type ClusterCompleted } from "./settings";
import { clusterTargets } from "./targets";
import { checkTls } from "./tls/checks";
import { allEdges } from "../../core/edges";
import { Hosts } from "../hosts/Hosts";

export const cluster: Layer<{ settings: typeof clusterSettings; completed: ClusterCompleted; images: typeof IMAGES }> =
  {
    name: "cluster",
    settings: clusterSettings,
    complete: completeCluster,
    checks: [checkCluster, checkTls],
    demands: clusterDemands,
    failures: clusterFailures,
    notes: clusterNotes,
    images: IMAGES,
    edges: clusterEdges,
    targets: clusterTargets,
    alerts: clusterAlerts,
    pods: [
      "cnpg-controller-manager",
      "barman-cloud",
      "metallb-*",
      "metrics-server",
      "cert-manager*",
      "cnpg-system/",
      "kube-system/",
      "local-path-storage/",
    ],
    deploy({ ctx, layers, self: parent, get }) {
      const cluster = new ClusterFoundation("cluster", { ctx, after: get(Hosts).ready }, { parent });
      const edges = allEdges({ ...ctx, layers });
      return [cluster, new NetworkPolicies("policies", { ctx, edges, after: cluster.basics }, { parent })];
    },
  };
