/** Rules that do not apply to some objects of this layer, and why. Pure. */
import { HOST_NETWORK, SINGLE, type RuleException } from "../../core/exceptions";

export const EXCEPTIONS: RuleException[] = [
  {
    rule: "10",
    object: "DaemonSet metallb-system/speaker",
    what: HOST_NETWORK,
    why: "it answers ARP and NDP for the public addresses on the host's own links",
  },
  {
    rule: "10",
    object: "DaemonSet metallb-system/speaker",
    what: /^container speaker: adds capability NET_RAW$/,
    why: "ARP and NDP answers are raw packets",
  },
  {
    rule: "10",
    object: "DaemonSet metallb-system/speaker",
    what: /^(runAsNonRoot is not true|(runAsUser|runAsGroup|fsGroup) is not set)$/,
    why: "raw sockets need the capability in the process's effective set, which only root has here: the program carries no file capability",
  },
  {
    rule: "10",
    object: "Deployment nginx-ingress/nginx-ingress*",
    what: /^container nginx-ingress: adds capability NET_BIND_SERVICE$/,
    why: "the image's programs carry this file capability and do not start without it; Pod Security `restricted` allows it",
  },
  {
    rule: "10",
    object: "Deployment nginx-ingress/nginx-ingress*",
    what: /^(runAsUser|runAsGroup|fsGroup) is 101$/,
    why: "the image's own user: its files belong to it, and its makers support no other user",
  },
  {
    rule: "12",
    object: "Deployment metallb-system/controller",
    what: SINGLE,
    why: "it has no leader election; without it, the speakers keep announcing assigned addresses",
  },
  {
    rule: "12",
    object: "Deployment cnpg-system/barman-cloud",
    what: SINGLE,
    why: "it serves its API only as leader: a second replica would never be ready; without it, archiving continues in the instances' sidecars",
  },
  {
    rule: "12",
    object: "Deployment local-path-storage/local-path-provisioner",
    what: SINGLE,
    why: "it has no leader election; only the creation of new volumes waits for it",
  },
  {
    rule: "12",
    object: "Deployment monitoring/prometheus-operator",
    what: SINGLE,
    why: "it has no leader election; Prometheus and Alertmanager keep running without it",
  },
  {
    rule: "4",
    object: "Deployment metallb-system/controller",
    what: /^reads Secret metallb-webhook-cert /,
    why: "the controller itself fills this Secret and follows its changes; the stack only creates it empty",
  },
  {
    rule: "10b",
    object: "DaemonSet metallb-system/speaker",
    what: /^(container speaker: runAsNonRoot|runAsNonRoot|fsGroupChangePolicy) is not set$/,
    why: "it runs as root, see rule 10",
  },
];
