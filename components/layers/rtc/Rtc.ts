import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PRIORITIES } from "../../core/priorities";
import { AUTHORITIES, AUTHORITIES_FILE, goTrusts } from "../../core/authorities";
import type { StackContext } from "../../core/context";
import { imageRef, imageVersion } from "../../core/images";
import { NAMESPACES, NODE_LABELS, PORTS, SECRETS, SERVICES } from "../../core/names";
import type { StackSecrets } from "../../keys/secrets";
import { aliased } from "../cluster/reach/hostAliases";
import { proxyEnv, proxyUrl } from "../cluster/reach/proxy";
import { Workload, configHash, httpProbes, labels, type ObjectMetadata } from "../../core/workload";
import { RTC_PATHS, livekitStart } from "./livekitStart";
import { livekitYaml } from "./livekitYaml";
import { IMAGES as REDIS_IMAGES } from "../redis/images";
import { IMAGES } from "./images";
import { LIVEKIT_API_KEY, LIVEKIT_API_SECRET, REDIS_LIVEKIT_PASSWORD } from "./secrets";
import { TURN_SHARED_SECRET } from "../../domain/calls";

export interface RtcArgs {
  /** Settings, plan and provider; the plan must have `rtc`. */
  ctx: StackContext;
  /** Generated secrets; needs those of `rtc/secrets.ts` and TURN_SHARED_SECRET. */
  secrets: StackSecrets;
  /**
   * CA that signed the public certificates: a ConfigMap in namespace livekit, the key of the PEM text within it, and
   * the text itself or a hash, which restarts the pods when it changes. @default public CAs
   */
  ca?: { configMap: string; key: string; hash?: pulumi.Input<string> };
}

const SFU_UID = 10001;
const JWT_UID = 10002;
const START = "livekit-start";
const CONFIGURATION = "livekit";
/**
 * Seconds for which a stopping SFU waits for its calls to end. It accepts no new ones, and stops earlier when the last
 * participant has left.
 */
export const DRAIN_SECONDS = 3600;

/**
 * MatrixRTC: the SFU (LiveKit) on every call node, on the host's network, and the service that gives Matrix users
 * tokens for it. Throws where the plan has no SFU.
 *
 * @example new Rtc("rtc", { ctx, secrets }, { parent: stack, dependsOn: redis.ready })
 */
export class Rtc extends pulumi.ComponentResource {
  /** LiveKit's DaemonSet. */
  readonly sfu: Workload;
  /** The token service (lk-jwt-service). Absent when `rtc.jwtService` is false. */
  readonly jwt?: Workload;
  /** What later components must wait for: everything here. */
  readonly ready: pulumi.Resource[] = [this];

  constructor(name: string, args: RtcArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:rtc:Rtc", name, {}, opts);
    const { settings, plan } = args.ctx;
    if (!plan.rtc)
      throw new Error("rtc.enabled: the plan has no SFU. Leave the component out where rtc.enabled is false.");
    this.sfu = this.makeSfu(name, args, plan.rtc);
    if (settings.rtc.jwtService) this.jwt = this.makeJwt(name, args, plan.rtc.jwt);
    this.registerOutputs({});
  }

  private makeSfu(name: string, args: RtcArgs, plan: NonNullable<StackContext["plan"]["rtc"]>): Workload {
    const { ctx, secrets } = args;
    const { settings } = ctx;
    const version = imageVersion(settings, IMAGES.livekit);
    const metadata = (n: string): ObjectMetadata => ({
      name: n,
      namespace: NAMESPACES.livekit,
      labels: labels(settings, SERVICES.livekit, "livekit", version),
    });
    const yaml = pulumi.secret(
      pulumi
        .all([
          secrets.of(LIVEKIT_API_KEY),
          secrets.of(LIVEKIT_API_SECRET),
          secrets.of(REDIS_LIVEKIT_PASSWORD),
          secrets.of(TURN_SHARED_SECRET),
        ])
        .apply(([apiKey, apiSecret, redisPassword, turnSecret]) =>
          livekitYaml(ctx, { apiKey, apiSecret, redisPassword, turnSecret }),
        ),
    );
    const start = livekitStart(settings);
    const secret = new k8s.core.v1.Secret(
      `${name}-configuration`,
      { metadata: metadata(CONFIGURATION), type: "Opaque", stringData: { "livekit.yaml": yaml } },
      { parent: this },
    );
    const script = new k8s.core.v1.ConfigMap(
      `${name}-start`,
      { metadata: metadata(START), data: { "start.sh": start } },
      { parent: this },
    );

    return new Workload(
      `${name}-livekit`,
      {
        ctx,
        namespace: NAMESPACES.livekit,
        component: SERVICES.livekit,
        appName: "livekit",
        version,
        kind: "DaemonSet",
        after: [secret, script],
        configHash: configHash({ "livekit.yaml": yaml, "start.sh": start }),
        services: [{ name: SERVICES.livekit, ports: { http: PORTS.livekitHttp } }],
        // One node after the other, and each waits for its calls to end.
        timeoutSeconds: 600 + plan.nodes * DRAIN_SECONDS,
        pod: {
          hostNetwork: true,
          uid: SFU_UID,
          role: "call",
          runtimePriority: PRIORITIES.calls.name,
          nodeSelector: { [NODE_LABELS.rtc]: "true" },
          terminationGracePeriodSeconds: DRAIN_SECONDS,
          volumes: [
            { name: "configuration", secret: CONFIGURATION },
            { name: "start", configMap: START },
            { name: "run", emptyDir: { sizeMiB: 4, memory: true } },
          ],
          initContainers: [
            {
              // Any image with a shell would do; this namespace's Redis pods use this one anyway.
              name: "address",
              image: imageRef(settings, REDIS_IMAGES.redis),
              command: ["/bin/sh", `${RTC_PATHS.start}/start.sh`],
              env: { HOST_IP: { field: "status.hostIP" } },
              resources: { cpu: 0.01, memoryMiB: 16, memoryLimitMiB: 64 },
              mounts: [
                { volume: "configuration", path: RTC_PATHS.secret, readOnly: true },
                { volume: "start", path: RTC_PATHS.start, readOnly: true },
                { volume: "run", path: RTC_PATHS.run },
              ],
            },
          ],
          containers: [
            {
              name: "livekit",
              image: imageRef(settings, IMAGES.livekit),
              args: ["--config", `${RTC_PATHS.run}/livekit.yaml`],
              ports: {
                http: { port: PORTS.livekitHttp },
                "rtc-tcp": { port: settings.rtc.tcpPort },
                metrics: { port: PORTS.livekitMetrics },
              },
              // "/" answers 406 when the node's entry in Redis is more than 4 s old. Then the SFU is not ready, but its
              // calls go on, so liveness does not use it.
              probes: { startup: { tcp: "http" }, readiness: { http: "/", port: "http" }, liveness: { tcp: "http" } },
              resources: { cpu: plan.cpu, memoryMiB: plan.memoryMiB },
              mounts: [{ volume: "run", path: RTC_PATHS.run, readOnly: true }],
            },
          ],
        },
      },
      { parent: this },
    );
  }

  /** The service is stateless: any of its pods can answer any request. */
  private makeJwt(name: string, args: RtcArgs, sized: { replicas: number; cpu: number; memoryMiB: number }): Workload {
    const { ctx, secrets, ca } = args;
    const { settings } = ctx;
    const version = imageVersion(settings, IMAGES.lkJwt);
    const key = pulumi.secret(secrets.of(LIVEKIT_API_KEY));
    const apiSecret = pulumi.secret(secrets.of(LIVEKIT_API_SECRET));
    const keys = new k8s.core.v1.Secret(
      `${name}-keys`,
      {
        metadata: {
          name: SECRETS.livekit,
          namespace: NAMESPACES.livekit,
          labels: labels(settings, SERVICES.jwt, "lk-jwt-service", version),
        },
        type: "Opaque",
        stringData: { key, secret: apiSecret },
      },
      { parent: this },
    );

    const authorities = settings.trustedAuthorities
      ? new k8s.core.v1.ConfigMap(
          `${name}-authorities`,
          {
            metadata: {
              name: AUTHORITIES,
              namespace: NAMESPACES.livekit,
              labels: labels(settings, SERVICES.jwt, "lk-jwt-service", version),
            },
            data: { [AUTHORITIES_FILE]: settings.trustedAuthorities },
          },
          { parent: this },
        )
      : undefined;

    return new Workload(
      `${name}-jwt`,
      {
        ctx,
        namespace: NAMESPACES.livekit,
        component: SERVICES.jwt,
        appName: "lk-jwt-service",
        version,
        kind: "Deployment",
        replicas: sized.replicas,
        after: [keys, ...(authorities ? [authorities] : [])],
        configHash: configHash({
          key,
          secret: apiSecret,
          ...(ca?.hash === undefined ? {} : { ca: ca.hash }),
          ...(settings.trustedAuthorities ? { authorities: settings.trustedAuthorities } : {}),
          ...(settings.httpProxy ? { proxy: pulumi.secret(proxyUrl(settings.httpProxy)) } : {}),
        }),
        services: [{ name: SERVICES.jwt, ports: { http: PORTS.jwt } }],
        pod: {
          uid: JWT_UID,
          ...aliased(settings),
          volumes: [
            { name: "keys", secret: SECRETS.livekit },
            ...(ca ? [{ name: "ca", configMap: ca.configMap, items: { [ca.key]: "ca.crt" } }] : []),
            ...(authorities ? [{ name: "authorities", configMap: AUTHORITIES }] : []),
          ],
          containers: [
            {
              name: "lk-jwt-service",
              image: imageRef(settings, IMAGES.lkJwt),
              env: {
                LIVEKIT_URL: `wss://${settings.hostnames.rtc}`,
                LIVEKIT_KEY_FROM_FILE: `${RTC_PATHS.keys}/key`,
                LIVEKIT_SECRET_FROM_FILE: `${RTC_PATHS.keys}/secret`,
                LIVEKIT_FULL_ACCESS_HOMESERVERS: settings.serverName,
                LIVEKIT_JWT_BIND: `:${PORTS.jwt}`,
                ...(ca ? { SSL_CERT_FILE: `${RTC_PATHS.ca}/ca.crt` } : {}),
                ...(authorities ? goTrusts(RTC_PATHS.authorities) : {}),
                ...proxyEnv(settings),
              },
              ports: { http: { port: PORTS.jwt } },
              probes: httpProbes("/healthz", "http"),
              resources: { cpu: sized.cpu, memoryMiB: sized.memoryMiB },
              preStopSleepSeconds: 5,
              mounts: [
                { volume: "keys", path: RTC_PATHS.keys, readOnly: true },
                ...(ca ? [{ volume: "ca", path: RTC_PATHS.ca, readOnly: true }] : []),
                ...(authorities ? [{ volume: "authorities", path: RTC_PATHS.authorities, readOnly: true }] : []),
              ],
            },
          ],
        },
      },
      { parent: this },
    );
  }
}
