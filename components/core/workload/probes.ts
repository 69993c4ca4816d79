/** Probes, addressed by port name, with every threshold written out. Pure. */

/** When a probe runs, and when it counts. */
export interface ProbeTiming {
  /** Seconds from one probe to the next. */
  periodSeconds: number;
  /** Seconds without an answer that count as a failure. */
  timeoutSeconds: number;
  /** Failures in a row that have an effect. */
  failureThreshold: number;
  /** Successes in a row that have an effect; startup and liveness allow only 1. @default 1 */
  successThreshold?: number;
  /** Seconds from the container's start to the first probe. @default 0 */
  initialDelaySeconds?: number;
}

/**
 * What a probe does: an HTTP request to a path, a TCP connection, or a command in the container. Ports are named.
 *
 * @example { http: "/health", port: "http" }
 */
export type ProbeAction =
  { http: string; port: string; scheme?: "HTTP" | "HTTPS" } | { tcp: string } | { exec: string[] };

/** The three probes of a container. */
export interface Probes {
  /** Until it succeeds the others do not run; if it fails, the container is restarted. @default timing STARTUP */
  startup: ProbeAction & { timing?: ProbeTiming };
  /** While it fails, Services send nothing to the pod. @default timing READINESS */
  readiness: ProbeAction & { timing?: ProbeTiming };
  /** If it fails, the container is restarted. @default timing LIVENESS */
  liveness: ProbeAction & { timing?: ProbeTiming };
}

/** 90 x 2 s: three minutes to start. A first start that created the database schema took 65 s on two shared cores. */
export const STARTUP: ProbeTiming = { periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 90 };
/** 2 x 3 s: Services stop sending after about 6 s. The router does not rely on it: its own checks are faster. */
export const READINESS: ProbeTiming = { periodSeconds: 3, timeoutSeconds: 3, failureThreshold: 2 };
/** 6 x 10 s: restarted after a minute without an answer, since a slow process is not a dead one. */
export const LIVENESS: ProbeTiming = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 };

/** A probe in the form that Kubernetes reads. */
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

/**
 * The three probes of a container, in the form that Kubernetes reads.
 *
 * @param host Address for HTTP probes of a process on the node's network that listens on localhost only. @default the
 * pod's
 */
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

/** Probes of a program that has one HTTP path for all three. @param port name of the container port */
export const httpProbes = (path: string, port: string, scheme?: "HTTPS"): Probes =>
  allThree({ http: path, port, ...(scheme ? { scheme } : {}) });

/** Probes of a program without a health endpoint: whether a port accepts connections. @param port its name */
export const tcpProbes = (port: string): Probes => allThree({ tcp: port });
