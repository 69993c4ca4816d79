/** What every other layer needs in the cluster: namespaces, operators, classes, certificates, network policies. */
import type { Layer } from "../../core/layer";
import { clusterAlerts } from "./alerts";
import { checkCluster } from "./checks";
import { clusterEdges } from "./edges";
import { EXCEPTIONS } from "./exceptions";
import { IMAGES } from "./images";
import { clusterDemands, clusterFailures, clusterNotes, clusterZoneLoss } from "./plan";
import { checkHostAliases } from "./reach/hostAliases";
import { checkProxy } from "./reach/proxy";
import { clusterSettings, completeCluster, type ClusterCompleted } from "./settings";
import { clusterTargets } from "./targets";
import { checkTls } from "./tls/checks";

interface Declares {
  settings: typeof clusterSettings;
  completed: ClusterCompleted;
  images: typeof IMAGES;
}

export const cluster: Layer<Declares> = {
  name: "cluster",
  settings: clusterSettings,
  complete: completeCluster,
  checks: [checkCluster, checkTls, checkHostAliases, checkProxy],
  demands: clusterDemands,
  failures: clusterFailures,
  zoneLoss: clusterZoneLoss,
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
  exceptions: EXCEPTIONS,
  component: () => import("./deploy"),
};
