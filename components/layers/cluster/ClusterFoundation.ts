import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../../core/context";
import { AUTHORITIES, AUTHORITIES_FILE } from "../../core/authorities";
import { NAMESPACES } from "../../core/names";
import { labels } from "../../core/workload";
import { NginxIngressController } from "./ingressController/NginxIngressController";
import { TlsMaterial } from "./tls/TlsMaterial";
import { Ownership } from "./ownership/Ownership";
import { VendoredOperator } from "./operators/VendoredOperator";
import { namespacePlans, podSecurityLabels } from "./namespaces";
import { installedOperators } from "./operators/operators";
import { PRIORITIES } from "../../core/priorities";
import { isProxySecret, PROXY_SECRET, PROXY_SECRET_KEY, proxyUrl } from "./reach/proxy";
import { tlsNamespaces } from "./tls/publicTls";
import { expandable, storageClasses } from "./storageClasses";
import type { OperatorName } from "./operators/vendored";

/** Arguments of ClusterFoundation. */
export interface ClusterFoundationArgs {
  ctx: StackContext;
  /** The prepared hosts with their node labels, which the operators need to be scheduled. @default none */
  after?: pulumi.Resource[];
}

/**
 * What every other layer needs: namespaces, storage and priority classes, operators, addresses, the ingress controller
 * and the certificate.
 */
export class ClusterFoundation extends pulumi.ComponentResource {
  /** By name. */
  readonly namespaces: Record<string, k8s.core.v1.Namespace> = {};
  /** Namespaces, storage and priority classes, which every workload needs. */
  readonly basics: pulumi.Resource[];
  /** The certificate of the public host names. */
  readonly tls: TlsMaterial;
  /** What must exist before an Ingress can get an address. */
  readonly doorReady: pulumi.Resource[];
  private readonly operators: Partial<Record<OperatorName, VendoredOperator>> = {};
  /** Namespaces and classes wait for these. Everything else waits for namespaces and classes, and so for the hosts. */
  private readonly first: pulumi.Resource[];

  constructor(
    name: string,
    private readonly args: ClusterFoundationArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("matrix-ha:cluster:ClusterFoundation", name, {}, opts);
    const { ctx } = args;
    const { settings } = ctx;
    const ownership = new Ownership(`${name}-ownership`, { ctx }, { parent: this });
    this.first = [...(args.after ?? []), ...ownership.ready];
    const classes = this.classes(name);

    for (const n of namespacePlans(settings)) {
      this.namespaces[n.name] = new k8s.core.v1.Namespace(
        `${name}-namespace-${n.name}`,
        {
          metadata: { name: n.name, labels: { ...this.labels(n.name), ...podSecurityLabels(n.level) } },
          // Deleting a namespace would delete everything in it, including other owners' objects and the claims with the
          // data, so it is retained. It comes after the classes, so that the API server has read the ownership policy.
        },
        { parent: this, dependsOn: [...this.first, ...classes], retainOnDelete: true },
      );
    }
    this.basics = [
      ...Object.values(this.namespaces),
      ...classes,
      ...this.registryLogins(name, classes),
      ...this.proxySecrets(name),
      ...this.authorities(name),
    ];

    for (const operator of installedOperators(settings)) {
      const needs: OperatorName[] = operator.name === "plugin-barman-cloud" ? ["cert-manager", "cloudnative-pg"] : [];
      this.operators[operator.name] = new VendoredOperator(
        `${name}-${operator.name}`,
        {
          ctx,
          operator,
          basics: this.basics,
          after: needs.flatMap((n) => this.ready(n)),
        },
        { parent: this },
      );
    }
    const addresses = this.addresses(name);
    const door = settings.cluster.install.ingressController
      ? new NginxIngressController(`${name}-ingress`, { ctx, after: [...this.basics, ...addresses] }, { parent: this })
          .ready
      : [];
    this.doorReady = [...this.basics, ...addresses, ...door];
    this.tls = new TlsMaterial(
      `${name}-tls`,
      {
        ctx,
        namespaces: tlsNamespaces(settings),
        after: [...this.basics, ...this.ready("cert-manager"), ...(settings.tls.mode === "acme" ? door : [])],
      },
      { parent: this },
    );
    this.registerOutputs({});
  }

  /** The resources of an operator to wait for; empty when the cluster already has the operator. */
  ready(operator: OperatorName): pulumi.Resource[] {
    return this.operators[operator]?.ready ?? [];
  }

  private labels(component: string): Record<string, string> {
    return labels(this.args.ctx.settings, component, "matrix-ha", "none");
  }

  /** The login of the registry, in every namespace where pods of this stack run. */
  private registryLogins(name: string, after: pulumi.Resource[]): pulumi.Resource[] {
    const { settings } = this.args.ctx;
    const { dockerConfig, pullSecret } = settings.images;
    if (dockerConfig === undefined || pullSecret === undefined) return [];
    const namespaces = [...Object.keys(this.namespaces), ...installedOperators(settings).map((o) => o.namespace)];
    return [...new Set(namespaces)].map(
      (namespace) =>
        new k8s.core.v1.Secret(
          `${name}-registry-${namespace}`,
          {
            metadata: { name: pullSecret, namespace, labels: this.labels("registry") },
            type: "kubernetes.io/dockerconfigjson",
            stringData: { ".dockerconfigjson": pulumi.secret(dockerConfig) },
          },
          { parent: this, dependsOn: this.namespaces[namespace] ? [this.namespaces[namespace]] : after },
        ),
    );
  }

  /** The private authorities, for cert-manager; other layers make their own. */
  private authorities(name: string): pulumi.Resource[] {
    const { trustedAuthorities, cluster } = this.args.ctx.settings;
    if (trustedAuthorities === undefined || !cluster.install.certManager) return [];
    return [
      new k8s.core.v1.ConfigMap(
        `${name}-authorities`,
        {
          metadata: { name: AUTHORITIES, namespace: NAMESPACES.certManager, labels: this.labels("authorities") },
          data: { [AUTHORITIES_FILE]: trustedAuthorities },
        },
        { parent: this, dependsOn: Object.values(this.namespaces) },
      ),
    ];
  }

  /** The proxy's URL with its login, in every namespace whose pods use it. */
  private proxySecrets(name: string): pulumi.Resource[] {
    const { settings } = this.args.ctx;
    const { httpProxy, rtc, cluster } = settings;
    if (!httpProxy || !isProxySecret(settings)) return [];
    return [
      NAMESPACES.matrix,
      ...(rtc.enabled ? [NAMESPACES.livekit] : []),
      ...(cluster.install.certManager ? [NAMESPACES.certManager] : []),
    ].map(
      (namespace) =>
        new k8s.core.v1.Secret(
          `${name}-proxy-${namespace}`,
          {
            metadata: { name: PROXY_SECRET, namespace, labels: this.labels("proxy") },
            type: "Opaque",
            stringData: { [PROXY_SECRET_KEY]: pulumi.secret(proxyUrl(httpProxy)) },
          },
          { parent: this, dependsOn: Object.values(this.namespaces) },
        ),
    );
  }

  /** Storage and priority classes. Each waits for the one before, so others need to depend on the last only. */
  private classes(name: string): pulumi.Resource[] {
    const { settings } = this.args.ctx;
    const made: pulumi.Resource[] = [];
    const opts = () => ({ parent: this, dependsOn: [...this.first, ...made.slice(-1)] });
    for (const c of storageClasses(settings)) {
      made.push(
        new k8s.storage.v1.StorageClass(
          `${name}-storage-${c.name}`,
          {
            metadata: { name: c.name, labels: this.labels("storage") },
            provisioner: c.provisioner,
            ...(Object.keys(c.parameters).length ? { parameters: c.parameters } : {}),
            // The scheduler chooses the node first, then the volume is made there. A released volume keeps its data.
            volumeBindingMode: "WaitForFirstConsumer",
            reclaimPolicy: "Retain",
            allowVolumeExpansion: expandable(c),
          },
          opts(),
        ),
      );
    }
    for (const p of Object.values(PRIORITIES)) {
      made.push(
        new k8s.scheduling.v1.PriorityClass(
          `${name}-priority-${p.name}`,
          {
            metadata: { name: p.name, labels: this.labels("priority") },
            value: p.value,
            preemptionPolicy: "PreemptLowerPriority",
            description: p.description,
          },
          opts(),
        ),
      );
    }
    return made;
  }

  /** MetalLB's pools that this stack makes, each announced by one node at a time on the local network. */
  private addresses(name: string): pulumi.Resource[] {
    const { settings } = this.args.ctx;
    const opts = { parent: this, dependsOn: [...this.basics, ...this.ready("metallb")] };
    const made = settings.addressPools.filter((p) => p.create);
    return made.flatMap((p) => {
      const meta = { name: p.name, namespace: NAMESPACES.metallb, labels: this.labels("metallb") };
      const pool = new k8s.apiextensions.CustomResource(
        `${name}-pool-${p.name}`,
        {
          apiVersion: "metallb.io/v1beta1",
          kind: "IPAddressPool",
          metadata: meta,
          spec: { addresses: p.addresses, autoAssign: p.use.includes("any") },
        },
        opts,
      );
      const advertisement = new k8s.apiextensions.CustomResource(
        `${name}-advertisement-${p.name}`,
        {
          apiVersion: "metallb.io/v1beta1",
          kind: "L2Advertisement",
          metadata: meta,
          spec: { ipAddressPools: [p.name] },
        },
        { ...opts, dependsOn: [...opts.dependsOn, pool] },
      );
      return [pool, advertisement];
    });
  }
}
