import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PRIORITIES } from "../../core/priorities";
import { objectStoreClass } from "../cluster/storageClasses";
import type { StackContext } from "../../core/context";
import { imageRef, imageVersion } from "../../core/images";
import { NAMESPACES, NODE_LABELS, PORTS, SECRETS, SERVICES, serviceFqdn } from "../../core/names";
import type { StackSecrets } from "../../keys/secrets";
import {
  Workload,
  configHash,
  digest,
  labels,
  podTemplate,
  type PodSpec,
  type StrictGroup,
  type ObjectMetadata,
} from "../../core/workload";
import { drivePath, layoutGuardScript, minioLayout, poolArguments, type Layout } from "../../domain/minioLayout";
import { ROOT_USER, grants, provisionFiles } from "./provision";
import { IMAGES } from "./images";
import { BACKUP_S3_SECRET_KEY, MEDIA_S3_SECRET_KEY, MINIO_ROOT_PASSWORD } from "./secrets";

export interface MinioArgs {
  /** Settings, plan and provider; the plan must have `minio`. */
  ctx: StackContext;
  /** Generated secrets; needs those of `objectstore/secrets.ts`. */
  secrets: StackSecrets;
  /** Also make the bucket and the user for database backups. */
  withBackups: boolean;
}

const NAMESPACE = NAMESPACES.minio;
const UID = 1999;
/** Secret that only the provisioning Job reads: the secret keys of the users that it makes. */
const USERS_SECRET = "minio-users";
export const PROVISION_COMPONENT = "minio-provision";
/**
 * Seconds. A new MinIO could write after 23 s, with four pods on two shared cores (measured); pulling images adds to
 * it.
 */
const WAIT_SECONDS = 300;

/**
 * MinIO on the storage nodes, one pod per node, and the Job that makes its buckets and users. Throws where the plan has
 * no MinIO.
 */
export class Minio extends pulumi.ComponentResource {
  /** Complete when buckets and users exist. */
  readonly provisioned: k8s.batch.v1.Job;

  constructor(name: string, args: MinioArgs, opts?: pulumi.ComponentResourceOptions) {
    super("matrix-ha:objectstore:Minio", name, {}, opts);
    const { ctx, secrets, withBackups } = args;
    const { settings, plan } = ctx;
    if (!plan.minio)
      throw new Error(
        "objectStore.kind is minio and the plan has no MinIO: this is a defect of the plan, not of the settings.",
      );
    const version = imageVersion(settings, IMAGES.minio);
    const meta = (n: string, component: string = SERVICES.minioHeadless): ObjectMetadata => ({
      name: n,
      namespace: NAMESPACE,
      labels: labels(settings, component, "minio", version),
    });
    const layout = minioLayout({
      nodes: plan.minio.nodes,
      drivesPerNode: plan.minio.drivesPerNode,
      parity: plan.minio.parity,
      pools: plan.minio.pools,
      ...(plan.minio.survives === "zone" ? { setDrives: plan.minio.erasureSetDrives } : {}),
    });

    const rootSecret = new k8s.core.v1.Secret(
      `${name}-root`,
      {
        metadata: meta(SECRETS.minioRoot),
        stringData: { user: ROOT_USER, password: secrets.of(MINIO_ROOT_PASSWORD) },
      },
      { parent: this },
    );
    const server = new Workload(
      `${name}-server`,
      {
        ctx,
        namespace: NAMESPACE,
        component: SERVICES.minioHeadless,
        appName: "minio",
        version,
        kind: "StatefulSet",
        replicas: layout.replicas,
        podManagementPolicy: "Parallel",
        // A pod answers its health check a few seconds before it has joined; the next one must not stop earlier.
        // With changed arguments (a new pool) pods join only once most of them have restarted: reads and writes paused
        // for 49 s at 15 s per pod (measured).
        minReadySeconds: 10,
        timeoutSeconds: 900,
        services: [
          { name: SERVICES.minioHeadless, headless: true, publishNotReady: true, ports: { s3: PORTS.s3 } },
          { name: SERVICES.minioApi, ports: { s3: PORTS.s3 } },
        ],
        claims: Array.from({ length: layout.drivesPerNode }, (_, i) => ({
          name: `data${i}`,
          sizeGiB: plan.minio!.driveGiB,
          storageClass: objectStoreClass(settings, i),
        })),
        // Protected until a move says that everything is copied: the program refuses what would lose media
        // (holds.ts), and the engine refuses it again where no outputs tell the program what there is.
        protect: settings.deletionProtection && !settings.objectStore.moveFrom?.copied,
        after: [rootSecret],
        configHash: configHash({ password: secrets.of(MINIO_ROOT_PASSWORD) }),
        pod: serverPod(ctx, layout),
      },
      { parent: this },
    );

    const address = `${serviceFqdn(SERVICES.minioApi, NAMESPACE, settings.cluster.domain)}:${PORTS.s3}`;
    const files = provisionFiles({ address, grants: grants(withBackups), waitSeconds: WAIT_SECONDS });
    const keys: Record<string, pulumi.Output<string>> = {
      media: secrets.of(MEDIA_S3_SECRET_KEY),
      ...(withBackups ? { backup: secrets.of(BACKUP_S3_SECRET_KEY) } : {}),
    };
    const users = new k8s.core.v1.Secret(
      `${name}-users`,
      { metadata: meta(USERS_SECRET, PROVISION_COMPONENT), stringData: keys },
      { parent: this },
    );
    const fileMap = new k8s.core.v1.ConfigMap(
      `${name}-provision-files`,
      { metadata: meta(PROVISION_COMPONENT, PROVISION_COMPONENT), data: files },
      { parent: this },
    );
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-provision-account`,
      { metadata: meta(PROVISION_COMPONENT, PROVISION_COMPONENT), automountServiceAccountToken: false },
      { parent: this },
    );

    // A Job is immutable. Its name contains a hash of everything that it reads, so that a changed input makes a new
    // Job.
    const template = podTemplate({
      settings,
      component: PROVISION_COMPONENT,
      name: "minio",
      version: imageVersion(settings, IMAGES.mc),
      serviceAccountName: PROVISION_COMPONENT,
      pod: provisionPod(ctx, withBackups),
    });
    const inputs = configHash({
      ...files,
      ...keys,
      root: secrets.of(MINIO_ROOT_PASSWORD),
      template: digest(JSON.stringify(template)),
      layout: layout.pools.join("+"),
    });
    this.provisioned = new k8s.batch.v1.Job(
      `${name}-provision`,
      {
        metadata: {
          ...meta(PROVISION_COMPONENT, PROVISION_COMPONENT),
          name: pulumi.interpolate`${PROVISION_COMPONENT}-${inputs}`,
          annotations: { "pulumi.com/timeoutSeconds": "900" },
        },
        spec: { backoffLimit: 4, activeDeadlineSeconds: 840, template },
      },
      { parent: this, dependsOn: [server.controller, users, fileMap, account, rootSecret] },
    );
    this.registerOutputs({});
  }
}

/** The pods of each pool, which are spread strictly over zones: a zone must not have more drives of it than parity. */
function poolGroups({ pools }: Layout): StrictGroup[] {
  let first = 0;
  return pools.map((nodes, pool) => {
    const ordinals = Array.from({ length: nodes }, (_, i) => first + i);
    first += nodes;
    return { topologyKey: NODE_LABELS.poolZone(pool), ordinals };
  });
}

function serverPod({ settings, plan }: StackContext, layout: Layout): PodSpec {
  const args = poolArguments(layout, {
    statefulSet: SERVICES.minioHeadless,
    service: SERVICES.minioHeadless,
    namespace: NAMESPACE,
    clusterDomain: settings.cluster.domain,
    port: PORTS.s3,
  });
  const drives = Array.from({ length: layout.drivesPerNode }, (_, i) => ({
    volume: `data${i}`,
    path: drivePath(i).replace(/\/drive$/, ""),
  }));
  return {
    // With two pods on one node, the loss of that node would take both pods' drives. Its drain would never end either:
    // the first pod's volumes let it start nowhere else, and meanwhile the budget blocks the eviction of the second.
    uid: UID,
    role: "storage",
    onePerNode: true,
    ...(plan.minio?.survives === "zone" ? { strictGroups: poolGroups(layout) } : {}),
    runtimePriority: PRIORITIES.data.name,
    terminationGracePeriodSeconds: 60,
    initContainers: [
      {
        name: "layout-guard",
        image: imageRef(settings, IMAGES.mc),
        command: ["sh", "-c", layoutGuardScript(layout)],
        resources: { cpu: 0.01, memoryMiB: 32 },
        mounts: drives.map((d) => ({ ...d, readOnly: true })),
      },
    ],
    containers: [
      {
        name: "minio",
        image: imageRef(settings, IMAGES.minio),
        command: ["minio"],
        args: ["server", "--certs-dir", "/tmp/certs", "--address", `:${PORTS.s3}`, ...args],
        // All nodes must agree on every MINIO_ variable. MINIO_CI_CD is not needed: each drive is a mount of its own,
        // not the container's root drive.
        env: {
          MINIO_ROOT_USER_FILE: "/root-credentials/user",
          MINIO_ROOT_PASSWORD_FILE: "/root-credentials/password",
          MINIO_STORAGE_CLASS_STANDARD: `EC:${layout.parity}`,
          MINIO_ERASURE_SET_DRIVE_COUNT: String(layout.setDrives),
          MINIO_BROWSER: "off",
          MINIO_UPDATE: "off",
          MINIO_PROMETHEUS_AUTH_TYPE: "public",
          MINIO_API_STALE_UPLOADS_EXPIRY: "24h",
        },
        ports: { s3: { port: PORTS.s3 } },
        probes: {
          startup: { http: "/minio/health/live", port: "s3" },
          // Not /minio/health/cluster. MinIO compares binaries and arguments at start, and a pod with new ones joins
          // only when half of its peers have them too: a rollout that waited for the first pod to join would never end.
          // And after a lost quorum, the remaining pods would leave the Service, and reads would fail as well.
          readiness: { http: "/minio/health/ready", port: "s3" },
          liveness: { http: "/minio/health/live", port: "s3" },
        },
        resources: { cpu: plan.minio!.cpu, memoryMiB: plan.minio!.memoryMiB },
        mounts: [
          ...drives,
          { volume: "tmp", path: "/tmp" },
          { volume: "root-credentials", path: "/root-credentials", readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: "tmp", emptyDir: { sizeMiB: 64 } },
      { name: "root-credentials", secret: SECRETS.minioRoot },
    ],
  };
}

function provisionPod({ settings }: StackContext, withBackups: boolean): PodSpec {
  return {
    uid: UID,
    restartPolicy: "Never",
    containers: [
      {
        name: "mc",
        image: imageRef(settings, IMAGES.mc),
        command: ["sh", "/files/provision.sh"],
        env: {
          FILES: "/files",
          ROOT_USER: { secret: SECRETS.minioRoot, key: "user" },
          ROOT_PASSWORD: { secret: SECRETS.minioRoot, key: "password" },
          MEDIA_SECRET_KEY: { secret: USERS_SECRET, key: "media" },
          ...(withBackups ? { BACKUP_SECRET_KEY: { secret: USERS_SECRET, key: "backup" } } : {}),
        },
        resources: { cpu: 0.05, memoryMiB: 128 },
        mounts: [
          { volume: "files", path: "/files", readOnly: true },
          { volume: "tmp", path: "/tmp" },
        ],
      },
    ],
    volumes: [
      { name: "files", configMap: PROVISION_COMPONENT },
      { name: "tmp", emptyDir: { sizeMiB: 16, memory: true } },
    ],
  };
}
