/** Rules that do not apply to some objects of this layer, and why. Pure. */
import { HOST_NETWORK, SINGLE, type RuleException } from "../../core/exceptions";

export const EXCEPTIONS: RuleException[] = [
  {
    rule: "10",
    object: "DaemonSet monitoring/node-exporter",
    what: HOST_NETWORK,
    why: "it reports the host's network interfaces, which a pod's own network namespace hides",
  },
  {
    rule: "10",
    object: "DaemonSet monitoring/node-exporter",
    what: /^hostPath \/$/,
    why: "it reports the host's file systems; mounted read-only",
  },
  {
    rule: "12",
    object: "Deployment monitoring/kube-state-metrics",
    what: SINGLE,
    why: "it is stateless and each replica reports the whole cluster: two would report everything twice. An alert fires while it is away",
  },
  {
    rule: "12",
    object: "Deployment monitoring/grafana",
    what: SINGLE,
    why: "it only shows the data of the two Prometheus, and all of its content is generated: it can start again anywhere",
  },
  {
    rule: "10b",
    object: "Prometheus monitoring/prometheus",
    what: /^fsGroupChangePolicy is not set$/,
    why: "all files in its volumes are its own: no owner changes at a start, and setting the field would restart it",
  },
  {
    rule: "10b",
    object: "Alertmanager monitoring/alertmanager",
    what: /^fsGroupChangePolicy is not set$/,
    why: "all files in its volumes are its own: no owner changes at a start, and setting the field would restart it",
  },
];
