/** Rules that do not apply to some objects of this layer, and why. Pure. */
import { HOST_NETWORK, type RuleException } from "../../core/exceptions";

export const EXCEPTIONS: RuleException[] = [
  {
    rule: "10",
    object: "DaemonSet livekit/livekit",
    what: HOST_NETWORK,
    why: "an SFU sends and receives media on thousands of UDP ports of the host's own address; a Service cannot publish a port range",
  },
];
