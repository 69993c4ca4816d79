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

function action(p: ProbeAction): object {
  if ("http" in p) return { httpGet: { path: p.http, port: p.port, scheme: p.scheme ?? "HTTP" } };
  if ("tcp" in p) return { tcpSocket: { port: p.tcp } };
  return { exec: { command: p.exec } };
}

function probe(p: ProbeAction & { timing?: ProbeTiming }, fallback: ProbeTiming): object {
  const t = p.timing ?? fallback;
  return {
    ...action(p),
    ...(t.initialDelaySeconds ? { initialDelaySeconds: t.initialDelaySeconds } : {}),
    periodSeconds: t.periodSeconds,
    timeoutSeconds: t.timeoutSeconds,
    failureThreshold: t.failureThreshold,
    successThreshold: t.successThreshold ?? 1,
  };
}

export function renderProbes(p: Probes): { startupProbe: object; readinessProbe: object; livenessProbe: object } {
  return {
    startupProbe: probe(p.startup, STARTUP),
    readinessProbe: probe(p.readiness, READINESS),
    livenessProbe: probe(p.liveness, LIVENESS),
  };
}

/** The same HTTP path for all three, where a program has just one. */
export const httpProbes = (path: string, port: string): Probes => ({
  startup: { http: path, port },
  readiness: { http: path, port },
  liveness: { http: path, port },
});
