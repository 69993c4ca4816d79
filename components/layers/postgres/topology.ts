/**
 * The database as one of several, one in each data centre: CloudNativePG's distributed topology (its
 * docs/src/replica_cluster.md). Pure.
 *
 * How the data centres read each other's database: by a role with a password, over TLS, with SCRAM bound to the TLS
 * channel (`channel_binding=require`). So each side proves to the other that it knows the password, and a stranger in
 * between can neither read nor answer. Certificates would do the same and expire: the operator's own live for 90 days,
 * the copies of them in other clusters would not be renewed with them, and when the authority changes it signs none of
 * the former ones anew (pkg/certs/k8s.go, RenewLeafCertificate).
 */
import { contains, parseAddress, parseAddresses } from "../../core/addresses";
import { archiveOf, isFounder, otherCentres, sourceOf, type Centre, type DataCentre } from "../../domain/dataCentre";
import type { Settings } from "../../settings/types";
import { OBJECT_STORE, PLUGIN, type Bootstrap } from "./backups";

/** Role by which other data centres copy the database. */
export const STREAM_ROLE = "matrix_ha_stream";
/** Secret of that role, with `username` and `password`. */
export const STREAM_SECRET = "synapse-postgres-stream";
/** Service at which other data centres reach the primary instance. */
export const STREAM_SERVICE = "synapse-postgres-stream";

/** Name of the ObjectStore that describes another data centre's archive, and of the Secret with its keys. */
export const archiveStore = (centre: string): string => `synapse-archive-${centre}`;

/** What PostgreSQL calls the connection of a data centre that follows; alerts tell it from the own standbys'. */
export const followerName = (centre: string): string => `matrix-ha-${centre}`;

/** What a connection to another data centre needs besides its address: encryption, and that both know the password. */
export const STREAM_TLS = { sslmode: "require", channel_binding: "require" } as const;

/** A data centre as CloudNativePG's external cluster: its archive, and of the others also the stream. */
function externalCluster(centre: Centre, { self }: DataCentre): object {
  const own = centre.name === self;
  return {
    name: centre.name,
    plugin: {
      name: PLUGIN,
      parameters: {
        barmanObjectName: own ? OBJECT_STORE : archiveStore(centre.name),
        serverName: archiveOf(centre),
      },
    },
    ...(own
      ? {}
      : {
          connectionParameters: {
            host: centre.stream.host,
            port: String(centre.stream.port),
            user: STREAM_ROLE,
            dbname: "postgres",
            ...STREAM_TLS,
            // A primary that vanished with its site is noticed, and the archive is read instead.
            connect_timeout: "10",
            application_name: followerName(self),
          },
          password: { name: STREAM_SECRET, key: "password" },
        }),
  };
}

/** Networks of the other data centres. */
export const streamSources = (settings: Pick<Settings, "dataCentre">): string[] => [
  ...new Set(otherCentres(settings).flatMap((centre) => centre.stream.from)),
];

/** The address that MetalLB shall give the Service: the one that others use, where it is this stack's to give. */
function ownAddress({ addressPools }: Settings, { host }: Centre["stream"]): string | undefined {
  const address = parseAddress(host);
  const pooled = addressPools.flatMap((pool) => pool.addresses.map(parseAddresses));
  return address && pooled.some((block) => block && contains(block, address)) ? host : undefined;
}

/**
 * The Service for the other data centres. It leads to the primary instance, or to the one that would be promoted. Who
 * is not in their networks is refused by the load balancer, by the network policy, and by the password.
 */
function streamService(settings: Settings, own: Centre): object {
  const address = ownAddress(settings, own.stream);
  return {
    selectorType: "rw",
    updateStrategy: "patch",
    serviceTemplate: {
      metadata: {
        name: STREAM_SERVICE,
        ...(address ? { annotations: { "metallb.io/loadBalancerIPs": address } } : {}),
      },
      spec: {
        type: "LoadBalancer",
        // As everywhere here: the sources stay visible, and no port on every node passes the firewall by.
        externalTrafficPolicy: "Local",
        allocateLoadBalancerNodePorts: false,
        loadBalancerSourceRanges: streamSources(settings),
      },
    },
  };
}

/** The Cluster's parts about the other data centres; empty where there are none. */
export function topologyStanza(settings: Settings): object {
  const { dataCentre } = settings;
  if (!dataCentre) return {};
  const { self, primary, promotionToken } = dataCentre;
  return {
    // One object, so that a promotion is one change: with the token apart from `primary`, CloudNativePG would promote
    // without waiting for the rest of the log, and the former primary could never follow again.
    replica: {
      self,
      primary,
      source: sourceOf(dataCentre),
      ...(self === primary && promotionToken !== undefined ? { promotionToken } : {}),
    },
    managed: {
      roles: [
        {
          name: STREAM_ROLE,
          ensure: "present",
          comment: "other data centres copy the database as this role",
          login: true,
          replication: true,
          passwordSecret: { name: STREAM_SECRET },
        },
      ],
      services: {
        additional: dataCentre.peers.filter((peer) => peer.name === self).map((own) => streamService(settings, own)),
      },
    },
  };
}

/** Lines of pg_hba.conf: a physical replication is none of the connections that the operator's last rule admits. */
export const streamRules = ({ dataCentre }: Pick<Settings, "dataCentre">): object =>
  dataCentre ? { pg_hba: [`hostssl replication ${STREAM_ROLE} all scram-sha-256`] } : {};

/**
 * How the database is made, in a data centre. That of a copy stays as it is when its data centre becomes the primary:
 * the operator reads it only for a missing database, and makes no standby any other way.
 *
 * @param alone How it would be made in a stack that is the only one.
 * @param application Database, owner and the owner's Secret.
 */
export function bootstrapAmong(
  { dataCentre }: Pick<Settings, "dataCentre">,
  alone: Bootstrap,
  application: object,
): Bootstrap {
  if (!dataCentre) return alone;
  const { bootstrap, externalClusters = [] } = isFounder(dataCentre)
    ? alone
    : { bootstrap: { recovery: { source: sourceOf(dataCentre), ...application } } };
  // CloudNativePG looks up self, primary and source among them, so this one is there too.
  return {
    bootstrap,
    externalClusters: [...externalClusters, ...dataCentre.peers.map((peer) => externalCluster(peer, dataCentre))],
  };
}
