import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { bodyLimits } from "../../domain/bodies";
import { type StackContext, fqdn } from "../../core/context";
import { imageRef, imageVersion, type Image } from "../../core/images";
import { NAMESPACES, PORTS, SERVICES } from "../../core/names";
import { rtcFoci } from "../rtc/foci";
import type { Sized } from "../../sizing/types";
import { configHash, httpProbes, labels, Workload, type ContainerSpec, type VolumeSpec } from "../../core/workload";
import { adminConfig, adminNginxConf, COPY_UI, UI_DIR } from "./adminConfig";
import { elementConfig, elementNginxConf } from "./elementConfig";
import { CONF_DIR, NGINX_COMMAND } from "./nginxConf";
import { documentsOf } from "./documents";
import { wellKnownNginxConf, type RtcFocus } from "./wellKnown";
import { IMAGES } from "./images";
import { controllerNetworks, neverClients } from "./clients";

export interface WebArgs {
  /** Settings, plan and provider; the settings say which applications exist. */
  ctx: StackContext;
  /** SFUs to announce to clients. @default those of the rtc layer */
  rtcFoci?: RtcFocus[];
  /**
   * Networks from which the ingress controller reaches the pods; the admin UI believes X-Forwarded-For only from there.
   * @default the networks of the pods, and the hosts @example ["10.244.0.0/16"]
   */
  trustedProxyCidrs?: string[];
}

const NAMESPACE = NAMESPACES.matrix;
/** Any uid works, since no file in the images belongs to it. */
const UID = 10101;

interface SiteArgs {
  component: string;
  image: Image;
  appName: string;
  sized: Sized;
  files: Record<string, string>;
  initContainers?: ContainerSpec[];
  volumes?: VolumeSpec[];
  mounts?: ContainerSpec["mounts"];
}

/**
 * What browsers load: Element Web, the admin UI, and the well-known documents. The ingress layer makes them public.
 *
 * @example new Web("web", { ctx }, { parent: stack })
 */
export class Web extends pulumi.ComponentResource {
  /** Workloads by the name of their Service; applications that are off are absent. */
  readonly sites: Record<string, Workload> = {};
  /** What later components must wait for: everything here. */
  readonly ready: pulumi.Resource[] = [this];

  constructor(
    private readonly baseName: string,
    private readonly args: WebArgs,
    opts: pulumi.ComponentResourceOptions,
  ) {
    super("matrix-ha:web:Web", baseName, {}, opts);
    this.wellKnown();
    if (args.ctx.settings.web.elementWeb.enabled) this.elementWeb();
    if (args.ctx.settings.web.admin.enabled) this.admin();
    this.registerOutputs({});
  }

  private get ipv6(): boolean {
    return this.args.ctx.settings.cluster.ipFamilies.includes("IPv6");
  }

  private wellKnown(): void {
    const { settings, plan } = this.args.ctx;
    const documents = documentsOf(settings, this.args.rtcFoci);
    this.site({
      component: SERVICES.wellKnown,
      image: IMAGES.nginx,
      appName: "nginx",
      sized: plan.web.wellKnown,
      files: {
        "nginx.conf": wellKnownNginxConf({ ipv6: this.ipv6, documents: Object.keys(documents) }),
        ...Object.fromEntries(Object.entries(documents).map(([n, d]) => [`${n}.json`, `${JSON.stringify(d)}\n`])),
      },
    });
  }

  private elementWeb(): void {
    const { settings, plan } = this.args.ctx;
    const config = elementConfig({
      homeserverUrl: `https://${settings.hostnames.homeserver}`,
      serverName: settings.serverName,
      webUrl: `https://${settings.hostnames.web}`,
      brand: settings.web.elementWeb.brand,
      allowGuests: settings.registration.allowGuests,
      registration: settings.registration.enabled,
      email: settings.emailSmtp !== undefined,
      presence: settings.presence.enabled,
      rtc: rtcFoci(settings).length > 0,
      jitsiDomain: settings.web.jitsiDomain,
      more: settings.web.elementWeb.config,
      ssoOnly: settings.sso !== undefined && !settings.sso.passwordLogin && settings.sso.oidc.length === 1,
    });
    this.site({
      component: SERVICES.elementWeb,
      image: IMAGES.elementWeb,
      appName: "element-web",
      sized: plan.web.elementWeb,
      files: {
        "nginx.conf": elementNginxConf({ ipv6: this.ipv6 }),
        "config.json": `${JSON.stringify(config, null, 2)}\n`,
      },
    });
  }

  private admin(): void {
    const { ctx } = this.args;
    const { settings, plan } = ctx;
    const ui = { volume: "ui", path: UI_DIR };
    this.site({
      component: SERVICES.admin,
      image: IMAGES.nginx,
      appName: "ketesa",
      sized: plan.web.admin,
      files: {
        "nginx.conf": adminNginxConf({
          ipv6: this.ipv6,
          homeserverHost: settings.hostnames.homeserver,
          routerFqdn: fqdn(ctx, SERVICES.router, NAMESPACE),
          allowCidrs: settings.web.admin.allowCidrs,
          trustedProxyCidrs: this.args.trustedProxyCidrs ?? controllerNetworks(settings),
          neverClients: neverClients(settings),
          proxiesInFront: settings.ingress.trustedProxies.length > 0 && !settings.ingress.proxyProtocol,
          maxBodyMiB: bodyLimits(settings, plan.router).ingressMiB,
        }),
        "config.json": `${JSON.stringify(adminConfig({ adminHost: settings.hostnames.admin }), null, 2)}\n`,
      },
      // Ketesa's image can only serve files. nginx serves them too, and also restricts access and forwards requests.
      initContainers: [
        {
          name: "ui",
          image: imageRef(settings, IMAGES.admin),
          command: ["sh", "-c", COPY_UI],
          resources: { cpu: 0.01, memoryMiB: 32 },
          mounts: [ui],
        },
      ],
      volumes: [{ name: "ui", emptyDir: { sizeMiB: 128 } }],
      mounts: [{ ...ui, readOnly: true }],
    });
  }

  private site(s: SiteArgs): void {
    const { ctx } = this.args;
    const { settings } = ctx;
    const name = `${this.baseName}-${s.component}`;
    const version = imageVersion(settings, s.image);
    const files = new k8s.core.v1.ConfigMap(
      `${name}-files`,
      {
        metadata: {
          name: s.component,
          namespace: NAMESPACE,
          labels: labels(settings, s.component, s.appName, version),
        },
        data: s.files,
      },
      { parent: this },
    );
    this.sites[s.component] = new Workload(
      name,
      {
        ctx,
        namespace: NAMESPACE,
        component: s.component,
        appName: s.appName,
        version,
        kind: "Deployment",
        replicas: Math.max(2, s.sized.replicas),
        after: [files],
        configHash: configHash(s.files),
        services: [{ name: s.component, ports: { http: PORTS.web } }],
        pod: {
          uid: UID,
          ...(s.initContainers ? { initContainers: s.initContainers } : {}),
          containers: [
            {
              name: "nginx",
              image: imageRef(settings, s.image),
              command: NGINX_COMMAND,
              ports: { http: { port: PORTS.web } },
              probes: httpProbes("/healthz", "http"),
              resources: { cpu: s.sized.cpu, memoryMiB: s.sized.memoryMiB },
              mounts: [
                { volume: "files", path: CONF_DIR, readOnly: true },
                { volume: "tmp", path: "/tmp" },
                ...(s.mounts ?? []),
              ],
              // nginx may exit at once on SIGTERM, so the Service has to drop the pod before.
              preStopSleepSeconds: 5,
            },
          ],
          volumes: [
            { name: "files", configMap: s.component },
            { name: "tmp", emptyDir: { sizeMiB: 256 } },
            ...(s.volumes ?? []),
          ],
        },
      },
      { parent: this },
    );
  }
}
