import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PRIORITIES } from "../../core/priorities";
import type { StackContext } from "../../core/context";
import { fqdn } from "../../core/context";
import { imageRef, imageVersion } from "../../core/images";
import { PORTS } from "../../core/names";
import { Workload, configHash, labels, type ContainerSpec, type ObjectMetadata } from "../../core/workload";
import { masterProxyCfg } from "./masterProxyCfg";
import { redisReadyScript, redisStartScript, redisStopScript } from "./redisStart";
import { sentinelStartScript } from "./sentinelStart";
import { checkTopology, sentinelAddresses, type RedisTopology } from "./topology";
import { IMAGES } from "./images";

export interface RedisSentinelArgs {
  /** Settings, plan and provider; the plan gives the number of instances and their sizes. */
  ctx: StackContext;
  /**
   * Name of the StatefulSet and its headless Service, and label app.kubernetes.io/component; the proxy is
   * `<component>-master`. @example "redis-synapse"
   */
  component: string;
  /** Existing namespace of all objects. */
  namespace: string;
  /** Password of clients, replicas and Sentinels. At least 16 letters or digits: it is sent as one unquoted word. */
  password: pulumi.Output<string>;
  /** Name of the Secret to create for the password; its key is `password`. */
  secretName: string;
  /** Name by which the Sentinels know the master. @example "redis-synapse" */
  masterName: string;
}

/** uid of every process here; the images' own uid (999) is in the range of system users. */
const UID = 1999;
/**
 * The same at every size, because a StatefulSet's claims cannot change. Twice the largest instance, to leave room for
 * rewriting the append-only file.
 */
const CLAIM_GIB = 16;

/**
 * Sentinel blocks while it resolves a name, which it does all the time, and after a block of 2 s it takes no action for
 * 30 s. With a name server that has just been lost, each look-up would take 20 s (two tries of 5 and 10 s, then the
 * search list). With these options it takes at most 2 s, and Sentinel repeats a failed look-up a second later.
 */
const DNS_OPTIONS = { timeout: "1", attempts: "1" };

/**
 * Redis with Sentinel: three or more instances that elect a master, and a proxy that always reaches it. Throws where
 * the plan's instances or quorum cannot elect one.
 *
 * @example new RedisSentinel("redis-synapse", { ctx, component: "redis-synapse", namespace: "matrix", ... }).masterHost
 */
export class RedisSentinel extends pulumi.ComponentResource {
  /** Complete DNS name of the Service in front of the master, port 6379. */
  readonly masterHost: string;
  /** `host:port` of every Sentinel, and the name by which they know the master. */
  readonly sentinels: { addresses: string[]; masterName: string };
  /** Secret with the password, key `password`, in the namespace of the arguments. */
  readonly secretName: string;
  /** What clients must wait for. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: RedisSentinelArgs, opts?: pulumi.ComponentResourceOptions) {
    super("matrix-ha:redis:RedisSentinel", name, {}, opts);
    const { ctx, component, namespace } = args;
    const { settings, plan } = ctx;
    const topology: RedisTopology = {
      component,
      namespace,
      clusterDomain: settings.cluster.domain,
      masterName: args.masterName,
      instances: plan.redis.instances,
      quorum: plan.redis.quorum,
    };
    checkTopology(topology);
    const version = imageVersion(settings, IMAGES.redis);
    const meta = (n: string): ObjectMetadata => ({
      name: n,
      namespace,
      labels: labels(settings, component, "redis", version),
    });

    const scripts = {
      "redis-start.sh": redisStartScript({ ...topology, maxmemoryMiB: plan.redis.maxmemoryMiB }),
      "redis-ready.sh": redisReadyScript(topology),
      "redis-stop.sh": redisStopScript(topology),
      "sentinel-start.sh": sentinelStartScript(topology),
    };
    const haproxyCfg = masterProxyCfg(topology);
    const secret = new k8s.core.v1.Secret(
      `${name}-secret`,
      { metadata: meta(args.secretName), stringData: { password: pulumi.secret(args.password) } },
      { parent: this },
    );
    const scriptMap = new k8s.core.v1.ConfigMap(
      `${name}-scripts`,
      { metadata: meta(`${component}-scripts`), data: scripts },
      { parent: this },
    );
    const proxyMap = new k8s.core.v1.ConfigMap(
      `${name}-proxy-config`,
      {
        metadata: {
          name: `${component}-master`,
          namespace,
          labels: labels(settings, `${component}-master`, "haproxy", imageVersion(settings, IMAGES.haproxy)),
        },
        data: { "haproxy.cfg": haproxyCfg },
      },
      { parent: this },
    );

    const servers = new Workload(
      `${name}-servers`,
      {
        ctx,
        namespace,
        component,
        appName: "redis",
        version,
        kind: "StatefulSet",
        replicas: topology.instances,
        podManagementPolicy: "Parallel",
        // Before the next replica stops, this one is synchronised again and counts again.
        minReadySeconds: 5,
        services: [
          {
            name: component,
            headless: true,
            publishNotReady: true,
            ports: { redis: PORTS.redis, sentinel: PORTS.sentinel },
          },
        ],
        claims: [{ name: "data", sizeGiB: CLAIM_GIB, storageClass: settings.storage.general.name }],
        after: [secret, scriptMap],
        configHash: configHash({ ...scripts, password: args.password }),
        pod: {
          uid: UID,
          onePerNode: true,
          runtimePriority: PRIORITIES.data.name,
          terminationGracePeriodSeconds: 30,
          dnsOptions: DNS_OPTIONS,
          containers: [
            redisContainer(ctx, args.secretName),
            sentinelContainer(ctx, args.secretName),
            ...(settings.monitoring.enabled ? [exporterContainer(ctx, args.secretName)] : []),
          ],
          volumes: [
            { name: "scripts", configMap: `${component}-scripts` },
            { name: "run", emptyDir: { sizeMiB: 1, memory: true } },
          ],
        },
      },
      { parent: this },
    );

    const proxy = new Workload(
      `${name}-proxy`,
      {
        ctx,
        namespace,
        component: `${component}-master`,
        appName: "haproxy",
        version: imageVersion(settings, IMAGES.haproxy),
        kind: "Deployment",
        replicas: plan.redis.proxy.replicas,
        services: [{ name: `${component}-master`, ports: { redis: PORTS.redis } }],
        after: [secret, proxyMap],
        configHash: configHash({ haproxyCfg, password: args.password }),
        pod: {
          uid: UID,
          runtimePriority: PRIORITIES.core.name,
          terminationGracePeriodSeconds: 20,
          containers: [proxyContainer(ctx, args.secretName)],
          volumes: [{ name: "config", configMap: `${component}-master` }],
        },
      },
      { parent: this },
    );

    this.masterHost = fqdn(ctx, `${component}-master`, namespace);
    this.sentinels = { addresses: sentinelAddresses(topology), masterName: args.masterName };
    this.secretName = args.secretName;
    this.ready = [servers.controller, proxy.controller];
    this.registerOutputs({ masterHost: this.masterHost, secretName: this.secretName });
  }
}

const password = (secretName: string): { secret: string; key: string } => ({ secret: secretName, key: "password" });

/**
 * Timing of the liveness probes. They are TCP probes where that suffices: an exec probe every 2 s costs 30 millicores
 * per pod (measured).
 */
const slowly = { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 };

function redisContainer({ settings, plan }: StackContext, secretName: string): ContainerSpec {
  return {
    name: "redis",
    image: imageRef(settings, IMAGES.redis),
    command: ["bash", "/scripts/redis-start.sh"],
    env: { REDISCLI_AUTH: password(secretName) },
    ports: { redis: { port: PORTS.redis } },
    probes: {
      startup: { tcp: "redis" },
      liveness: { tcp: "redis", timing: slowly },
      readiness: {
        exec: ["bash", "/scripts/redis-ready.sh"],
        timing: { periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 2 },
      },
    },
    resources: { cpu: plan.redis.cpu, memoryMiB: plan.redis.memoryMiB },
    mounts: [
      { volume: "scripts", path: "/scripts", readOnly: true },
      { volume: "run", path: "/run/redis" },
      { volume: "data", path: "/data" },
    ],
    preStopCommand: ["bash", "/scripts/redis-stop.sh"],
  };
}

function sentinelContainer({ settings }: StackContext, secretName: string): ContainerSpec {
  return {
    name: "sentinel",
    image: imageRef(settings, IMAGES.redis),
    command: ["bash", "/scripts/sentinel-start.sh"],
    env: { REDISCLI_AUTH: password(secretName) },
    ports: { sentinel: { port: PORTS.sentinel } },
    probes: {
      startup: { tcp: "sentinel" },
      readiness: { tcp: "sentinel" },
      liveness: { tcp: "sentinel", timing: slowly },
    },
    resources: { cpu: 0.05, memoryMiB: 48 },
    mounts: [
      { volume: "scripts", path: "/scripts", readOnly: true },
      { volume: "data", path: "/data" },
    ],
  };
}

function exporterContainer({ settings }: StackContext, secretName: string): ContainerSpec {
  return {
    name: "exporter",
    image: imageRef(settings, IMAGES.redisExporter),
    env: { REDIS_ADDR: `redis://localhost:${PORTS.redis}`, REDIS_PASSWORD: password(secretName) },
    ports: { metrics: { port: PORTS.redisExporter } },
    probes: {
      startup: { http: "/health", port: "metrics" },
      readiness: { http: "/health", port: "metrics" },
      liveness: { http: "/health", port: "metrics", timing: slowly },
    },
    resources: { cpu: 0.02, memoryMiB: 32, memoryLimitMiB: 64 },
  };
}

function proxyContainer({ settings, plan }: StackContext, secretName: string): ContainerSpec {
  return {
    // -db: in the foreground, without a master process. HAProxy then writes no files, so the root file system stays
    // read-only.
    name: "haproxy",
    image: imageRef(settings, IMAGES.haproxy),
    command: ["haproxy", "-db", "-f", "/config/haproxy.cfg"],
    env: { REDIS_PASSWORD: password(secretName) },
    ports: { redis: { port: PORTS.redis }, metrics: { port: PORTS.routerHealth } },
    probes: {
      startup: { http: "/healthz", port: "metrics" },
      readiness: { http: "/healthz", port: "metrics" },
      liveness: { http: "/healthz", port: "metrics" },
    },
    resources: {
      cpu: plan.redis.proxy.cpu,
      memoryMiB: plan.redis.proxy.memoryMiB,
      memoryLimitMiB: Math.max(128, plan.redis.proxy.memoryMiB * 2),
    },
    mounts: [{ volume: "config", path: "/config", readOnly: true }],
    // The Service drops the pod before its open connections break.
    preStopSleepSeconds: 5,
  };
}
