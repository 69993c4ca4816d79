/** What a rule does not apply to, and why. An exception that nothing needs any more fails the tests. */
import type { Exception } from "./types";

const HOST_NETWORK = /^hostNetwork is used$/;
const SINGLE = /^a single replica$/;
const oneOf = (what: string): string =>
  `${what}. Synapse allows one such process and nothing in the database fences a second; \`npm run plan\` names its recovery time`;

export const EXCEPTIONS: Exception[] = [
  // Media and announcements have to be on the machines' own addresses.
  {
    rule: "10",
    object: "DaemonSet coturn/coturn",
    what: HOST_NETWORK,
    why: "TURN relays on thousands of UDP ports of the host's own address; a Service cannot publish a port range",
  },
  {
    rule: "10",
    object: "DaemonSet livekit/livekit",
    what: HOST_NETWORK,
    why: "an SFU sends and receives media on thousands of UDP ports of the host's own address; a Service cannot publish a port range",
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
    why: "the image's own user: its files belong to it, and its makers support no other user",
  },

  // Singletons that Synapse imposes.
  { rule: "12", object: "StatefulSet matrix/synapse-main", what: SINGLE, why: oneOf("the main process") },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-background",
    what: SINGLE,
    why: oneOf("run_background_tasks_on names one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-user-directory",
    what: SINGLE,
    why: oneOf("update_user_directory_from_worker names one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-ephemeral",
    what: SINGLE,
    why: oneOf("the writer of typing (and presence) has to be one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-presence",
    what: SINGLE,
    why: oneOf("the writer of presence has to be one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-account",
    what: SINGLE,
    why: oneOf("the writer of account data and push rules has to be one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-to-device",
    what: SINGLE,
    why: oneOf("the writer of to-device messages has to be one worker"),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-device-lists",
    what: SINGLE,
    why: oneOf(
      "each writer of device lists is the only one for its share of the users: a second would halve what one loss touches, which small stacks do not need",
    ),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-receipts",
    what: SINGLE,
    why: oneOf(
      "each writer of receipts is the only one for its share of the rooms; one only where the overrides ask for it, as on the local stack",
    ),
  },
  {
    rule: "12",
    object: "StatefulSet matrix/synapse-pusher",
    what: SINGLE,
    why: oneOf(
      "each pusher is the only one for its share of the users: a second would halve what one loss touches, which small stacks do not need",
    ),
  },

  // Pods that serve no user requests.
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

  // Reads configurations without acting on them.
  {
    rule: "20",
    object: "Job matrix/synapse-check-config-*",
    what: /^its configuration names .* but there is no edge to /,
    why: "it parses the configurations of all classes and connects to nothing; without edges, the network policies enforce that",
  },
  {
    rule: "15b",
    object: "Job matrix/synapse-check-config-*",
    what: /^\/conf\/email\/email\.yaml is not mounted$/,
    why: "its script checks whether the file exists; it is mounted only if the stack sends e-mail",
  },
  {
    rule: "4",
    object: "Deployment metallb-system/controller",
    what: /^reads Secret metallb-webhook-cert /,
    why: "the controller itself fills this Secret and follows its changes; the stack only creates it empty",
  },
];
