/** Probes with every threshold written out, addressed by port name; a delay only where there is one. Pure. */
export interface ProbeTiming {
  periodSeconds: number;
  timeoutSeconds: number;
  failureThreshold: number;
  successThreshold?: number;
  initialDelaySeconds?: number;
}

export type ProbeAction =
  { http: string; port: string; scheme?: "HTTP" | "HTTPS" } | { tcp: string } | { exec: string[] };

export interface Probes {
  startup: ProbeAction & { timing?: ProbeTiming };
  readiness: ProbeAction & { timing?: ProbeTiming };
  liveness: ProbeAction & { timing?: ProbeTiming };
}

/** Three minutes to start; a cold first start with a schema to create took 65 s on two shared cores. */
export const STARTUP: ProbeTiming = { periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 90 };
/** Out of rotation after 6 s: a router's own checks are faster, this one is for Services. */
export const READINESS: ProbeTiming = { periodSeconds: 3, timeoutSeconds: 3, failureThreshold: 2 };
/** Restarted after a minute without an answer: slow is not dead. */
export const LIVENESS: ProbeTiming = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 };

/** A probe as a container has it. */
interface ContainerProbe extends ProbeTiming {
  httpGet?: { path: string; port: string; scheme: string; host?: string };
  tcpSocket?: { port: string };
  exec?: { command: string[] };
}

function action(p: ProbeAction, host?: string): Pick<ContainerProbe, "httpGet" | "tcpSocket" | "exec"> {
  if ("http" in p)
    return { httpGet: { path: p.http, port: p.port, scheme: p.scheme ?? "HTTP", ...(host ? { host } : {}) } };
  if ("tcp" in p) return { tcpSocket: { port: p.tcp } };
  return { exec: { command: p.exec } };
}

/** @param host of HTTP probes, where a process on the node's network listens on localhost only; default: the pod */
export function renderProbes(
  p: Probes,
  host?: string,
): Record<"startupProbe" | "readinessProbe" | "livenessProbe", ContainerProbe> {
  const probe = (a: ProbeAction & { timing?: ProbeTiming }, fallback: ProbeTiming): ContainerProbe => {
    const t = a.timing ?? fallback;
    return {
      ...action(a, host),
      ...(t.initialDelaySeconds ? { initialDelaySeconds: t.initialDelaySeconds } : {}),
      periodSeconds: t.periodSeconds,
      timeoutSeconds: t.timeoutSeconds,
      failureThreshold: t.failureThreshold,
      successThreshold: t.successThreshold ?? 1,
    };
  };
  return {
    startupProbe: probe(p.startup, STARTUP),
    readinessProbe: probe(p.readiness, READINESS),
    livenessProbe: probe(p.liveness, LIVENESS),
  };
}

const allThree = (a: ProbeAction): Probes => ({ startup: a, readiness: a, liveness: a });

/** The same HTTP path for all three, where a program has just one. */
export const httpProbes = (path: string, port: string, scheme?: "HTTPS"): Probes =>
  allThree({ http: path, port, ...(scheme ? { scheme } : {}) });

/** That a port takes connections, where a program has nothing else to ask. */
export const tcpProbes = (port: string): Probes => allThree({ tcp: port });
