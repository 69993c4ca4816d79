/** What a rule does not apply to, and why. An exception that nothing needs any more fails the tests. */
import { NAMESPACES, synapseService } from "../components/core/names";
import { whyAlone, WORKER_CLASSES } from "../components/domain/workerClasses";
import type { Exception } from "./types";

const HOST_NETWORK = /^hostNetwork is used$/;
const SINGLE = /^a single replica$/;
const oneOf = (what: string): string =>
  `${what}. Synapse allows one such process and nothing in the database fences a second; \`npm run plan\` names its recovery time`;

/** Singletons that Synapse imposes, and such as are enough: by the table of the classes. */
function singleProcesses(): Exception[] {
  return WORKER_CLASSES.flatMap((cls): Exception[] => {
    const why = whyAlone(cls);
    return why === undefined
      ? []
      : [
          {
            rule: "12",
            object: `StatefulSet ${NAMESPACES.matrix}/${synapseService(cls)}`,
            what: SINGLE,
            why: oneOf(why),
          },
        ];
  });
}

export const EXCEPTIONS: Exception[] = [
  // Media and announcements have to be on the machines' own addresses.
  {
    rule: "10",
    object: "DaemonSet coturn/coturn",
    what: HOST_NETWORK,
    why: "TURN relays on thousands of UDP ports of the host's own address; a Service can publish no port range",
  },
  {
    rule: "10",
    object: "DaemonSet livekit/livekit",
    what: HOST_NETWORK,
    why: "an SFU sends and receives media on thousands of UDP ports of the host's own address; a Service can publish no port range",
  },
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
    rule: "10",
    object: "DaemonSet coturn/coturn",
    what: /^container coturn: adds capability NET_BIND_SERVICE$/,
    why: "the image's program carries this file capability and does not start without it in the bounding set; Pod Security `restricted` allows it",
  },
  {
    rule: "10",
    object: "Deployment nginx-ingress/nginx-ingress",
    what: /^container nginx-ingress: adds capability NET_BIND_SERVICE$/,
    why: "the image's programs carry this file capability and do not start without it; Pod Security `restricted` allows it",
  },
  {
    rule: "10",
    object: "Deployment nginx-ingress/nginx-ingress",
    what: /^(runAsUser|runAsGroup|fsGroup) is 101$/,
    why: "the image's own user: its files belong to it, and no other user is supported by its makers",
  },

  ...singleProcesses(),

  // What serves no user's request.
  {
    rule: "12",
    object: "Deployment metallb-system/controller",
    what: SINGLE,
    why: "it has no leader election; addresses that are assigned stay announced by the speakers without it",
  },
  {
    rule: "12",
    object: "Deployment cnpg-system/barman-cloud",
    what: SINGLE,
    why: "it serves its API only as leader: a second replica would never be ready; archiving goes on in the instances' sidecars without it",
  },
  {
    rule: "12",
    object: "Deployment local-path-storage/local-path-provisioner",
    what: SINGLE,
    why: "it has no leader election; only making new volumes waits for it",
  },
  {
    rule: "12",
    object: "Deployment monitoring/prometheus-operator",
    what: SINGLE,
    why: "it has no leader election; Prometheus and Alertmanager run on without it",
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
    why: "it only shows what the two Prometheus hold, and everything in it is generated: it can start again anywhere",
  },

  // What reads configurations without doing what they say.
  {
    rule: "20",
    object: "Job matrix/synapse-check-config-*",
    what: /^its configuration names .* but there is no edge to /,
    why: "it parses the configurations of all classes and connects to nothing; without edges the network policies hold it to that",
  },
  {
    rule: "15b",
    object: "Job matrix/synapse-check-config-*",
    what: /^\/conf\/email\/email\.yaml is mounted nowhere$/,
    why: "its script looks whether the file is there; it is mounted where the stack sends e-mail",
  },
  {
    rule: "4",
    object: "Deployment metallb-system/controller",
    what: /^reads Secret metallb-webhook-cert /,
    why: "the controller itself fills this Secret and follows its changes; the stack only makes it empty",
  },
];
