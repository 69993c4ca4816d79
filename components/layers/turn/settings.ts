/** Settings of TURN. Pure. */
import { bool, cidr, list, port, section } from "../../schema/fields";
import { cpu, memoryMiB } from "../../schema/sizes";

export const turnSettings = {
  acceptOneCallHost: bool({
    doc: "Calls may run on one host, and stop while it is away. For deployments with one public address: its router forwards the ports of TURN and of the SFU to that host, whose `publicAddress` it is.",
  }).default(false),
  turn: section(
    {
      enabled: bool({ doc: "coturn on the `call` hosts, for one-to-one calls behind NAT." }).default(true),
      minPort: port({ doc: "First UDP relay port." }).default(49_152),
      maxPort: port({
        doc: "Last UDP relay port. The range must not overlap the SFU's: both use the hosts' network.",
      }).default(55_000),
      tlsPort: port({ doc: "Port of TURN over TLS." }).default(5349),
      allowedPrivateCidrs: list(cidr({ doc: "Network." }), {
        doc: "Private networks that TURN may relay to. It denies all others, so that callers cannot use it to enter your network.",
      }).default([]),
    },
    { doc: "TURN." },
  ).prefault({}),
};

export const turnOverrides = {
  turn: section({ cpu: cpu(), memoryMiB: memoryMiB() }, { doc: "coturn; one pod on each call host." }).prefault({}),
};
