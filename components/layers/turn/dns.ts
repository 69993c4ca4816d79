/** DNS records of TURN. Pure. */
import type { DnsRecord, PlanInput } from "../../core/layer";
import { advertised, callHosts } from "../../domain/callHosts";

/** Records of `hostnames.turn`: the address of each call host. */
export const turnRecords = ({ settings }: PlanInput): DnsRecord[] =>
  settings.turn.enabled
    ? [
        {
          name: settings.hostnames.turn,
          addresses: callHosts(settings).map(advertised),
          of: "the call hosts",
          why: "TURN",
        },
      ]
    : [];
