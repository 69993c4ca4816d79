/** Checks of the ports on call hosts: TURN and the SFU share the hosts' network with everything else there. */
import type { CheckInput } from "../../core/layer";
import { PORTS } from "../../core/names";

const NODE_PORTS = { from: 30_000, to: 32_767 };
/** TCP ports on which other programs of a node listen. */
const TAKEN: Record<number, string> = {
  [PORTS.turn]: "TURN",
  [PORTS.livekitHttp]: "the SFU's signalling",
  [PORTS.livekitMetrics]: "the SFU's metrics",
  2379: "etcd",
  2380: "etcd",
  6443: "the Kubernetes API",
  7472: "MetalLB's metrics",
  7946: "MetalLB",
  9100: "the node exporter",
  10_250: "the kubelet",
  10_256: "kube-proxy",
};
/** Fewest ports of a useful range: every relayed participant takes one or two. */
const LEAST_PORTS = 100;

interface Range {
  path: string;
  minPath: string;
  maxPath: string;
  from: number;
  to: number;
  program: string;
}

export function checkCalls(given: CheckInput): void {
  const { turn, rtc } = given.settings;
  const ranges: Range[] = [
    ...(turn.enabled
      ? [
          {
            path: "turn",
            minPath: "turn.minPort",
            maxPath: "turn.maxPort",
            from: turn.minPort,
            to: turn.maxPort,
            program: "TURN",
          },
        ]
      : []),
    ...(rtc.enabled
      ? [
          {
            path: "rtc",
            minPath: "rtc.udpPortMin",
            maxPath: "rtc.udpPortMax",
            from: rtc.udpPortMin,
            to: rtc.udpPortMax,
            program: "the SFU",
          },
        ]
      : []),
  ];
  ranges.forEach((range) => checkRange(given, range));
  checkDisjoint(given, ranges);
  checkTcp(given, ranges);
}

function checkRange({ report }: CheckInput, range: Range): void {
  const given = `${range.from} to ${range.to}`;
  if (range.to < range.from)
    report.add(
      {
        path: range.maxPath,
        given,
        allowed: `a last port that is not smaller than the first (${range.minPath})`,
        remedy: "swap the two",
      },
      [range.minPath],
    );
  else if (range.to - range.from + 1 < LEAST_PORTS)
    report.add(
      {
        path: range.maxPath,
        given: `${given}: ${range.to - range.from + 1} ports`,
        allowed: `at least ${LEAST_PORTS} ports: every relayed participant takes one or two`,
        remedy: "widen the range",
      },
      [range.minPath],
    );
  if (range.from <= NODE_PORTS.to && range.to >= NODE_PORTS.from) {
    report.add(
      {
        path: range.minPath,
        given,
        allowed: `ports outside ${NODE_PORTS.from} to ${NODE_PORTS.to}, which Kubernetes assigns to node ports`,
        remedy: `begin above ${NODE_PORTS.to}, for example at 49152`,
      },
      [range.maxPath],
    );
  }
  if (range.from < 1024)
    report.add({
      path: range.minPath,
      given: String(range.from),
      allowed: "ports from 1024 up: the processes are unprivileged",
      remedy: "begin at 49152",
    });
  if (range.from <= PORTS.turn && range.to >= PORTS.turn)
    report.add(
      {
        path: range.minPath,
        given,
        allowed: `a range that does not contain ${PORTS.turn}, where TURN listens`,
        remedy: "begin at 49152",
      },
      [range.maxPath],
    );
}

function checkDisjoint({ report }: CheckInput, [a, b]: Range[]): void {
  if (!a || !b || a.from > b.to || b.from > a.to) return;
  const shared = `${Math.max(a.from, b.from)} to ${Math.min(a.to, b.to)}`;
  report.add(
    {
      path: b.minPath,
      given: `${b.from} to ${b.to} for ${b.program}, ${a.from} to ${a.to} for ${a.program}: both contain ${shared}`,
      allowed: "ranges that share no port: both listen on the network of the same hosts",
      remedy: `begin at ${a.to + 1} (rtc.udpPortMin), or end TURN's range at ${b.from - 1} (turn.maxPort)`,
    },
    [a.minPath, a.maxPath, b.maxPath],
  );
}

function checkTcp({ settings, report }: CheckInput, ranges: Range[]): void {
  const { turn, rtc, hosts } = settings;
  const taken: Record<number, string> = {
    ...TAKEN,
    ...Object.fromEntries(hosts.filter((h) => h.roles.includes("call")).map((h) => [h.ssh.port, `SSH of ${h.name}`])),
  };
  const ports = [
    ...(turn.enabled ? [{ path: "turn.tlsPort", port: turn.tlsPort }] : []),
    ...(rtc.enabled ? [{ path: "rtc.tcpPort", port: rtc.tcpPort }] : []),
  ];
  for (const { path, port } of ports) {
    const program = taken[port];
    if (program)
      report.add({
        path,
        given: String(port),
        allowed: `a port that is free on the call hosts; ${port} is taken by ${program}`,
        remedy: `leave it out for the default (${path === "turn.tlsPort" ? PORTS.turnTls : PORTS.livekitTcp})`,
      });
    if (port >= NODE_PORTS.from && port <= NODE_PORTS.to)
      report.add({
        path,
        given: String(port),
        allowed: `a port outside ${NODE_PORTS.from} to ${NODE_PORTS.to}, which Kubernetes assigns to node ports`,
        remedy: "choose another port",
      });
    for (const range of ranges) {
      if (port >= range.from && port <= range.to)
        report.add(
          {
            path,
            given: String(port),
            allowed: `a port outside ${range.from} to ${range.to}, the range of ${range.program}`,
            remedy: "choose another port, or move the range",
          },
          [range.minPath, range.maxPath],
        );
    }
  }
  if (turn.enabled && rtc.enabled && turn.tlsPort === rtc.tcpPort) {
    report.add(
      {
        path: "rtc.tcpPort",
        given: String(rtc.tcpPort),
        allowed: "a port other than turn.tlsPort: both listen on the same hosts",
        remedy: `leave both out: ${PORTS.turnTls} and ${PORTS.livekitTcp}`,
      },
      ["turn.tlsPort"],
    );
  }
}
