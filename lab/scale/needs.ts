/** How many ready pods a deployment needs while another is on its way, and how many there were. Pure. */
import type { KubeObject } from "./played";
import { isReady, podsByOwner, titleOf, type Snapshot } from "./snapshot";

/**
 * Ready pods that each workload of a size must have at every moment: all but the one that a rolling update replaces at
 * a time; all of them, where the update makes the new one first. Of a single pod that leaves none, and of a DaemonSet
 * as many as its update leaves.
 */
export function needsOf(now: Snapshot): Map<string, number> {
  const count = (w: KubeObject): number =>
    w.kind === "DaemonSet" ? (w.status?.desiredNumberScheduled ?? 0) : w.spec.replicas;
  const down = (w: KubeObject): number => {
    const update = w.kind === "Deployment" ? w.spec.strategy : w.spec.updateStrategy;
    const most = update?.rollingUpdate?.maxUnavailable;
    if (w.kind === "Deployment" && update?.type === "Recreate") return count(w);
    if (typeof most === "string") return Math.floor((count(w) * Number(most.replace("%", ""))) / 100);
    return w.kind === "StatefulSet" ? (most ?? 1) : (most ?? 0);
  };
  return new Map([
    ...now.workloads.map((w): [string, number] => [`${w.kind} ${titleOf(w)}`, Math.max(0, count(w) - down(w))]),
    ...now.databases.map((d): [string, number] => [`Cluster ${titleOf(d)}`, Math.max(0, d.spec.instances - 1)]),
  ]);
}

/** The fewest ready pods of each workload, over all that was seen. */
export class Least {
  private readonly fewest = new Map<string, number>();
  /** Number of looks. */
  looks = 0;

  see({ pods }: Pick<Snapshot, "pods">, owners: Iterable<string>): void {
    this.looks++;
    const groups = podsByOwner(pods);
    for (const owner of owners) {
      const ready = (groups.get(owner) ?? []).filter(isReady).length;
      this.fewest.set(owner, Math.min(ready, this.fewest.get(owner) ?? Infinity));
    }
  }

  /** Workloads that had fewer than they need. */
  below(needs: ReadonlyMap<string, number>): string[] {
    return [...needs].flatMap(([owner, needed]) => {
      const seen = this.fewest.get(owner);
      return seen !== undefined && seen < needed ? [`${owner}: ${seen} ready, ${needed} needed`] : [];
    });
  }
}

/** Workloads of which a pod was replaced between two moments, with how many. */
export function restarted(before: Snapshot, after: Snapshot): Array<{ owner: string; pods: number; of: number }> {
  const left = new Set(after.pods.map((p) => p.metadata.uid));
  const still = podsByOwner(after.pods);
  return [...podsByOwner(before.pods)].flatMap(([owner, pods]) => {
    // Those that a smaller number no longer has are no restart.
    const gone = pods.filter((p) => !left.has(p.metadata.uid)).length;
    const fewer = Math.max(0, pods.length - (still.get(owner)?.length ?? 0));
    return gone > fewer ? [{ owner, pods: gone - fewer, of: pods.length }] : [];
  });
}
