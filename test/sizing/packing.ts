/**
 * A scheduler of its own for tests: whether pods find room on hosts, and with any of them lost. It knows nothing of the
 * plan's: it tries several orders, and is content when one of them works.
 */
import type { HostSettings } from "../../components/settings/types";

/** Equal pods. */
export interface Pods {
  name: string;
  role: string;
  /** "all": one on each host of the role. */
  replicas: number | "all";
  cpu: number;
  memoryMiB: number;
  /** Never two on one host, and each stays on its host: it has its data there. */
  tied?: boolean;
  /** The hosts' numbers of them differ by at most one. */
  even?: boolean;
}

interface Room {
  host: HostSettings;
  cpu: number;
  memoryMiB: number;
  /** Number of pods by name. */
  pods: Map<string, number>;
}

/** What is left of a machine: half a core, 1 GiB and 5 % are the system's, 0.65 core and 1 GiB the control plane's. */
function roomOf(host: HostSettings): Room {
  const shared = host.roles.includes("control-plane");
  return {
    host,
    cpu: host.cpu * 0.95 - 0.5 - (shared ? 0.65 : 0),
    memoryMiB: (host.memoryGiB * 0.95 - 1 - (shared ? 1 : 0)) * 1024,
    pods: new Map(),
  };
}

const carries = (room: Room, pods: Pods): boolean =>
  pods.role === "" || (room.host.roles as string[]).includes(pods.role);
const has = (room: Room, { cpu, memoryMiB }: Pods): boolean =>
  room.cpu >= cpu - 1e-6 && room.memoryMiB >= memoryMiB - 1e-6;
function put(room: Room, pods: Pods): void {
  room.cpu -= pods.cpu;
  room.memoryMiB -= pods.memoryMiB;
  room.pods.set(pods.name, (room.pods.get(pods.name) ?? 0) + 1);
}

/** Rooms with all tied pods, or the name of one that found no room. */
function withTied(hosts: readonly HostSettings[], pods: readonly Pods[]): Room[] | string {
  const rooms = hosts.map(roomOf);
  for (const p of pods.filter((x) => x.tied)) {
    const mine = rooms.filter((r) => carries(r, p)).sort((a, b) => b.cpu - a.cpu || b.memoryMiB - a.memoryMiB);
    const wanted = p.replicas === "all" ? mine.length : p.replicas;
    if (mine.length < wanted) return `${p.name}: ${mine.length} hosts of ${wanted}`;
    for (const room of mine.slice(0, wanted)) {
      if (!has(room, p)) return `${p.name} on ${room.host.name}`;
      put(room, p);
    }
  }
  return rooms;
}

type Order = (a: Pods, b: Pods) => number;
type Choice = (rooms: Room[]) => Room;
const ORDERS: Order[] = [
  (a, b) => b.cpu - a.cpu || b.memoryMiB - a.memoryMiB,
  (a, b) => b.memoryMiB - a.memoryMiB || b.cpu - a.cpu,
  (a, b) => b.cpu / 4 + b.memoryMiB / 16384 - a.cpu / 4 - a.memoryMiB / 16384,
];
const CHOICES: Choice[] = [
  (rooms) => rooms[0]!,
  (rooms) => rooms.reduce((a, b) => (b.cpu > a.cpu ? b : a)),
  (rooms) => rooms.reduce((a, b) => (b.memoryMiB > a.memoryMiB ? b : a)),
];

function placed(rooms: Room[], pods: readonly Pods[], choose: Choice): string | undefined {
  for (const p of pods) {
    const mine = rooms.filter((r) => carries(r, p));
    for (let i = 0; i < (p.replicas as number); i++) {
      const fewest = Math.min(...mine.map((r) => r.pods.get(p.name) ?? 0));
      const open = mine.filter((r) => has(r, p) && (!p.even || (r.pods.get(p.name) ?? 0) === fewest));
      if (open.length === 0) return p.name;
      put(choose(open), p);
    }
  }
  return undefined;
}

/**
 * The first pods that find no room, with the host that is lost; undefined where all find some, also with any one host
 * lost. What is tied to the lost host waits for it.
 */
export function unplaced(hosts: readonly HostSettings[], pods: readonly Pods[]): string | undefined {
  const full = withTied(hosts, pods);
  if (typeof full === "string") return full;
  const floating = pods.filter((p) => !p.tied);
  for (const lost of [undefined, ...hosts]) {
    const tries = ORDERS.flatMap((order) =>
      CHOICES.map((choose) => {
        const left = full.filter((r) => r.host !== lost).map((r) => ({ ...r, pods: new Map(r.pods) }));
        return placed(left, [...floating].sort(order), choose);
      }),
    );
    if (tries.every((missing) => missing !== undefined))
      return `${tries[0]} ${lost ? `without ${lost.name}` : "with every host"}`;
  }
  return undefined;
}

/** Cores of a quantity. @example 250m */
const cores = (text: string | undefined): number =>
  text === undefined ? 0 : text.endsWith("m") ? Number(text.slice(0, -1)) / 1000 : Number(text);
/** MiB of a quantity. @example 4Gi */
function mib(text: string | undefined): number {
  const [, number, unit] = /^(\d+)(Mi|Gi)$/.exec(text ?? "0Mi")!;
  return Number(number) * (unit === "Gi" ? 1024 : 1);
}

/** Requests of a pod: of its containers and sidecars together, or of one step before them where that is more. */
function requests(spec: any): { cpu: number; memoryMiB: number } {
  const of = (c: any): { cpu: number; memoryMiB: number } => ({
    cpu: cores(c.resources?.requests?.cpu),
    memoryMiB: mib(c.resources?.requests?.memory),
  });
  const steps = (spec.initContainers ?? []).filter((c: any) => c.restartPolicy !== "Always").map(of);
  const run = [...spec.containers, ...(spec.initContainers ?? []).filter((c: any) => c.restartPolicy === "Always")].map(
    of,
  );
  const largest = (key: "cpu" | "memoryMiB"): number =>
    Math.max(
      run.reduce((all, c) => all + c[key], 0),
      ...steps.map((c: any) => c[key]),
    );
  return { cpu: largest("cpu"), memoryMiB: largest("memoryMiB") };
}

const ROLE = /^matrix-ha\.dev\/role-/;
const roleOf = (selector: Record<string, string> = {}): string =>
  Object.keys(selector)
    .find((key) => ROLE.test(key))
    ?.replace(ROLE, "") ?? "";
const apart = (affinity: any): boolean =>
  (affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).length > 0;

/** The pods of rendered objects, with every autoscaler at its maximum. Jobs end before the others need the room. */
export function renderedPods(objects: any[]): Pods[] {
  const most = new Map(
    objects
      .filter((o) => o.kind === "HorizontalPodAutoscaler")
      .map((o) => [`${o.spec.scaleTargetRef.kind} ${o.spec.scaleTargetRef.name}`, o.spec.maxReplicas as number]),
  );
  return objects.flatMap((o): Pods[] => {
    const name = `${o.kind} ${o.metadata?.name}`;
    const spec = o.spec;
    switch (o.kind) {
      case "Deployment":
      case "StatefulSet": {
        const pod = spec.template.spec;
        const even = (pod.topologySpreadConstraints ?? []).some(
          (t: any) => t.topologyKey === "kubernetes.io/hostname" && t.whenUnsatisfiable === "DoNotSchedule",
        );
        const replicas = most.get(name) ?? spec.replicas ?? 1;
        return [{ name, role: roleOf(pod.nodeSelector), replicas, ...requests(pod), tied: apart(pod.affinity), even }];
      }
      case "DaemonSet": {
        const pod = spec.template.spec;
        return [{ name, role: roleOf(pod.nodeSelector), replicas: "all", ...requests(pod), tied: true }];
      }
      case "Pooler": {
        const pod = spec.template.spec;
        return [{ name, role: roleOf(pod.nodeSelector), replicas: spec.instances, ...requests(pod) }];
      }
      case "Cluster":
        return [
          {
            name,
            role: roleOf(spec.affinity.nodeSelector),
            replicas: spec.instances,
            ...requests({ containers: [{ resources: spec.resources }] }),
            tied: true,
          },
        ];
      case "Prometheus":
      case "Alertmanager":
        return [
          {
            name,
            role: roleOf(spec.nodeSelector),
            replicas: spec.replicas,
            ...requests({ containers: [{ resources: spec.resources }, ...(spec.containers ?? [])] }),
            tied: true,
          },
        ];
      default:
        return [];
    }
  });
}
