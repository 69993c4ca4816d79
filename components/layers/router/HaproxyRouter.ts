import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PRIORITIES } from "../../core/priorities";
import type { StackContext } from "../../core/context";
import { imageRef, imageVersion } from "../../core/images";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";
import { bodyLimits } from "../../domain/bodies";
import { Workload, configHash, digest, httpProbes, labels } from "../../core/workload";
import { ROUTER_COMPONENT } from "./edges";
import { renderHaproxyCfg } from "./haproxyCfg";
import { IMAGES as REDIS_IMAGES } from "../redis/images";

export interface HaproxyRouterArgs {
  /** Settings, plan and provider; the plan gives replicas and sizes. */
  ctx: StackContext;
}

const CONFIG_DIR = "/etc/haproxy-router";
const CONFIG_FILE = "haproxy.cfg";
/** Not the image's own uid (99), which is in the range of system users. HAProxy needs no name for it. */
const UID = 1099;

/**
 * HAProxy in front of Synapse: sends each path to the class of process that serves it.
 *
 * @example new HaproxyRouter("router", { ctx }, { parent: stack })
 */
export class HaproxyRouter extends pulumi.ComponentResource {
  /** HAProxy's Deployment and Service. */
  readonly workload: Workload;
  /** What later components must wait for: everything here. */
  readonly ready: pulumi.Resource[] = [this];

  constructor(name: string, args: HaproxyRouterArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:router:HaproxyRouter", name, {}, opts);
    const { settings, plan } = args.ctx;
    const version = imageVersion(settings, REDIS_IMAGES.haproxy);
    const text = renderHaproxyCfg({
      plan,
      clusterDomain: settings.cluster.domain,
      federation: settings.federation.enabled,
      terms: settings.terms !== undefined,
      bodies: bodyLimits(settings, plan.router),
      ipFamilies: settings.cluster.ipFamilies,
    });
    // Named by its content: until the new pods are ready, old pods keep their configuration even if they restart.
    const configName = `haproxy-${digest(text).slice(0, 10)}`;
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      {
        metadata: {
          name: configName,
          namespace: NAMESPACES.matrix,
          labels: labels(settings, ROUTER_COMPONENT, "haproxy", version),
        },
        immutable: true,
        data: { [CONFIG_FILE]: text },
      },
      { parent: this },
    );
    const resources = { cpu: plan.router.cpu, memoryMiB: plan.router.memoryMiB };
    const image = imageRef(settings, REDIS_IMAGES.haproxy);
    const mounts = [{ volume: "config", path: CONFIG_DIR, readOnly: true }];
    this.workload = new Workload(
      `${name}-workload`,
      {
        ctx: args.ctx,
        namespace: NAMESPACES.matrix,
        component: ROUTER_COMPONENT,
        objectName: SERVICES.router,
        appName: "haproxy",
        version,
        kind: "Deployment",
        replicas: Math.max(2, plan.router.replicas),
        after: [config],
        configHash: configHash({ config: text }),
        services: [
          {
            name: SERVICES.router,
            ports: { http: PORTS.routerHttp, "http-admin": PORTS.routerAdmin, metrics: PORTS.routerHealth },
          },
        ],
        rollout: { maxSurge: 1, maxUnavailable: 0 },
        // A new router knows its servers only after its first DNS answers and checks; the old one stays until then.
        minReadySeconds: 10,
        pod: {
          runtimePriority: PRIORITIES.core.name,
          uid: UID,
          // If HAProxy refuses the configuration, the rollout stops at its first pod, and this container's log has the
          // reason.
          initContainers: [
            {
              name: "check-config",
              image,
              command: ["haproxy", "-c", "-f", `${CONFIG_DIR}/${CONFIG_FILE}`],
              resources: { cpu: 0.01, memoryMiB: Math.min(128, resources.memoryMiB) },
              mounts,
            },
          ],
          containers: [
            {
              name: "haproxy",
              image,
              command: ["haproxy", "-db", "-f", `${CONFIG_DIR}/${CONFIG_FILE}`],
              mounts,
              resources,
              ports: {
                http: { port: PORTS.routerHttp },
                "http-admin": { port: PORTS.routerAdmin },
                metrics: { port: PORTS.routerHealth },
              },
              probes: httpProbes("/healthz", "metrics"),
              // SIGTERM would break every connection. Instead the Service drops the pod first; then a soft stop lets
              // running requests finish and gives long polls up to 30 s (hard-stop-after).
              preStopCommand: ["sh", "-c", "sleep 5; kill -USR1 1; sleep 31"],
            },
          ],
          terminationGracePeriodSeconds: 45,
          volumes: [{ name: "config", configMap: configName }],
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
