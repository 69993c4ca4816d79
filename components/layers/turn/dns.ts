/** DNS records of TURN. Pure. */
import type { DnsRecord, PlanInput } from "../../core/layer";
import { turnHasTls } from "../../domain/calls";
import { advertised, callHosts } from "../../domain/callHosts";

/** TURN without TLS goes to addresses, so the name is needed with TLS only. */
export const turnRecords = ({ settings }: PlanInput): DnsRecord[] =>
  settings.turn.enabled && turnHasTls(settings)
    ? [
        {
          name: settings.hostnames.turn,
          addresses: callHosts(settings).map(advertised),
          of: "the call hosts",
          why: "TURN over TLS",
        },
      ]
    : [];
