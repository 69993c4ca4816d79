/** What people do, times what it costs: the CPU of each part, and the processes that carry it. Pure. */
import { WORKERS } from "../domain/workers";
import type { WorkerClass } from "../domain/workerClasses";
import type { Settings } from "../settings/types";
import { activityOf, peakRates, times, type Rates } from "./activity";
import { COSTS, costRow, figure, synapseProcesses, type CostFile, type Service } from "./costs";

/** Share of a core that a process may use, on average over a minute: above it, requests wait for each other. */
export const UTILISATION = 0.7;

/** CPU, in cores, and the part of it that follows from measured figures. */
export interface Cpu {
  cores: number;
  measured: number;
}
const NOTHING: Cpu = { cores: 0, measured: 0 };
const plus = (a: Cpu, b: Cpu): Cpu => ({ cores: a.cores + b.cores, measured: a.measured + b.measured });
const by = (a: Cpu, factor: number): Cpu => ({ cores: a.cores * factor, measured: a.measured * factor });

/** What happens in a second, and on which cores. */
export interface Load {
  rates: Rates;
  /** Class that writes presence; absent where presence is off. */
  presence?: WorkerClass;
  /** Speed of a core beside the one on which costs were measured. */
  coreSpeed: number;
  costs: CostFile;
}

/** The load of the busiest minute. */
export function loadOf(settings: Settings, users = settings.ccu): Load {
  const { presence, coreSpeed } = settings;
  const rates = peakRates({ users, activity: activityOf(settings), presence: presence.enabled });
  const writer = settings.ccu >= (WORKERS.presence.needs?.ccu ?? 0) ? "presence" : "ephemeral";
  return { rates, ...(presence.enabled ? { presence: writer } : {}), coreSpeed, costs: COSTS };
}

/** The same with everything so many times as often. */
export const grown = (load: Load, factor: number): Load => ({ ...load, rates: times(load.rates, factor) });

/** What one of something costs a part; nothing where no row says so. A slope below nothing is a measuring error. */
function cost({ costs, coreSpeed }: Load, operation: string, part: string): Cpu {
  const row = costRow(costs, operation, part);
  if (!row) return NOTHING;
  const cores = Math.max(0, row.value) / coreSpeed;
  return { cores, measured: row.how === "decided" ? 0 : cores };
}

const value = ({ costs }: Load, operation: string, part: string): number => figure(costs, operation, part).value;
const operations = ({ rates }: Load): Array<[keyof Rates, number]> =>
  Object.entries(rates) as Array<[keyof Rates, number]>;
const sum = (all: Cpu[]): Cpu => all.reduce(plus, NOTHING);

// ------------------------------------------------------------------ Synapse's classes
/** What a process of a class spends on what others write, and at rest. */
export function following(load: Load, cls: WorkerClass): Cpu {
  const { rates } = load;
  // Who writes a notice does not follow it as well.
  const typing = cls === "ephemeral" ? 0 : rates.typing;
  return sum([
    by(cost(load, "send", "follower"), rates.send),
    by(cost(load, "notice", "follower"), typing + rates.receipt + rates.presence),
    by(cost(load, "idle", cls), 1 / processesOf(load, cls)),
  ]);
}

/** Processes that a class had when its costs were measured. */
const processesOf = ({ costs }: Load, cls: WorkerClass): number => costs.processes[cls] ?? 1;

/** What a class has to do itself, in all its processes together. */
export function ownWork(load: Load, cls: WorkerClass): Cpu {
  return sum(operations(load).map(([operation, rate]) => by(ownCost(load, operation, cls), rate)));
}

function ownCost(load: Load, operation: keyof Rates, cls: WorkerClass): Cpu {
  if (operation === "presence") return cls === load.presence ? cost(load, "presence", "presence") : NOTHING;
  if (operation !== "send") return cost(load, operation, cls);
  // A send marks its sender as present: that is what the writer of presence does beside following. It was measured with
  // presence on, where `ephemeral` writes it.
  if (cls === load.presence) return beyondFollowing(load, "ephemeral");
  return cls === "ephemeral" ? NOTHING : beyondFollowing(load, cls);
}

/** What a send costs a class, less what its processes spent on following. */
function beyondFollowing(load: Load, cls: WorkerClass): Cpu {
  const all = cost(load, "send", cls).cores;
  const cores = Math.max(0, all - processesOf(load, cls) * cost(load, "send", "follower").cores);
  return { cores, measured: cores };
}

/** Fewest processes of a class that carry the load; infinite where following alone fills them. */
export function processesFor(load: Load, cls: WorkerClass): number {
  const room = UTILISATION - following(load, cls).cores;
  const own = ownWork(load, cls).cores;
  if (room <= 0) return Infinity;
  return Math.max(1, Math.ceil(own / room - 1e-9));
}

/** CPU of so many processes of a class. */
export const classCpu = (load: Load, cls: WorkerClass, processes: number): Cpu =>
  plus(ownWork(load, cls), by(following(load, cls), processes));

// ------------------------------------------------------------------ services
/**
 * CPU of a service beside so many processes of Synapse. Redis sends each message to every process. Of what a send costs
 * the database, a share is the followers'.
 */
export function serviceCpu(load: Load, service: Service, processes: number): Cpu {
  const growth = processes / synapseProcesses(load.costs);
  const share = value(load, "send", "growsWithProcesses");
  const grows = { redis: growth, postgres: 1 - share + share * growth, pgbouncer: 1 - share + share * growth };
  return sum([
    cost(load, "idle", service),
    ...operations(load).map(([operation, rate]) => {
      const scaled = operation === "send" || service === "redis";
      const factor = scaled && service in grows ? grows[service as keyof typeof grows] : 1;
      return by(cost(load, operation, service), rate * factor);
    }),
  ]);
}

/** CPU of all ingress pods. */
export function ingressCpu(load: Load): Cpu {
  const router = serviceCpu(load, "router", 1);
  return { cores: router.cores * value(load, "ingress", "routerShare"), measured: 0 };
}

/** Transactions that write, in a second. */
export const commits = (load: Load): number => {
  const { rates } = load;
  // Each of the others writes a row or a few at once.
  const others = rates.receipt + rates.login + rates.uploadRequest + rates.keyUpload + rates.keyClaim + rates.push;
  return rates.send * value(load, "send", "commits") + others;
};

/** Transactions that write, in a second, which one primary is relied on for. */
export const mostCommits = (load: Load): number => value(load, "commit", "postgres");

/** MiB of WAL in a second. */
export const walMiBPerSecond = (load: Load): number => (load.rates.send * value(load, "message", "walBytes")) / 2 ** 20;
