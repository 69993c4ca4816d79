/** The layers, wired. What each gets from the others is visible here and nowhere else. */
import * as pulumi from "@pulumi/pulumi";
import { checkedIdentity } from "./keys/checkedIdentity";
import { ClusterFoundation, NetworkPolicies } from "./layers/cluster";
import { fieldManager, type StackContext } from "./core/context";
import { edges } from "./topology";
import { Hosts } from "./layers/hosts";
import { PublicIngress } from "./layers/ingress";
import { Monitoring } from "./layers/monitoring";
import { NAMESPACES, SECRETS, SERVICES } from "./core/names";
import { ObjectStore } from "./layers/objectstore";
import { Order, startsNothing } from "./core/order";
import { stackOutputs, type StackOutputInputs } from "./outputs";
import { PostgresCluster } from "./layers/postgres";
import { RedisSentinel } from "./layers/redis";
import { HaproxyRouter } from "./layers/router";
import { REDIS_MASTER_NAME, Rtc } from "./layers/rtc";
import { StackSecrets } from "./keys/secrets";
import { SynapseServer } from "./layers/synapse";
import { Turn, turnUris } from "./layers/turn";
import { Web } from "./layers/web";

export class MatrixStack extends pulumi.ComponentResource {
  readonly outputs: StackOutputInputs;
  /** Resources that nothing else of the stack comes after. */
  readonly last: pulumi.Resource[];

  constructor(name: string, ctx: StackContext, opts?: pulumi.ComponentResourceOptions) {
    const order = new Order();
    super(
      "matrix-ha:stack:MatrixStack",
      name,
      {},
      {
        ...opts,
        providers: { kubernetes: ctx.provider },
        transformations: [appliedAs(fieldManager(ctx.settings)), order.transformation],
      },
    );
    const { settings, plan } = ctx;
    /**
     * Options of a layer: its resources come after what any object needs, and those that start something after others
     * too.
     */
    const after = (...resources: pulumi.Resource[][]): pulumi.ComponentResourceOptions =>
      layerAfter(this, cluster.basics, resources.flat());

    const secrets = new StackSecrets("secrets", { settings }, { parent: this });
    const hosts = new Hosts("hosts", { ctx }, { parent: this });
    const cluster = new ClusterFoundation("cluster", { ctx, after: hosts.ready }, { parent: this });
    const { basics, tls } = cluster;
    new NetworkPolicies("policies", { ctx, edges: edges({ settings, plan }), after: basics }, { parent: this });

    const objects = new ObjectStore("objectstore", { ctx, secrets }, after());
    const postgres = new PostgresCluster(
      "postgres",
      {
        ctx,
        secrets,
        backup: objects.backup && { ...objects.backup, accessKeyKey: "accessKey", secretKeyKey: "secretKey" },
      },
      after(cluster.ready("cloudnative-pg"), cluster.ready("plugin-barman-cloud"), objects.ready),
    );
    const redis = new RedisSentinel(
      "redis-synapse",
      {
        ctx,
        component: SERVICES.redisSynapse,
        namespace: NAMESPACES.matrix,
        secretName: SECRETS.redisSynapse,
        password: secrets.redisSynapsePassword,
        masterName: SERVICES.redisSynapse,
      },
      after(),
    );

    // ACME proves a name by HTTP at its address, and the TURN host's address is coturn's: no certificate, so no TURN
    // over TLS.
    const turnTls = settings.tls.mode !== "acme";
    const uris = turnUris(settings, { tls: turnTls });
    const synapse = new SynapseServer(
      "synapse",
      { ctx, secrets, turnUris: uris, s3: objects.media, databaseSecretName: postgres.databaseSecretName },
      after(postgres.ready, redis.ready, objects.ready),
    );
    const router = new HaproxyRouter("router", { ctx }, after());
    const web = new Web("web", { ctx }, after());

    const calls: pulumi.Resource[] = [];
    if (plan.turn) {
      calls.push(
        ...new Turn(
          "turn",
          { ctx, secrets, tlsSecretName: turnTls ? tls.secretName("turn") : undefined },
          after(tls.ready),
        ).ready,
      );
    }
    if (plan.rtc) {
      const redisCalls = new RedisSentinel(
        "redis-livekit",
        {
          ctx,
          component: SERVICES.redisLivekit,
          namespace: NAMESPACES.livekit,
          secretName: SECRETS.redisLivekit,
          password: secrets.redisLivekitPassword,
          masterName: REDIS_MASTER_NAME,
        },
        after(),
      );
      calls.push(
        ...new Rtc(
          "rtc",
          {
            ctx,
            secrets,
            ca: tls.trustBundle ? { configMap: tls.trustBundle, key: "ca.crt", hash: tls.caPem } : undefined,
          },
          after(tls.ready, redisCalls.ready),
        ).ready,
      );
    }

    new PublicIngress(
      "ingress",
      { ctx, tls },
      after(cluster.doorReady, tls.ready, synapse.ready, router.ready, web.ready, calls),
    );
    if (settings.monitoring.enabled)
      new Monitoring("monitoring", { ctx, secrets }, after(cluster.ready("prometheus-operator")));

    const identity = checkedIdentity(settings, secrets.signingKey, tls.caPem);
    this.outputs = stackOutputs({
      settings,
      plan,
      turnUris: uris,
      s3Endpoint: objects.media.endpoint,
      caCertificate: tls.caPem,
      identity,
    });
    this.last = order.last();
    this.registerOutputs({});
  }
}

/**
 * How long the deletion of any object is waited for. Pods end within their grace period, a minute at most but for
 * calls, which may go on for an hour. A deletion that takes longer waits for a machine that is gone, for calls, or for
 * the webhook of an operator that is down: it says so after this, and `destroy` again goes on. Without it the limit is
 * that of the rollout (an hour for Synapse's main process), or ten minutes (seen: a ScheduledBackup whose operator was
 * away).
 */
export const DELETED_WITHIN = { delete: "5m" };

/** Every object of the cluster is applied under the stack's own name, and says so when its deletion hangs. */
const appliedAs =
  (manager: string): pulumi.ResourceTransformation =>
  ({ type, props, opts }) => {
    if (!type.startsWith("kubernetes:")) return undefined;
    const { metadata } = props;
    return {
      props: {
        ...props,
        metadata: { ...metadata, annotations: { ...metadata?.annotations, "pulumi.com/patchFieldManager": manager } },
      },
      opts: pulumi.mergeOptions(opts, { customTimeouts: DELETED_WITHIN }),
    };
  };

/**
 * `dependsOn` of a component delays its children but is no dependency of theirs: a destroy would not know the order.
 * So it is given to each child instead, and to those that start nothing only what any object needs.
 */
function layerAfter(
  parent: pulumi.Resource,
  basics: pulumi.Resource[],
  resources: pulumi.Resource[],
): pulumi.ComponentResourceOptions {
  return {
    parent,
    transformations: [
      ({ type, props, opts }) => ({
        props,
        opts: pulumi.mergeOptions(opts, { dependsOn: startsNothing(type) ? basics : [...basics, ...resources] }),
      }),
    ],
  };
}
