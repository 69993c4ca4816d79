/** What replaces pods of lost machines: scripts/replace_lost.py, in two pods on two machines. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../../core/context";
import { imageRef, imageVersion } from "../../core/images";
import { NAMESPACES, ONLY_ONE, PORTS } from "../../core/names";
import { configHash, digest, labels, Workload, type ObjectMetadata } from "../../core/workload";
import { IMAGES } from "./images";
import { instanceNames, isAlone } from "./instances";
import { MOUNTS, SHARED_FILES } from "./paths";
import { PROBE_PATHS, REPLACER, REPLACER_PODS } from "./replacerFacts";
import { REPLACE_PY } from "./scripts";

export interface ReplacerArgs {
  ctx: StackContext;
}

export class Replacer extends pulumi.ComponentResource {
  readonly ready: pulumi.Resource[];

  constructor(name: string, { ctx }: ReplacerArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:synapse:Replacer", name, {}, opts);
    const { settings, plan } = ctx;
    const version = imageVersion(settings, IMAGES.synapse);
    const files = { [SHARED_FILES.replace]: REPLACE_PY };
    const metadata: ObjectMetadata = {
      name: `${REPLACER}-${digest(REPLACE_PY).slice(0, 10)}`,
      namespace: NAMESPACES.matrix,
      labels: labels(settings, REPLACER, "replacer", version),
    };
    const script = new k8s.core.v1.ConfigMap(
      `${name}-script`,
      { metadata, immutable: true, data: files },
      { parent: this },
    );
    const workload = new Workload(
      `${name}-workload`,
      {
        ctx,
        namespace: NAMESPACES.matrix,
        component: REPLACER,
        appName: "replacer",
        version,
        kind: "Deployment",
        replicas: REPLACER_PODS.replicas,
        after: [script],
        configHash: configHash(files),
        clusterRoleRules: [{ apiGroups: [""], resources: ["nodes"], verbs: ["list"] }],
        roleRules: [
          { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
          {
            apiGroups: [""],
            resources: ["pods"],
            verbs: ["delete"],
            // The pods that scripts/only_one.py guards, and no others.
            resourceNames: plan.synapse.pools
              .filter(isAlone)
              .flatMap((pool) => instanceNames(plan, pool.class))
              .sort(),
          },
        ],
        pod: {
          uid: 1992,
          apiAccess: true,
          volumes: [{ name: "script", configMap: metadata.name }],
          containers: [
            {
              name: "replacer",
              image: imageRef(settings, IMAGES.synapse),
              command: ["python", `${MOUNTS.shared}/${SHARED_FILES.replace}`],
              env: {
                NAMESPACE: NAMESPACES.matrix,
                LABEL: Object.entries(ONLY_ONE)
                  .map(([key, value]) => `${key}=${value}`)
                  .join(","),
                PORT: String(PORTS.synapseHealth),
                LISTEN: settings.cluster.ipFamilies.includes("IPv6") ? "::" : "0.0.0.0",
                PYTHONDONTWRITEBYTECODE: "1",
              },
              ports: { health: { port: PORTS.synapseHealth } },
              probes: {
                startup: { http: PROBE_PATHS.alive, port: "health" },
                readiness: { http: PROBE_PATHS.ready, port: "health" },
                liveness: { http: PROBE_PATHS.alive, port: "health" },
              },
              resources: { cpu: REPLACER_PODS.cpu, memoryMiB: REPLACER_PODS.memoryMiB },
              mounts: [{ volume: "script", path: MOUNTS.shared, readOnly: true }],
            },
          ],
        },
      },
      { parent: this },
    );
    this.ready = [workload.controller];
    this.registerOutputs({});
  }
}
