import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../../../core/context";
import { imageRef, imageVersion } from "../../../core/images";
import { PRIORITIES } from "../../../core/priorities";
import {
  Workload,
  configHash,
  labels,
  type ContainerSpec,
  type PodSpec,
  type ObjectMetadata,
} from "../../../core/workload";
import {
  CONFIG_MAP,
  INGRESS_APP,
  INGRESS_CLASS_CONTROLLER,
  INGRESS_LABELS,
  INGRESS_COMPONENT,
  INGRESS_NAMESPACE,
  INGRESS_PORTS,
  NGINX_UID,
  addressAnnotations,
  controllerArgs,
  controllerClusterRules,
  controllerRules,
  entranceNames,
  nginxConfig,
} from "./nginxIngress";
import { IMAGES } from "../images";

/** Arguments of NginxIngressController. */
export interface NginxIngressControllerArgs {
  ctx: StackContext;
  /** Its namespace, and the address pools, because the Service waits for an address. */
  after: pulumi.Resource[];
}

/**
 * F5's NGINX ingress controller: the only way in for HTTP, at addresses that MetalLB announces. Each address has pods
 * of its own (components/sizing/door.ts says why), which share one configuration.
 */
export class NginxIngressController extends pulumi.ComponentResource {
  /** One for each entrance. */
  readonly workloads: Workload[];
  /** An Ingress must come after these. */
  readonly ready: pulumi.Resource[] = [this];

  constructor(name: string, args: NginxIngressControllerArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:cluster:NginxIngressController", name, {}, opts);
    const { settings, plan } = args.ctx;
    const version = imageVersion(settings, IMAGES.nginxIngress);
    const meta = (n: string): ObjectMetadata => ({
      name: n,
      namespace: INGRESS_NAMESPACE,
      labels: labels(settings, INGRESS_COMPONENT, INGRESS_APP, version),
    });
    const childOpts: pulumi.CustomResourceOptions = { parent: this, dependsOn: args.after };

    const config = nginxConfig(settings, plan);
    new k8s.core.v1.ConfigMap(`${name}-config`, { metadata: meta(CONFIG_MAP), data: config }, childOpts);
    const ingressClass = new k8s.networking.v1.IngressClass(
      `${name}-class`,
      {
        metadata: {
          name: settings.cluster.ingressClass,
          labels: labels(settings, INGRESS_COMPONENT, INGRESS_APP, version),
        },
        spec: { controller: INGRESS_CLASS_CONTROLLER },
      },
      childOpts,
    );

    this.workloads = plan.ingress.addresses.map((addresses, i) => {
      const { component, objectName } = entranceNames(i);
      return new Workload(
        `${name}-${i === 0 ? "controller" : `controller-${i + 1}`}`,
        {
          ctx: args.ctx,
          namespace: INGRESS_NAMESPACE,
          component,
          objectName,
          appName: INGRESS_APP,
          version,
          kind: "Deployment",
          replicas: plan.ingress.replicasEach,
          pod: this.pod(args.ctx),
          after: [...args.after, ingressClass],
          // The controller follows its ConfigMap without a restart, so the hash covers only what it reads at start.
          configHash: configHash({ args: controllerArgs(settings).join(" ") }),
          roleRules: controllerRules,
          clusterRoleRules: controllerClusterRules,
          services: [
            {
              name: objectName,
              type: "LoadBalancer",
              externalTrafficPolicy: "Local",
              ports: { http: INGRESS_PORTS.http, https: INGRESS_PORTS.https },
              annotations: addressAnnotations(settings, addresses),
            },
          ],
        },
        { parent: this },
      );
    });
    this.registerOutputs({});
  }

  private pod({ settings, plan }: StackContext): PodSpec {
    const image = imageRef(settings, IMAGES.nginxIngress);
    const dirs: Record<string, string> = {
      etc: "/etc/nginx",
      cache: "/var/cache/nginx",
      lib: "/var/lib/nginx",
      state: "/var/lib/nginx/state",
      log: "/var/log/nginx",
      tmp: "/tmp",
    };
    const mounts = Object.entries(dirs).map(([volume, path]) => ({ volume, path }));
    const resources = { cpu: plan.ingress.cpu, memoryMiB: plan.ingress.memoryMiB };
    const controller: ContainerSpec = {
      name: "nginx-ingress",
      image,
      args: controllerArgs(settings),
      mounts,
      resources,
      env: { POD_NAMESPACE: { field: "metadata.namespace" }, POD_NAME: { field: "metadata.name" } },
      ports: {
        http: { port: INGRESS_PORTS.http },
        https: { port: INGRESS_PORTS.https },
        ready: { port: INGRESS_PORTS.ready },
        metrics: { port: INGRESS_PORTS.metrics },
      },
      probes: {
        startup: { http: "/nginx-ready", port: "ready" },
        readiness: { http: "/nginx-ready", port: "ready" },
        // A kubelet does not speak the PROXY protocol.
        liveness: settings.ingress.proxyProtocol
          ? { http: "/nginx-ready", port: "ready" }
          : { http: "/nginx-health", port: "http" },
      },
      // The image's programs carry this capability in their file attributes and do not start without it; `restricted`
      // allows it.
      capabilities: ["NET_BIND_SERVICE"],
      // MetalLB gets time to announce the address from another node before connections end.
      preStopSleepSeconds: 10,
    };
    return {
      uid: NGINX_UID,
      apiAccess: true,
      runtimePriority: PRIORITIES.core.name,
      apartFrom: { labels: INGRESS_LABELS, always: plan.ingress.hostsApart },
      terminationGracePeriodSeconds: 60,
      // The root file system is read-only, so the templates in /etc/nginx are copied to a volume in which the
      // controller can write its configuration.
      initContainers: [
        {
          name: "copy-etc",
          image,
          command: ["cp", "-dR", "/etc/nginx/.", "/mnt/etc"],
          mounts: [{ volume: "etc", path: "/mnt/etc" }],
          resources: { cpu: 0.01, memoryMiB: 32 },
        },
      ],
      containers: [controller],
      // Neither requests nor responses are kept on disk.
      volumes: Object.keys(dirs).map((n) => ({ name: n, emptyDir: { sizeMiB: 64 } })),
    };
  }
}
