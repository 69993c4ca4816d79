import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../../core/context";
import { bodyLimits, OTHER_HOSTS_MIB } from "../../domain/bodies";
import { labels } from "../../core/workload";
import { controllerAnnotations } from "./annotations";
import { publicHosts, type PublicHost } from "./hosts";
import { ingressSpec } from "./ingressSpec";
import { hasOwnTlsNamespace, MERGEABLE } from "../cluster/tls/publicTls";
import { NAMESPACES } from "../../core/names";

/** Where certificates are; the cluster layer's TlsMaterial implements it. */
export interface IngressTls {
  /** Name of the TLS Secret, in the namespace of the Ingress with TLS, for the host of the Ingress with this name. */
  secretName(ingress: string): string;
  /** Annotations by which cert-manager issues certificates; empty when it does not. */
  issuerAnnotations: Record<string, string>;
}

/** Arguments of PublicIngress. */
export interface PublicIngressArgs {
  ctx: StackContext;
  tls: IngressTls;
}

/**
 * The public hosts: one Ingress for each, with annotations for the controllers that are known. With this stack's
 * controller a host has a second one, for its certificate.
 */
export class PublicIngress extends pulumi.ComponentResource {
  /** By name: homeserver, server-name, web, admin, rtc. Equal hosts share the first one's Ingress. */
  readonly ingresses: Record<string, k8s.networking.v1.Ingress> = {};

  /** Must come after the ingress controller and the backends: each Ingress waits until it has an address. */
  constructor(name: string, args: PublicIngressArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:ingress:PublicIngress", name, {}, opts);
    const { settings } = args.ctx;
    const split = hasOwnTlsNamespace(settings);
    for (const host of publicHosts(settings)) {
      const certificate = split ? [this.certificate(name, args, host)] : [];
      this.ingresses[host.name] = new k8s.networking.v1.Ingress(
        `${name}-${host.name}`,
        {
          metadata: {
            name: host.name,
            namespace: host.namespace,
            labels: labels(settings, `ingress-${host.name}`, "ingress", "1"),
            annotations: {
              "pulumi.com/timeoutSeconds": "600",
              ...this.annotations(args, host),
              ...(split ? { [MERGEABLE]: "minion" } : args.tls.issuerAnnotations),
            },
          },
          spec: ingressSpec(host, {
            ingressClass: settings.cluster.ingressClass,
            ...(split ? {} : { tlsSecret: args.tls.secretName(host.name) }),
          }),
        },
        { parent: this, dependsOn: certificate },
      );
    }
    this.registerOutputs({});
  }

  /** The host with its certificate, in the controller's namespace; the other Ingress adds the paths. */
  private certificate(name: string, args: PublicIngressArgs, host: PublicHost): pulumi.Resource {
    const { settings } = args.ctx;
    return new k8s.networking.v1.Ingress(
      `${name}-${host.name}-tls`,
      {
        metadata: {
          name: host.name,
          namespace: NAMESPACES.ingress,
          labels: labels(settings, `ingress-${host.name}`, "ingress", "1"),
          annotations: {
            // The Ingress with the paths is waited for.
            "pulumi.com/skipAwait": "true",
            [MERGEABLE]: "master",
            ...args.tls.issuerAnnotations,
          },
        },
        spec: ingressSpec(
          { ...host, paths: [] },
          { ingressClass: settings.cluster.ingressClass, tlsSecret: args.tls.secretName(host.name) },
        ),
      },
      { parent: this },
    );
  }

  private annotations(args: PublicIngressArgs, host: PublicHost): Record<string, string> {
    const { settings, plan } = args.ctx;
    return controllerAnnotations(settings.cluster.ingressClass, {
      maxBodyMiB: host.media ? bodyLimits(settings, plan.router).ingressMiB : OTHER_HOSTS_MIB,
      readTimeoutSeconds: 300,
      websocketServices: host.websockets,
      websocketPaths: host.paths.filter((p) => host.websockets.includes(p.service)).map((p) => p.path),
    });
  }
}
