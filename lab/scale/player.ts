/**
 * Plays the operators whose pods do not run (played.ts says what each makes): looks at their objects again and again,
 * and brings what they would have made to where they would bring it.
 */
import * as crypto from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "../scenarios/api";
import { podPath, type Objects } from "./objects";
import {
  addressOf,
  instanceBudgets,
  instanceClaims,
  instanceNames,
  instancePod,
  INSTANCE_ROLE,
  localVolume,
  MADE_FROM,
  monitoringSet,
  poolerDeployment,
  type KubeObject,
} from "./played";

/** Seconds between two looks. */
const EVERY_SECONDS = 0.3;
const CNPG = "postgresql.cnpg.io/v1";
const MONITORING = "monitoring.coreos.com/v1";
const SELECTED = "volume.kubernetes.io/selected-node";
/** Any text will do: the API server does not call these webhooks. */
const CA_BUNDLE = Buffer.from("played by the lab").toString("base64");

const isReady = (pod: KubeObject): boolean =>
  !pod.metadata.deletionTimestamp &&
  (pod.status?.conditions ?? []).some((c: any) => c.type === "Ready" && c.status === "True");
const ready = (type: string, generation: number | undefined): object => ({
  type,
  status: "True",
  reason: "Played",
  message: "played by the lab",
  lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
  observedGeneration: generation ?? 1,
});
/** What an operator replaces a pod for. */
const hash = (value: unknown): string =>
  crypto.createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);

export class Player {
  private running = true;
  private loop: Promise<void> | undefined;
  /** What could not be played at the last look. */
  readonly problems = new Map<string, string>();
  /** What was applied last of each object, so that the same is not applied again. */
  private readonly done = new Map<string, string>();

  constructor(private readonly objects: Objects) {}

  start(): void {
    this.loop = (async () => {
      while (this.running) {
        for (const play of [this.volumes, this.addresses, this.databases, this.poolers, this.monitoring, this.others])
          await this.played(play);
        await sleep(EVERY_SECONDS * 1000);
      }
    })();
  }

  /** What is not there yet, or was changed by another at the same moment, is looked at again. */
  private async played(play: () => Promise<void>): Promise<void> {
    try {
      await play.call(this);
      this.problems.delete(play.name);
    } catch (error) {
      if (!(error instanceof Refusal && [404, 409].includes(error.code)))
        this.problems.set(play.name, (error as Error).message);
    }
  }

  async stop(): Promise<void> {
    this.running = false;
    await this.loop;
  }

  /** Applies an object unless the same was applied to the same owner. */
  private async once(object: KubeObject, of: KubeObject): Promise<void> {
    const key = `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`;
    const text = `${of.metadata.uid} ${JSON.stringify(object)}`;
    if (this.done.get(key) === text) return;
    await this.objects.apply(object, "operator");
    this.done.set(key, text);
  }

  private async volumes(): Promise<void> {
    for (const claim of await this.objects.list("v1", "persistentvolumeclaims")) {
      const node = claim.metadata.annotations?.[SELECTED];
      if (claim.status?.phase === "Pending" && node) await this.once(localVolume(claim, node), claim);
    }
  }

  private async addresses(): Promise<void> {
    for (const service of await this.objects.list("v1", "services")) {
      const ip = service.spec.type === "LoadBalancer" ? addressOf(service) : undefined;
      if (ip !== undefined && service.status?.loadBalancer?.ingress?.[0]?.ip !== ip)
        await this.objects.status(service, { loadBalancer: { ingress: [{ ip }] } });
    }
  }

  private async databases(): Promise<void> {
    const clusters = await this.objects.list(CNPG, "clusters");
    for (const cluster of clusters) await this.database(cluster);
  }

  private async sidecar(cluster: KubeObject): Promise<object | undefined> {
    const name = cluster.spec.plugins?.[0]?.parameters?.barmanObjectName;
    if (name === undefined) return undefined;
    const stores = await this.objects.list("barmancloud.cnpg.io/v1", "objectstores");
    return stores.find((s) => s.metadata.name === name)?.spec.instanceSidecarConfiguration?.resources;
  }

  /** One step toward what the Cluster says: an instance made, replaced or removed, or another primary. */
  private async database(cluster: KubeObject): Promise<void> {
    const { namespace } = cluster.metadata;
    const names = instanceNames(cluster);
    const pods = (await this.objects.list("v1", "pods")).filter(
      (p) =>
        p.metadata.namespace === namespace &&
        p.metadata.labels?.["cnpg.io/cluster"] === cluster.metadata.name &&
        p.metadata.labels["cnpg.io/podRole"] === "instance",
    );
    for (const budget of instanceBudgets(cluster)) await this.once(budget, cluster);
    for (const name of names) for (const claim of instanceClaims(cluster, name)) await this.claim(claim);
    const sidecar = await this.sidecar(cluster);
    const madeFrom = hash([
      instancePod(cluster, names[0]!, { primary: true, madeFrom: "", sidecar }).spec,
      cluster.spec.postgresql?.parameters,
    ]);
    const primary = await this.primaryOf(cluster, pods);
    for (const name of names)
      if (!pods.some((p) => p.metadata.name === name))
        await this.objects.apply(
          instancePod(cluster, name, { primary: name === primary, madeFrom, sidecar }),
          "operator",
        );
    const readyPods = pods.filter(isReady);
    if (readyPods.length >= names.length) await this.nextReplacement(cluster, { pods, names, madeFrom, primary });
    const all = readyPods.filter((p) => names.includes(p.metadata.name)).length;
    const current = pods.every((p) => p.metadata.annotations?.[MADE_FROM] === madeFrom);
    await this.report(cluster, {
      instances: names.length,
      readyInstances: all,
      currentPrimary: primary,
      phase:
        all === names.length && current ? "Cluster in healthy state" : "Waiting for the instances to become active",
      conditions: [
        { ...ready("Ready", cluster.metadata.generation), status: all === names.length && current ? "True" : "False" },
      ],
    });
  }

  private async claim(claim: KubeObject): Promise<void> {
    const key = `claim ${claim.metadata.namespace}/${claim.metadata.name}`;
    if (this.done.has(key)) return;
    await this.objects.apply(claim, "operator");
    this.done.set(key, "made");
  }

  /** Standbys first, then another primary, then the former one; and those that the Cluster no longer has. */
  private async nextReplacement(
    cluster: KubeObject,
    { pods, names, madeFrom, primary }: { pods: KubeObject[]; names: string[]; madeFrom: string; primary: string },
  ): Promise<void> {
    const surplus = pods.filter((p) => !names.includes(p.metadata.name));
    const old = pods.filter((p) => p.metadata.annotations?.[MADE_FROM] !== madeFrom);
    const next = [...surplus, ...old].find((p) => p.metadata.name !== primary);
    if (next) await this.objects.remove(podPath(next.metadata));
    else if (old.length > 0)
      await this.promote(
        cluster,
        pods,
        names.find((n) => n !== primary)!,
      );
  }

  /** The primary; another instance where that one is lost, or on a node that is being drained. */
  private async primaryOf(cluster: KubeObject, pods: KubeObject[]): Promise<string> {
    const labelled = pods.find((p) => p.metadata.labels?.[INSTANCE_ROLE] === "primary");
    const known = labelled?.metadata.name ?? cluster.status?.currentPrimary ?? instanceNames(cluster)[0]!;
    const cordoned = new Set(
      (await this.objects.list("v1", "nodes")).filter((n) => n.spec.unschedulable).map((n) => n.metadata.name),
    );
    const serves = (p: KubeObject): boolean => isReady(p) && !cordoned.has(p.spec.nodeName);
    if (labelled ? serves(labelled) || !labelled.spec.nodeName : pods.length === 0) return known;
    const successor = pods.find((p) => p.metadata.name !== known && serves(p));
    if (!successor || !instanceNames(cluster).includes(successor.metadata.name)) return known;
    await this.promote(cluster, pods, successor.metadata.name);
    return successor.metadata.name;
  }

  private async promote(cluster: KubeObject, pods: KubeObject[], name: string): Promise<void> {
    for (const pod of pods) {
      const role = pod.metadata.name === name ? "primary" : "replica";
      if (pod.metadata.labels?.[INSTANCE_ROLE] === role) continue;
      await this.objects.merge(podPath(pod.metadata), { metadata: { labels: { [INSTANCE_ROLE]: role } } });
      pod.metadata.labels = { ...pod.metadata.labels, [INSTANCE_ROLE]: role };
    }
    await this.report(cluster, { currentPrimary: name });
  }

  /** A status, unless it says so already. */
  private async report(object: KubeObject, status: Record<string, any>): Promise<void> {
    const text = (s: any): string => JSON.stringify(s, (k, v) => (k === "lastTransitionTime" ? undefined : v));
    const before = Object.fromEntries(Object.keys(status).map((k) => [k, object.status?.[k]]));
    const of = (s: any): string =>
      text({ ...s, conditions: (s.conditions ?? []).map((c: any) => [c.type, c.status, c.observedGeneration]) });
    if (of(before) !== of(status)) await this.objects.status(object, status);
  }

  private async poolers(): Promise<void> {
    for (const pooler of await this.objects.list(CNPG, "poolers")) {
      await this.once(poolerDeployment(pooler), pooler);
      await this.report(pooler, { instances: pooler.spec.instances });
    }
  }

  private async monitoring(): Promise<void> {
    for (const plural of ["prometheuses", "alertmanagers"])
      for (const owner of await this.objects.list(MONITORING, plural)) {
        const set = monitoringSet(owner);
        await this.once(set, owner);
        const { status } = await this.objects.api.get(await this.objects.pathOf(set));
        const available = status?.readyReplicas ?? 0;
        await this.report(owner, {
          replicas: owner.spec.replicas,
          updatedReplicas: status?.updatedReplicas ?? 0,
          availableReplicas: available,
          unavailableReplicas: owner.spec.replicas - available,
          paused: false,
          conditions: [
            {
              ...ready("Available", owner.metadata.generation),
              status: available === owner.spec.replicas ? "True" : "False",
            },
          ],
        });
      }
  }

  /** What cert-manager says of its objects, and writes into its webhooks. */
  private async others(): Promise<void> {
    for (const plural of ["issuers", "certificates"])
      for (const object of await this.objects.list("cert-manager.io/v1", plural))
        await this.report(object, { conditions: [ready("Ready", object.metadata.generation)] });
    for (const plural of ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"])
      for (const hook of await this.objects.list("admissionregistration.k8s.io/v1", plural)) {
        const injected = Object.keys(hook.metadata.annotations ?? {}).some((k) =>
          k.startsWith("cert-manager.io/inject-ca"),
        );
        if (!injected || hook.webhooks!.every((w) => w.clientConfig.caBundle)) continue;
        await this.objects.api.request({
          method: "PATCH",
          path: await this.objects.pathOf(hook),
          body: hook.webhooks!.map((_, i) => ({
            op: "add",
            path: `/webhooks/${i}/clientConfig/caBundle`,
            value: CA_BUNDLE,
          })),
          contentType: "application/json-patch+json",
        });
      }
  }
}
