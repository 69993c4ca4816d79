import { isIP, isIPv4, isIPv6 } from "node:net";
import { familyOf } from "../../../core/addresses";
import { otherCentres } from "../../../domain/dataCentre";
import { scriptFrom, verbatim } from "../../../core/scripts";
import type { HostSettings, Settings } from "../../../settings/types";
import { PORTS } from "../../../core/names";
import type { HostStep, StepOptions } from "./shell";

/** Ports that are open to any address. */
export interface OpenPort {
  protocol: "tcp" | "udp";
  /** First port. */
  from: number;
  /** Last port; equal to `from` for a single port. */
  to: number;
  /** One phrase, rendered as a comment of the rule. */
  why: string;
}

const one = (protocol: "tcp" | "udp", port: number, why: string): OpenPort => ({ protocol, from: port, to: port, why });

/** Comment of the rule for SSH, whose ports are a set: the host adds those at which its SSH server really listens. */
const SSH = "SSH";

/** The ports of a host that are open to any address, by its roles. SSH is always open, so that access is never lost. */
export function openPorts(settings: Settings, host: HostSettings): OpenPort[] {
  const { turn, rtc, federation } = settings;
  const is = (role: HostSettings["roles"][number]): boolean => host.roles.includes(role);
  return [
    one("tcp", host.ssh.port, SSH),
    ...(is("control-plane") ? [one("tcp", 6443, "Kubernetes API")] : []),
    ...(is("application")
      ? [
          one("tcp", 80, "HTTP"),
          one("tcp", 443, "HTTPS"),
          ...(federation.enabled ? [one("tcp", 8448, "federation")] : []),
        ]
      : []),
    ...(is("call") && turn.enabled
      ? [
          one("tcp", PORTS.turn, "TURN"),
          one("udp", PORTS.turn, "TURN"),
          one("tcp", turn.tlsPort, "TURN over TLS"),
          { protocol: "udp" as const, from: turn.minPort, to: turn.maxPort, why: "TURN relays" },
        ]
      : []),
    ...(is("call") && rtc.enabled
      ? [
          one("tcp", rtc.tcpPort, "media over TCP"),
          { protocol: "udp" as const, from: rtc.udpPortMin, to: rtc.udpPortMax, why: "media" },
        ]
      : []),
  ];
}

/**
 * Addresses and networks that may reach every port: the cluster's machines, its pods, its API servers, and
 * `firewall.trustedCidrs`.
 *
 * @throws Error when a host's address is not an IP address
 */
export function trustedSources(settings: Settings): { v4: string[]; v6: string[] } {
  for (const [i, h] of settings.hosts.entries()) {
    if (!isIP(h.address))
      throw new Error(
        `hosts[${i}].address: ${JSON.stringify(h.address)} is not an IP address. The firewalls of the other hosts admit the cluster's machines by address: give an IPv4 or IPv6 address.`,
      );
  }
  const all = [
    ...new Set([
      ...settings.hosts.map((h) => h.address),
      ...settings.cluster.podCidrs,
      ...settings.networkPolicies.apiServerCidrs,
      ...(settings.firewall?.trustedCidrs ?? []),
    ]),
  ];
  const base = (cidr: string): string => cidr.split("/")[0];
  return { v4: all.filter((c) => isIPv4(base(c))), v6: all.filter((c) => isIPv6(base(c))) };
}

/**
 * The rules for nft. They replace our own table in one transaction and leave all others alone (kube-proxy's, the CNI's,
 * the operator's).
 *
 * @param sshPorts Ports of the SSH server, as nft writes a list
 */
export function firewallRules(settings: Settings, host: HostSettings, sshPorts = String(host.ssh.port)): string {
  const { v4, v6 } = trustedSources(settings);
  const set = (name: string, type: string, elements: string[]): string =>
    `  set ${name} {\n    type ${type}\n    flags interval\n    auto-merge${elements.length ? `\n    elements = { ${elements.join(", ")} }` : ""}\n  }`;
  const ports = openPorts(settings, host)
    .filter((p) => p.why !== SSH)
    .map((p) => `    ${p.protocol} dport ${p.from === p.to ? p.from : `${p.from}-${p.to}`} accept comment "${p.why}"`);
  // Where a host takes the load balancer's traffic itself (kube-proxy with IPVS), it passes this chain.
  const centres = host.roles.includes("database")
    ? otherCentres(settings)
        .flatMap((centre) => centre.stream.from.map((cidr) => ({ name: centre.name, cidr })))
        .map(
          ({ name, cidr }) =>
            `\n    ${familyOf(cidr) === "IPv6" ? "ip6" : "ip"} saddr ${cidr} tcp dport ${PORTS.postgres} accept comment "data centre ${name}"`,
        )
    : [];
  return `# Made by matrix-ha for ${host.name}; ${host.roles.join(", ")}. Replaces its own table only.
table inet matrix_ha {
}
delete table inet matrix_ha
table inet matrix_ha {
${set("trusted4", "ipv4_addr", v4)}
${set("trusted6", "ipv6_addr", v6)}
  set ssh {
    type inet_service
    elements = { ${sshPorts} }
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iif "lo" accept
    meta l4proto { icmp, ipv6-icmp } accept
    udp dport { 68, 546 } accept comment "DHCP"
    ip saddr @trusted4 accept
    ip6 saddr @trusted6 accept
    tcp dport @ssh accept comment "${SSH}"
${ports.join("\n")}${centres.join("")}
  }
}
`;
}

/** Installs the rules and a unit that loads them at boot; removes both when `firewall.enabled` is false. */
export function firewallStep(settings: Settings, host: HostSettings, { root = "" }: StepOptions = {}): HostStep {
  const why =
    "only the ports of the host's roles are open to the world; the cluster's own machines and pods are trusted";
  const rules = `${root}/etc/matrix-ha/firewall.nft`;
  const unit = `${root}/etc/systemd/system/matrix-ha-firewall.service`;
  const follow = `${root}/etc/systemd/system/matrix-ha-ssh-ports`;
  if (settings.firewall?.enabled === false) {
    return {
      name: "firewall",
      why: "switched off in the settings: takes our own rules away and nothing else",
      script: scriptFrom(__dirname, "firewallOff.sh", { RULES: rules, UNIT: unit, FOLLOW: follow }),
    };
  }
  return {
    name: "firewall",
    why,
    script: scriptFrom(__dirname, "firewall.sh", {
      ROOT: root,
      RULES: rules,
      UNIT: unit,
      FOLLOW: follow,
      SSH_PORT: host.ssh.port,
      // Written into the file on the host, where the ports are known.
      TABLE: verbatim(firewallRules(settings, host, "SSH_PORTS_OF_THIS_HOST")),
      SCRIPT: verbatim(scriptFrom(__dirname, "sshFollow.sh", {})),
    }),
  };
}
