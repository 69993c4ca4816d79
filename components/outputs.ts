/**
 * What other stacks may rely on. Typed and versioned: a field is never removed or changed in meaning within a
 * version; `contract` tells which one a stack speaks.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "./settings/types";
import type { Plan } from "./sizing/types";
import { fqdn } from "./core/context";
import type { Identity } from "./core/identity";
import { SECRET_FILES } from "./layers/synapse/paths";
import { NAMESPACES, PORTS, SECRETS, SERVICES } from "./core/names";
import { redisConnection, type RedisConnection } from "./layers/redis/connection";

export const CONTRACT_VERSION = 1;

/** Where a secret lives; never its value. */
export interface SecretReference {
  namespace: string;
  name: string;
  key: string;
}

export type { RedisConnection };

export interface StackOutputs {
  contract: number;
  urls: { homeserver: string; web?: string; admin?: string; rtc?: string; wellKnownClient: string };
  serverName: string;
  /** Complete in-cluster names, for pods of other stacks. */
  services: { router: string; postgres: string; postgresPrimary: string; s3Endpoint?: string };
  redis: RedisConnection;
  /** Objects that hold credentials; readable with the cluster's own permissions. */
  secrets: { database: SecretReference; registrationSharedSecret: SecretReference; mediaS3: SecretReference };
  plan: {
    ccu: number;
    extrapolated: boolean;
    postgresInstances: number;
    maxConnections: number;
    connectionsAtMax: number;
    redisInstances: number;
    workers: Record<string, number>;
    notes: string[];
  };
  /** PEM of the stack's own CA, where it made one: what clients must trust. Not a secret. */
  caCertificate?: string;
  /**
   * The server's public key, and the fingerprint of the keys that a copy must be kept of (`savedKeys`). Nothing secret.
   */
  signingKey: { id: string; verifyKey: string; fingerprint: string };
  turnUris: string[];
}

export interface OutputsInput {
  settings: Settings;
  plan: Plan;
  turnUris: string[];
  s3Endpoint?: string;
  caCertificate?: pulumi.Output<string>;
  identity: pulumi.Output<Identity>;
}

/** `StackOutputs`, some of it known only after the deployment. */
export type StackOutputInputs = { [K in keyof StackOutputs]: pulumi.Input<StackOutputs[K]> };

export function stackOutputs(input: OutputsInput): StackOutputInputs {
  const { settings, plan } = input;
  const https = (host: string): string => `https://${host}`;
  return {
    contract: CONTRACT_VERSION,
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
    turnUris: input.turnUris,
  };
}
