/**
 * Synapse with all its workers. Order: secrets and configuration, a Job that reads every class's configuration as its
 * pods would, the main process (it owns the schema), the writers, then everything else.
 */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { StackContext } from "../../core/context";
import { imageRef, imageVersion } from "../../core/images";
import { NAMESPACES, SECRETS, synapseService } from "../../core/names";
import type { StackSecrets } from "../../keys/secrets";
import type { Settings } from "../../settings/types";
import { scaleAtPercent } from "../../sizing/synapsePools";
import type { PoolPlan } from "../../sizing/types";
import { runsSynapse } from "../../domain/dataCentre";
import type { WorkerClass } from "../../domain/workerClasses";
import { Workload, configHash, digest, labels, type ObjectMetadata } from "../../core/workload";
import { proxyUrl } from "../cluster/reach/proxy";
import { registrations, type Registrations } from "./appservices/Registrations";
import { checkJobSpec } from "./checkJob";
import { checkName, emailSecret, extraSecrets, type ExtraSecret } from "./extra/secrets";
import { renderSecretYaml, renderHomeserverYaml } from "./homeserverYaml";
import { isWriter, startOrder } from "./instances";
import { CLASS_FILE, SECRET_FILES, SHARED_FILES, oidcSecretFile } from "./paths";
import { synapsePod } from "./pod";
import {
  APPSERVICE_QUEUE_PY,
  checkPy,
  FRESH_SESSIONS_PY,
  LDAP_PY,
  LOST_EVENTS_PY,
  oneCentrePy,
  ONLY_ONE_PY,
  REASONS_PY,
  TRIM_PY,
  WAIT_PY,
} from "./scripts";
import { termsFiles } from "./terms";
import { portsOf, renderLogYaml, renderWorkerYaml } from "./workerYaml";
import { IMAGES } from "./images";
import { FORM, MACAROON, REGISTRATION, REPLICATION, SIGNING_KEY } from "./secrets";
import { TURN_SHARED_SECRET } from "../../domain/calls";
import { REDIS_PASSWORD } from "../redis/secrets";
import { DATABASE_PASSWORD } from "../postgres/secrets";

/** What the homeserver is made from. */
export interface SynapseServerArgs {
  /** Settings and plan. */
  ctx: StackContext;
  /** The stack's generated secrets, of which it takes those of secrets.ts, Redis, PostgreSQL and TURN. */
  secrets: StackSecrets;
  /**
   * TURN URIs handed to clients, one per call host and transport; empty where TURN is off.
   * @example ["turn:192.0.2.1:3478?transport=udp"]
   */
  turnUris: string[];
  /**
   * Object store for media: an S3 URL with its region and bucket. The credentials are keys `accessKey` and `secretKey`
   * of the Secret `secretName`, which must be in Synapse's namespace.
   */
  s3: { endpoint: string; region: string; bucket: string; secretName: string };
  /** Secret with keys `username` and `password` of the database. @default SECRETS.database */
  databaseSecretName?: string;
  /** URL of lk-jwt-service as clients reach it; used where RTC is on. @default `https://<hostnames.rtc>` */
  rtcServiceUrl?: string;
}

interface CheckArgs {
  ctx: StackContext;
  /** Metadata of an object, by its name and component. @default component "synapse" */
  meta(objectName: string, component?: string): ObjectMetadata;
  /** The objects that the Job mounts. */
  inputs: pulumi.Resource[];
  /** What the Job runs. */
  program: string;
  /** Contains a hash of what the Job checks: a changed configuration is another Job. */
  jobName: pulumi.Input<string>;
  /** The Secrets with further options. */
  extras: readonly ExtraSecret[];
  /** Names of the ConfigMaps, and of the Secret with secret options, where there is one. */
  maps: { shared: string; terms?: string; classes: Partial<Record<WorkerClass, string>>; email?: pulumi.Input<string> };
  appservices?: Registrations;
}

/** What is in the Secret of all processes, by its files. */
function secretFiles(settings: Settings, secrets: StackSecrets): Record<string, pulumi.Output<string>> {
  return {
    [SECRET_FILES.signingKey]: secrets.of(SIGNING_KEY).apply((k) => `${k.trim()}\n`),
    [SECRET_FILES.macaroon]: secrets.of(MACAROON),
    [SECRET_FILES.form]: secrets.of(FORM),
    [SECRET_FILES.registration]: secrets.of(REGISTRATION),
    [SECRET_FILES.replication]: secrets.of(REPLICATION),
    [SECRET_FILES.turn]: secrets.of(TURN_SHARED_SECRET),
    [SECRET_FILES.redis]: secrets.of(REDIS_PASSWORD),
    ...(settings.registration.captcha
      ? {
          [SECRET_FILES.captchaPublic]: pulumi.secret(settings.registration.captcha.siteKey),
          [SECRET_FILES.captchaPrivate]: pulumi.secret(settings.registration.captcha.secretKey),
        }
      : {}),
    ...Object.fromEntries((settings.sso?.oidc ?? []).map((p) => [oidcSecretFile(p.id), pulumi.secret(p.clientSecret)])),
  };
}

/** The files that every process of Synapse reads. */
function sharedTexts({ ctx: { settings, plan }, turnUris, rtcServiceUrl }: SynapseServerArgs): Record<string, string> {
  return {
    [SHARED_FILES.homeserver]: renderHomeserverYaml({
      settings,
      plan,
      turnUris,
      rtcServiceUrl: rtcServiceUrl ?? `https://${settings.hostnames.rtc}`,
    }),
    [SHARED_FILES.log]: renderLogYaml(settings.overrides.synapse.logLevel ?? "INFO", settings.httpProxy !== undefined),
    [SHARED_FILES.wait]: WAIT_PY,
    [SHARED_FILES.trim]: TRIM_PY,
    [SHARED_FILES.lost]: LOST_EVENTS_PY,
    [SHARED_FILES.sessions]: FRESH_SESSIONS_PY,
    ...(settings.trustedAuthorities ? { [SHARED_FILES.authorities]: settings.trustedAuthorities } : {}),
    [SHARED_FILES.only]: ONLY_ONE_PY,
    ...(settings.dataCentre ? { [SHARED_FILES.centre]: oneCentrePy(settings.dataCentre) } : {}),
    ...(settings.ldap ? { [SHARED_FILES.ldap]: LDAP_PY } : {}),
    ...(settings.appservices.length > 0 ? { [SHARED_FILES.appservices]: APPSERVICE_QUEUE_PY } : {}),
  };
}

/** The homeserver: configuration, its check, the main process and all workers. */
export class SynapseServer extends pulumi.ComponentResource {
  readonly main: Workload;
  /** All other processes, one workload per class, in the order of their start. */
  readonly workers: Workload[] = [];
  /** Only the main process: the workers wait for it themselves. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: SynapseServerArgs, opts: pulumi.ComponentResourceOptions) {
    super("matrix-ha:synapse:SynapseServer", name, {}, opts);
    const { settings, plan } = args.ctx;
    const parent: pulumi.CustomResourceOptions = { parent: this };
    const version = imageVersion(settings, IMAGES.synapse);
    const meta = (objectName: string, component = "synapse"): ObjectMetadata => ({
      name: objectName,
      namespace: NAMESPACES.matrix,
      labels: labels(settings, component, "synapse", version),
    });

    // ------------------------------------------------------------ configuration, as text
    const shared = sharedTexts(args);
    const perClass = plan.synapse.pools.map((pool) => ({
      pool,
      yaml: renderWorkerYaml({ settings, plan, class: pool.class, s3: args.s3 }),
    }));
    const email = renderSecretYaml(settings);

    // Named by content: a configuration that the check refuses reaches no pod, not even one that restarts meanwhile.
    const configMap = (
      resource: string,
      base: string,
      data: Record<string, string>,
      component?: string,
    ): [string, k8s.core.v1.ConfigMap] => {
      const objectName = `${base}-${digest(JSON.stringify(data)).slice(0, 10)}`;
      return [
        objectName,
        new k8s.core.v1.ConfigMap(
          `${name}-${resource}`,
          { metadata: meta(objectName, component), immutable: true, data },
          parent,
        ),
      ];
    };
    const [sharedName, sharedMap] = configMap("config", "synapse-shared", shared);
    const pages = settings.terms && termsFiles(settings.terms);
    const [termsName, termsMap] = pages ? configMap("terms", "synapse-terms", pages) : [];
    const classMaps = perClass.map(({ pool, yaml }) => {
      const service = synapseService(pool.class);
      const [objectName, object] = configMap(`config-${pool.class}`, service, { [CLASS_FILE]: yaml }, service);
      return { pool, yaml, objectName, object };
    });

    const secretValues = secretFiles(settings, args.secrets);
    const secret = new k8s.core.v1.Secret(
      `${name}-secrets`,
      { metadata: meta(SECRETS.synapse), type: "Opaque", stringData: secretValues },
      parent,
    );
    const options = { key: secretValues[SECRET_FILES.macaroon]!, meta, parent: this };
    const secretOptions = email === undefined ? undefined : emailSecret(name, email, options);
    const extras = extraSecrets(name, {
      ...options,
      settings,
      classes: perClass.map(({ pool, yaml }) => ({
        class: pool.class,
        texts: [shared[SHARED_FILES.homeserver]!, email ?? "", yaml],
      })),
    });
    const appservices = registrations(name, { settings, secrets: args.secrets, meta }, parent);
    const inputs = [
      sharedMap,
      ...(termsMap ? [termsMap] : []),
      secret,
      ...(secretOptions ? [secretOptions.object] : []),
      ...classMaps.map((c) => c.object),
      ...extras.map((e) => e.object),
      ...(appservices?.secret ? [appservices.secret] : []),
    ];

    // ------------------------------------------------------------ the check
    const program = checkPy({ appservices: appservices?.urls });
    const texts = {
      ...shared,
      ...pages,
      check: program,
      reasons: REASONS_PY,
      ...(appservices ? { appservices: appservices.content } : {}),
      image: imageRef(settings, IMAGES.synapse),
      ...Object.fromEntries(perClass.map((c) => [c.pool.class, c.yaml])),
    };
    const check = this.checkJob(name, {
      ctx: args.ctx,
      meta,
      inputs,
      program,
      jobName: checkName(digest(JSON.stringify(texts)).slice(0, 10), { email: secretOptions, extras }),
      extras,
      maps: {
        shared: sharedName,
        ...(termsName === undefined ? {} : { terms: termsName }),
        classes: Object.fromEntries(classMaps.map((c) => [c.pool.class, c.objectName])),
        email: secretOptions?.name,
      },
      ...(appservices ? { appservices } : {}),
    });

    // ------------------------------------------------------------ the processes
    const databaseSecret = args.databaseSecretName ?? SECRETS.database;
    const start = (c: (typeof classMaps)[number], after: pulumi.Resource[]): Workload =>
      this.pool(name, args, {
        pool: c.pool,
        after,
        configHash: configHash({
          ...secretValues,
          shared: JSON.stringify(shared),
          class: c.yaml,
          email: pulumi.secret(email ?? ""),
          database: args.secrets.of(DATABASE_PASSWORD),
          ...(appservices ? { appservices: appservices.text } : {}),
          ...(pages ? { terms: JSON.stringify(pages) } : {}),
          ...(settings.httpProxy ? { proxy: pulumi.secret(proxyUrl(settings.httpProxy)) } : {}),
        }),
        pod: synapsePod({
          settings,
          plan,
          pool: c.pool,
          sharedMap: sharedName,
          classMap: c.objectName,
          databaseSecret,
          mediaSecret: args.s3.secretName,
          email: secretOptions?.name,
          extra: extras.find((e) => e.class === c.pool.class)?.name,
          ...(appservices ? { appservices: appservices.sources } : {}),
          ...(termsName === undefined ? {} : { termsMap: termsName }),
        }),
      });
    this.main = start(
      classMaps.find((c) => c.pool.class === "main")!,
      [check],
    );
    for (const group of startOrder(plan)) {
      const before = this.workers.map((w) => w.controller);
      this.workers.push(
        ...classMaps
          .filter((c) => group.includes(c.pool.class))
          .map((c) => start(c, [check, this.main.controller, ...before])),
      );
    }
    this.ready = [this.main];
    this.registerOutputs({});
  }

  private pool(
    name: string,
    args: SynapseServerArgs,
    p: {
      pool: PoolPlan;
      after: pulumi.Resource[];
      configHash: pulumi.Output<string>;
      pod: ReturnType<typeof synapsePod>;
    },
  ): Workload {
    const { settings, plan } = args.ctx;
    const { pool } = p;
    const service = synapseService(pool.class);
    const scales = pool.kind === "Deployment" && pool.maxReplicas > pool.replicas && runsSynapse(settings);
    return new Workload(
      `${name}-${pool.class}`,
      {
        ctx: args.ctx,
        namespace: NAMESPACES.matrix,
        component: service,
        appName: "synapse",
        version: imageVersion(settings, IMAGES.synapse),
        kind: pool.kind,
        ...(scales
          ? { autoscale: { min: pool.replicas, max: pool.maxReplicas, cpuPercent: scaleAtPercent(pool.cpu) } }
          : { replicas: runsSynapse(settings) ? pool.replicas : 0 }),
        pod: p.pod,
        after: p.after,
        configHash: p.configHash,
        // Peers must find a writer that is starting, else their requests fail by name instead of waiting for it.
        services: [
          {
            name: service,
            headless: true,
            publishNotReady: isWriter(plan, pool.class),
            ports: portsOf({ settings, plan, class: pool.class }),
          },
        ],
        // A schema upgrade of the main process may take long; everything else is quick.
        timeoutSeconds: pool.class === "main" ? 3600 : 900,
      },
      { parent: this },
    );
  }

  private checkJob(name: string, args: CheckArgs): k8s.batch.v1.Job {
    const { ctx, meta, inputs, jobName, program, maps, extras, appservices } = args;
    const component = "synapse-check-config";
    const scripts = { [SHARED_FILES.check]: program, [SHARED_FILES.reasons]: REASONS_PY };
    const scriptsName = `${component}-${digest(JSON.stringify(scripts)).slice(0, 10)}`;
    const account = new k8s.core.v1.ServiceAccount(
      `${name}-check-account`,
      { metadata: meta(component, component), automountServiceAccountToken: false },
      { parent: this },
    );
    const script = new k8s.core.v1.ConfigMap(
      `${name}-check-script`,
      { metadata: meta(scriptsName, component), immutable: true, data: scripts },
      { parent: this },
    );
    return new k8s.batch.v1.Job(
      `${name}-check-config`,
      {
        metadata: { ...meta("", component), name: jobName, annotations: { "pulumi.com/timeoutSeconds": "600" } },
        spec: checkJobSpec({ ctx, component, script: scriptsName, maps, extras, appservices: appservices?.sources }),
      },
      { parent: this, dependsOn: [...inputs, account, script] },
    );
  }
}
