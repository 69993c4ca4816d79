/** Rules that do not apply to some objects of this layer, and why. Pure. */
import { HOST_NETWORK, type RuleException } from "../../core/exceptions";

export const EXCEPTIONS: RuleException[] = [
  {
    rule: "10",
    object: "DaemonSet coturn/coturn",
    what: HOST_NETWORK,
    why: "TURN relays on thousands of UDP ports of the host's own address; a Service cannot publish a port range",
  },
  {
    rule: "10",
    object: "DaemonSet coturn/coturn",
    what: /^container coturn: adds capability NET_BIND_SERVICE$/,
    why: "the image's program carries this file capability and does not start without it in the bounding set; Pod Security `restricted` allows it",
  },
];
