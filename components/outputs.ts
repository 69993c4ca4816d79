/**
 * The outputs that other stacks may rely on. They are typed and versioned: within a version no field is removed and
 * none changes its meaning. `contract` is the version.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "./settings/types";
import type { Plan } from "./sizing/types";
import { fqdn } from "./core/context";
import type { Identity } from "./core/identity";
import { heldBy } from "./holds";
import { SECRET_FILES } from "./layers/synapse/paths";
import { NAMESPACES, PORTS, SECRETS, SERVICES } from "./core/names";
import { ingressAddresses } from "./layers/ingress/dns";
import { servedElsewhere } from "./layers/web/documents";
import { VERSION } from "./core/version";
import { redisConnection, type RedisConnection } from "./layers/redis/connection";

/** Version of `StackOutputs`; rises when a field is removed or changes its meaning. */
export const CONTRACT_VERSION = 1;

/** Where a secret is stored; never its value. */
export interface SecretReference {
  namespace: string;
  /** Name of the Kubernetes Secret. */
  name: string;
  /** Key in its `data`. */
  key: string;
}

export type { RedisConnection };

/** What a program that is an appservice needs. */
export interface AppserviceConnection {
  /** URL of the client API within the cluster. */
  homeserver: string;
  /** The `:server` part of user ids. */
  serverName: string;
  /** URL at which Synapse reaches the program; absent where it receives nothing. */
  url?: string;
  /** Where it runs, if its settings have `pods`: network policies select exactly these. */
  pods?: { namespace: string; labels: Record<string, string>; port: number; service: string };
  /** Its own user's id; absent where its registration is given as a whole. */
  sender?: string;
  /** Secret. The whole registration file; absent where it is in a Secret that exists. */
  registration?: string;
  /** Secret. Tokens of a registration that the stack makes. */
  asToken?: string;
  /** Secret. */
  hsToken?: string;
}

/** The outputs of a stack, as a StackReference reads them. Absent fields belong to parts that are off. */
export interface StackOutputs {
  /** `CONTRACT_VERSION` of the stack. */
  contract: number;
  /** Version of the code that made this deployment, as in CHANGELOG.md. @example "0.1.0" */
  version: string;
  /** Public `https://` URLs, without a slash at the end. */
  urls: { homeserver: string; web?: string; admin?: string; rtc?: string; wellKnownClient: string };
  /** The `:server` part of user ids. */
  serverName: string;
  /**
   * For pods of other stacks in the cluster. `router` and `s3Endpoint` are URLs. `postgres` (through the pooler) and
   * `postgresPrimary` are `host:port`.
   */
  services: { router: string; postgres: string; postgresPrimary: string; s3Endpoint?: string };
  /** Redis for applications of other stacks, on a database that Synapse does not use. */
  redis: RedisConnection;
  /** Where credentials are stored; reading them needs permissions in the cluster. */
  secrets: { database: SecretReference; registrationSharedSecret: SecretReference; mediaS3: SecretReference };
  /**
   * Addresses of the ingress controller: every public host name has a DNS record for each. Empty when the stack does
   * not install the controller.
   */
  ingressAddresses: string[];
  /** The main numbers of the plan. */
  plan: {
    /** Concurrent users that the stack is sized for. */
    ccu: number;
    /** Whether `ccu` is beyond the measured range. */
    extrapolated: boolean;
    /** PostgreSQL instances, the primary included. */
    postgresInstances: number;
    /** `max_connections` of PostgreSQL. */
    maxConnections: number;
    /** Connections that all worker pools open together at their largest. */
    connectionsAtMax: number;
    /** Redis instances, the master included. */
    redisInstances: number;
    /** Pods of each Synapse worker class; the minimum where it is autoscaled. */
    workers: Record<string, number>;
    /** What the numbers do not show, one sentence each. */
    notes: string[];
  };
  /** PEM of the stack's own CA, which clients must trust; absent when there is none. Not a secret. */
  caCertificate?: string;
  /** The server's public key, and the fingerprint of its keys (the value for `savedKeys`). Not a secret. */
  signingKey: { id: string; verifyKey: string; fingerprint: string };
  /**
   * What this deployment holds that the next one must not lose, by layer: read by the stack's own next deployment.
   * Other stacks must not rely on its fields.
   */
  holds: Record<string, object>;
  /**
   * Among several data centres: which one this is, which one serves, and keyed hashes of the secrets that must be the
   * same in all of them, by their names in `importSecrets`. Absent in a stack that is the only one.
   */
  dataCentre?: { self: string; primary: string; secrets: Record<string, string> };
  /** Appservices by their ids. The whole output is a secret. Absent where there are none. */
  appservices?: Record<string, AppserviceConnection>;
  /** As clients get them; empty when TURN is off. @example ["turns:turn.example.com:5349?transport=tcp"] */
  turnUris: string[];
  /** What another web server answers in place of this stack, by URL; absent unless `web.wellKnown.servedElsewhere`. */
  wellKnown?: Record<string, object>;
}

/** What the outputs are made from. */
export interface OutputsInput {
  settings: Settings;
  plan: Plan;
  /** From `turnUris(settings)`. */
  turnUris: string[];
  /** URL of the S3 API that holds the media. @default none */
  s3Endpoint?: string;
  /** PEM of the own CA. @default none */
  caCertificate?: pulumi.Output<string>;
  identity: pulumi.Output<Identity>;
  /** From `sharedHashes`. @default the stack is the only one */
  sharedHashes?: pulumi.Output<Record<string, string>>;
  /** From `appserviceConnections`. @default none */
  appservices?: pulumi.Output<Record<string, AppserviceConnection>>;
}

/** `StackOutputs`, in part known only after the deployment. */
export type StackOutputInputs = { [K in keyof StackOutputs]: pulumi.Input<StackOutputs[K]> };

/** The outputs of a stack. */
export function stackOutputs(input: OutputsInput): StackOutputInputs {
  const { settings, plan } = input;
  const https = (host: string): string => `https://${host}`;
  return {
    contract: CONTRACT_VERSION,
    version: VERSION,
    serverName: settings.serverName,
    urls: {
      homeserver: https(settings.hostnames.homeserver),
      ...(settings.web.elementWeb.enabled ? { web: https(settings.hostnames.web) } : {}),
      ...(settings.web.admin.enabled ? { admin: https(settings.hostnames.admin) } : {}),
      ...(settings.rtc.enabled ? { rtc: https(settings.hostnames.rtc) } : {}),
      wellKnownClient: `${https(settings.serverName)}/.well-known/matrix/client`,
    },
    services: {
      router: `http://${fqdn(input, SERVICES.router, NAMESPACES.matrix)}:${PORTS.routerHttp}`,
      postgres: `${fqdn(input, SERVICES.pooler, NAMESPACES.matrix)}:${PORTS.postgres}`,
      postgresPrimary: `${fqdn(input, SERVICES.postgresRw, NAMESPACES.matrix)}:${PORTS.postgres}`,
      ...(input.s3Endpoint ? { s3Endpoint: input.s3Endpoint } : {}),
    },
    redis: redisConnection(settings),
    ingressAddresses: ingressAddresses({ plan }),
    secrets: {
      database: { namespace: NAMESPACES.matrix, name: SECRETS.database, key: "password" },
      registrationSharedSecret: { namespace: NAMESPACES.matrix, name: SECRETS.synapse, key: SECRET_FILES.registration },
      mediaS3: { namespace: NAMESPACES.matrix, name: SECRETS.mediaS3, key: "secretKey" },
    },
    plan: {
      ccu: plan.ccu,
      extrapolated: plan.extrapolated,
      postgresInstances: plan.postgres.instances,
      maxConnections: plan.postgres.maxConnections,
      connectionsAtMax: plan.postgres.connectionsAtMax,
      redisInstances: plan.redis.instances,
      workers: Object.fromEntries(plan.synapse.pools.map((p) => [p.class, p.replicas])),
      notes: plan.notes,
    },
    ...(input.caCertificate ? { caCertificate: input.caCertificate } : {}),
    signingKey: input.identity,
    holds: heldBy({ settings, plan }),
    ...(settings.dataCentre && input.sharedHashes
      ? {
          dataCentre: input.sharedHashes.apply((hashes) => ({
            self: settings.dataCentre!.self,
            primary: settings.dataCentre!.primary,
            secrets: hashes,
          })),
        }
      : {}),
    ...(input.appservices ? { appservices: input.appservices } : {}),
    turnUris: input.turnUris,
    ...(settings.web.wellKnown.servedElsewhere ? { wellKnown: servedElsewhere(settings) } : {}),
  };
}
