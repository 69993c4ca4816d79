/** What each failure costs: one line for everything that can be lost. */
import type { Settings } from "../settings/types";
import { HOST_ROLES } from "../domain/roles";
import { STREAMS, streamFacts } from "../domain/workerClasses";
import { WORKERS } from "../domain/workers";
import { hostsOf } from "./hosts";
import type { FailureCost, Plan, PoolPlan } from "./types";

/** Kubernetes declares a node lost after 40 s; pods of it leave 30 s later. Measured times are on top. */
const NODE_LOST = 40;
const LOST_NODE_TOLERATION = 30;
/** Detection, and then the operator (or `hosts fence`) who makes sure that the machine is off. */
const FENCED = 120;
const MEASURED = "measured";
/** Seconds of the pause when MinIO's arguments change (a pool more): in all, and per node. */
export const MINIO_GROWTH = { measured: 50, perNode: 10 } as const;

export function planFailures(settings: Settings, plan: Plan): FailureCost[] {
  return [
    ...dataFailures(plan),
    ...plan.synapse.pools.map((p) => poolFailure(p, plan.synapse.streamWriters)),
    singletonNode(),
    ...frontFailures(plan),
    ...callFailures(settings, plan),
    ...hostFailures(settings, plan),
  ];
}

function dataFailures(plan: Plan): FailureCost[] {
  const failures: FailureCost[] = [
    {
      failure: "PostgreSQL primary: pod",
      effect: "sends fail or wait, reads from caches go on; no acknowledged write is lost",
      seconds: 32,
      source: `${MEASURED}: 21 to 32 s until writes (failover within the primary's lease)`,
    },
    {
      failure: "PostgreSQL primary: node",
      effect: "as its pod; the instance returns with its node",
      seconds: 60,
      source: `target; the pod's failover ${MEASURED}, the loss of a node adds its detection`,
    },
    { failure: "PostgreSQL primary: node drained", effect: "switchover", seconds: 11, source: `${MEASURED}: 10.7 s` },
    {
      failure: "PostgreSQL pooler: pod",
      effect: "its sessions break and reconnect through another",
      seconds: 8,
      source: `${MEASURED}: 6 to 8 s`,
    },
    {
      failure: "Redis master: pod",
      effect: "live delivery pauses twice, no send fails, nothing is lost",
      seconds: 10,
      source: `${MEASURED}: pauses of 5.3 and 4.6 s, slowest send 9.6 s`,
    },
  ];
  if (plan.minio)
    failures.push({
      failure: "MinIO: a pool added",
      effect: "media largely cannot be read or written while the pods restart in turn; text messages go on",
      seconds: Math.max(MINIO_GROWTH.measured, MINIO_GROWTH.perNode * plan.minio.nodes),
      source: `${MEASURED}: ${MINIO_GROWTH.measured} s, about ${MINIO_GROWTH.perNode} s a node: pods with the new arguments join only when most have them; a bound`,
    });
  if (plan.minio)
    failures.push({
      failure: "MinIO: pod or node",
      effect: "none with the remaining drives; an upload that was on its way to it may wait a minute",
      seconds: 0,
      source: `erasure set of ${plan.minio.erasureSetDrives}, parity ${plan.minio.parity}, at most ${plan.minio.drivesPerNode} drives leave with a node`,
    });
  return failures;
}

function effectOf(p: PoolPlan, writers: Plan["synapse"]["streamWriters"]): string {
  const written = STREAMS.filter((s) => writers[s] === p.class).map((s) => streamFacts(s).known);
  return (
    WORKERS[p.class].loss.effect ?? `${written.join(", ")}${p.replicas > 1 ? " of its share" : ""} answer 503 or wait`
  );
}

function poolFailure(p: PoolPlan, writers: Plan["synapse"]["streamWriters"]): FailureCost {
  return {
    failure: `Synapse ${p.class}: process`,
    effect: effectOf(p, writers),
    seconds: p.recoverySeconds ?? 0,
    source: WORKERS[p.class].loss.source,
  };
}

const singletonNode = (): FailureCost => ({
  failure: "Synapse main or a writer: node",
  effect: "as its process, until the node is fenced: nothing in the database would stop a second one",
  seconds: NODE_LOST + FENCED + 20,
  source: "bound: node declared lost after 40 s, then `hosts fence`, then the restart",
});

const others = (replicas: number): string => (replicas === 2 ? "the other takes" : `the other ${replicas - 1} take`);

function frontFailures(plan: Plan): FailureCost[] {
  return [
    {
      failure: "Router: pod",
      effect: `its connections break, ${others(plan.router.replicas)} them; clients retry`,
      seconds: 3,
      source: "probe interval and endpoint update; a bound",
    },
    {
      failure: "Ingress: pod",
      effect: `its connections break, ${others(plan.ingress.replicas)} them`,
      seconds: 3,
      source: "probe interval and endpoint update; a bound",
    },
    {
      failure: "Ingress address: announcing node",
      effect: "new connections fail until another node announces the address",
      seconds: 8,
      source: `${MEASURED}: last failed request 7.4 s after the cut`,
    },
  ];
}

function callFailures(settings: Settings, plan: Plan): FailureCost[] {
  const nodes = hostsOf(settings, "call").length;
  return [
    ...(plan.turn
      ? [
          {
            failure: "TURN: node",
            effect: `1/${nodes} of the relayed calls break and reconnect through another TURN address`,
            seconds: 30,
            source: "ICE restart by the client; not measured",
          },
        ]
      : []),
    ...(plan.rtc
      ? [
          {
            failure: "SFU: node",
            effect: `1/${Math.max(1, plan.rtc.nodes)} of the group calls break and rejoin on another`,
            seconds: 30,
            source: "client reconnect; not measured",
          },
        ]
      : []),
  ];
}

function hostFailures(settings: Settings, plan: Plan): FailureCost[] {
  return HOST_ROLES.flatMap((role): FailureCost[] => {
    const hosts = hostsOf(settings, role);
    if (hosts.length === 0) return [];
    const shared = hosts.some((h) => h.roles.length > 1)
      ? ` ; its other roles (${[...new Set(hosts.flatMap((h) => h.roles))].filter((r) => r !== role).join(", ")}) at the same time`
      : "";
    const line = (effect: string, seconds: number, source: string): FailureCost[] => [
      { failure: `Host lost: ${role}`, effect: effect + shared, seconds, source },
    ];
    switch (role) {
      case "control-plane":
        return hosts.length >= 3
          ? line("none: the others hold etcd's quorum", 0, "etcd, majority of the members")
          : line(
              "no pod is moved or restarted elsewhere until it is back; what runs goes on",
              FENCED,
              "no quorum without it; bound by repair",
            );
      case "application":
        return line(
          "its workers move to other hosts; single writers on it wait for the fence",
          NODE_LOST + FENCED + 20,
          "bound: node declared lost after 40 s, then `hosts fence`; others move after 70 s",
        );
      case "database":
        return line("at worst a failover", 60, "target; the pod's failover measured");
      case "storage":
        return plan.minio
          ? line("none: reads and writes go on", 0, `parity ${plan.minio.parity} of ${plan.minio.erasureSetDrives}`)
          : [];
      case "call":
        return line(
          `1/${hosts.length} of the calls reconnect`,
          NODE_LOST + LOST_NODE_TOLERATION,
          "client reconnect; the node's own services are not moved; a bound",
        );
    }
  });
}
