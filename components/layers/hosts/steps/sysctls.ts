import { scriptFrom, verbatim } from "../../../core/scripts";
import type { HostSettings, Settings } from "../../../settings/types";
import { PORTS } from "../../../core/names";
import type { HostStep, StepOptions } from "./shell";

/** A kernel setting. */
export interface Sysctl {
  key: string;
  value: string;
  /** The step fails without it. Others are absent in some kernels and network namespaces: the step only notes that. */
  required?: boolean;
  /** A greater value that the machine already has is kept. @default false */
  atLeast?: boolean;
  /** One phrase, rendered as a comment. */
  why: string;
}

/** Ports from `from` to `to`, both included. */
export interface PortRange {
  from: number;
  to: number;
}

/**
 * Ports in the form in which the kernel prints net.ipv4.ip_local_reserved_ports, so that a second run finds no change.
 */
export function portList(ranges: PortRange[]): string {
  const merged: PortRange[] = [];
  for (const r of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged[merged.length - 1];
    if (last && r.from <= last.to + 1) last.to = Math.max(last.to, r.to);
    else merged.push({ ...r });
  }
  return merged.map((r) => (r.from === r.to ? `${r.from}` : `${r.from}-${r.to}`)).join(",");
}

/** Every port on which TURN and the SFU listen or relay; outgoing connections of the host must not use them. */
export function callPorts(settings: Settings): PortRange[] {
  const one = (port: number): PortRange => ({ from: port, to: port });
  return [
    ...(settings.turn.enabled
      ? [one(PORTS.turn), one(settings.turn.tlsPort), { from: settings.turn.minPort, to: settings.turn.maxPort }]
      : []),
    ...(settings.rtc.enabled
      ? [
          one(PORTS.livekitHttp),
          one(PORTS.livekitMetrics),
          one(settings.rtc.tcpPort),
          { from: settings.rtc.udpPortMin, to: settings.rtc.udpPortMax },
        ]
      : []),
  ];
}

/** Kernel settings of a host, by its roles. */
export function sysctls(settings: Settings, host: HostSettings): Sysctl[] {
  const ipv6 = settings.cluster.ipFamilies.includes("IPv6");
  const is = (...roles: HostSettings["roles"]): boolean => roles.some((r) => host.roles.includes(r));
  const reserved = portList(callPorts(settings));
  return [
    { key: "net.ipv4.ip_forward", value: "1", required: true, why: "pods reach other hosts" },
    {
      key: "net.bridge.bridge-nf-call-iptables",
      value: "1",
      required: true,
      why: "Services work between pods of one host",
    },
    { key: "net.bridge.bridge-nf-call-ip6tables", value: "1", required: ipv6, why: "the same for IPv6" },
    ...(ipv6
      ? [{ key: "net.ipv6.conf.all.forwarding", value: "1", required: true, why: "pods reach other hosts over IPv6" }]
      : []),
    // The kubelet sets these three itself or, with protectKernelDefaults, requires them.
    { key: "vm.overcommit_memory", value: "1", why: "kubelet and Redis (its snapshot forks) want it" },
    { key: "kernel.panic", value: "10", why: "a crashed host comes back by itself" },
    { key: "kernel.panic_on_oops", value: "1", why: "a broken kernel does not linger half alive" },
    {
      key: "fs.inotify.max_user_instances",
      value: "1024",
      atLeast: true,
      why: "128 were too few for kubelet, containerd and their pods (measured)",
    },
    {
      key: "fs.inotify.max_user_watches",
      value: "524288",
      atLeast: true,
      why: "one for each mounted configuration file",
    },
    ...(is("application", "call")
      ? [
          {
            key: "net.netfilter.nf_conntrack_max",
            value: "1048576",
            atLeast: true,
            why: "a long poll is a tracked connection at each hop; a full table drops new ones",
          },
        ]
      : []),
    // Write back in small portions: one flush of many GiB would stall all commits.
    ...(is("database", "storage")
      ? [
          { key: "vm.dirty_background_bytes", value: "268435456", why: "begin to write back at 256 MiB" },
          { key: "vm.dirty_bytes", value: "1073741824", why: "hold writers at 1 GiB" },
        ]
      : []),
    ...(is("call")
      ? [
          // livekit/mediatransportutil pkg/rtcconfig: defaultUDPBufferSize 16,777,216; writeBufferSizeInBytes 4 MiB.
          { key: "net.core.rmem_max", value: "16777216", atLeast: true, why: "the SFU's receive buffer" },
          { key: "net.core.wmem_max", value: "4194304", atLeast: true, why: "the SFU's send buffer" },
          ...(reserved
            ? [
                {
                  key: "net.ipv4.ip_local_reserved_ports",
                  value: reserved,
                  why: "outgoing connections never take a relay's or the SFU's port",
                },
              ]
            : []),
        ]
      : []),
  ];
}

/** Applies the kernel settings, now and at boot. */
export function sysctlsStep(settings: Settings, host: HostSettings, { root = "" }: StepOptions = {}): HostStep {
  const keys = sysctls(settings, host);
  // A leading minus: systemd-sysctl ignores a key that this kernel does not have.
  const file = keys.map((k) => `# ${k.why}\n${k.required ? "" : "-"}${k.key} = ${k.value}`).join("\n");
  const calls = keys
    .map((k) => `key ${k.required ? "required" : "optional"} ${k.atLeast ? "least" : "exact"} ${k.key} ${k.value}`)
    .join("\n");
  return {
    name: "sysctls",
    why: "kernel settings of a Kubernetes node and of the host's roles",
    script: scriptFrom(__dirname, "sysctls.sh", { ROOT: root, FILE: verbatim(file), CALLS: verbatim(calls) }),
  };
}
