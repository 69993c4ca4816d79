/** Connections that Synapse's processes make. Pure. */
import { isPods, outgoingTo, tcp, type Edge, type Peer } from "../../core/edges";
import type { PlanInput } from "../../core/layer";
import { NAMESPACES, PORTS, SERVICES, synapseService } from "../../core/names";
import { isStandby, otherCentres } from "../../domain/dataCentre";
import { callsTo, type WorkerClass } from "../../domain/workerClasses";
import type { Settings } from "../../settings/types";
import { httpAnywhere, httpTo } from "../cluster/reach/proxy";
import { MINIO } from "../objectstore/edges";
import { POOLERS } from "../postgres/edges";
import { appserviceClients, appserviceEdges } from "./appservices/edges";
import { EVENT_REPLICATION_PORTS, isWriter, replicationPort, writesEvents } from "./instances";
import { ldapServers } from "./ldapYaml";
import { REPLACER } from "./replacerFacts";
import { portsOf } from "./workerYaml";

/** The processes of a class, as one end of an edge. */
export const synapsePeer = (cls: WorkerClass): Peer => ({
  component: synapseService(cls),
  namespace: NAMESPACES.matrix,
});

const redis: Peer = { component: SERVICES.redisSynapseMaster, namespace: NAMESPACES.matrix };

/** Every connection of the classes that this plan has. */
export function synapseEdges(input: PlanInput): Edge[] {
  const { settings, plan } = input;
  const classes = plan.synapse.pools.map((p) => p.class);
  const writers = classes.filter((c) => isWriter(plan, c));
  const federation = federationPorts(settings);
  // All ports that event persisters may have, while their number changes: a process with the old number must be refused
  // at once by the peer, not dropped in silence by the network. The port in use is within the range; it is named as
  // well, because the local cluster's test can connect only to that one.
  const writerPorts = (w: WorkerClass): Edge["ports"] => [
    ...tcp(replicationPort(plan, w)),
    ...(writesEvents(plan, w) ? [{ ...EVENT_REPLICATION_PORTS, protocol: "TCP" as const }] : []),
  ];
  const replacer: Peer = { component: REPLACER, namespace: NAMESPACES.matrix };
  const replacing: Edge[] = [
    { from: replacer, to: { apiServer: true }, ports: tcp(6443), why: "which machines are lost, and their pods" },
    { from: { nodes: true }, to: replacer, ports: tcp(PORTS.synapseHealth), why: "probes" },
  ];
  const processes = classes.flatMap((cls): Edge[] => {
    const from = synapsePeer(cls);
    const ports = portsOf({ settings, plan, class: cls });
    return [
      { from, to: POOLERS, ports: tcp(PORTS.postgres), why: "database, through the connection pooler" },
      { from, to: redis, ports: tcp(PORTS.redis), why: "replication stream and shared cache, at the master" },
      ...writers
        .filter((w) => w !== cls || (plan.synapse.pools.find((p) => p.class === w)?.replicas ?? 1) > 1)
        .map((w): Edge => ({
          from,
          to: synapsePeer(w),
          ports: writerPorts(w),
          why: `requests to the writers of class ${w}`,
        })),
      { from: { nodes: true }, to: from, ports: tcp(ports.health!), why: "probes" },
      ...(callsTo(cls, "media-store") ? mediaEdges(from, settings) : []),
      ...(callsTo(cls, "push-gateways") ? httpAnywhere({ from, ports: tcp(443), why: "push gateways" }, settings) : []),
      ...(settings.emailSmtp && callsTo(cls, "mail")
        ? [
            {
              from,
              ...outgoingTo(settings.emailSmtp.host, settings.emailSmtp.port, settings.cluster.domain),
              why: "e-mail",
            },
          ]
        : []),
      ...settings.synapse.connections.map(({ host, port }): Edge => ({
        from,
        ...outgoingTo(host, port, settings.cluster.domain),
        why: "synapse.connections",
      })),
      ...(callsTo(cls, "appservices") ? appserviceEdges(from, settings) : []),
      ...(callsTo(cls, "identity-providers") ? providerEdges(from, settings) : []),
      ...(settings.ldap && callsTo(cls, "password-directories")
        ? ldapServers(settings.ldap).map(({ host, port }): Edge => ({
            from,
            ...outgoingTo(host, port, settings.cluster.domain),
            why: "LDAP",
          }))
        : []),
      // Any process may fetch an event, a key or a profile of another server.
      ...(settings.federation.enabled
        ? httpAnywhere({ from, ports: federation, why: "other homeservers" }, settings)
        : []),
    ];
  });
  return [
    // The data centre that is not the primary sends nothing: should a process run there all the same, nobody hears it.
    ...(isStandby(settings) ? processes.filter((e) => !leaves(e)) : processes),
    ...(isStandby(settings) ? [] : classes.flatMap((cls) => centreEdges(synapsePeer(cls), settings))),
    ...replacing,
    ...appserviceClients(settings),
  ];
}

/** Whether an edge leads to anything but this stack's own pods. */
const leaves = ({ to }: Edge): boolean =>
  !("nodes" in to) && !(isPods(to) && (Object.values(NAMESPACES) as string[]).includes(to.namespace));

/** Each process asks the databases of the other data centres who is the primary. */
const centreEdges = (from: Peer, settings: Settings): Edge[] =>
  otherCentres(settings).map(({ name, stream }) => ({
    from,
    ...outgoingTo(stream.host, stream.port, settings.cluster.domain),
    why: `the database of ${name}: whether it is the primary`,
  }));

/**
 * A provider's discovery document may name other hosts, for tokens and keys: of those, port 443. What takes logins
 * takes registrations, and asks whether their captcha was solved.
 */
function providerEdges(from: Peer, settings: Settings): Edge[] {
  const { sso, registration } = settings;
  const providers = sso?.oidc ?? [];
  return [
    ...(registration.captcha ? httpAnywhere({ from, ports: tcp(443), why: "answers to captchas" }, settings) : []),
    ...(providers.length > 0 ? httpAnywhere({ from, ports: tcp(443), why: "identity providers" }, settings) : []),
    ...providers.map(({ issuer }): Edge => ({ from, ...httpTo(issuer, settings), why: "identity providers" })),
  ];
}

/** Ports of other homeservers: the usual ones, and those that the list of allowed servers names. */
export const federationPorts = ({ federation }: Settings): Edge["ports"] => [
  ...tcp(
    ...new Set([
      443,
      8448,
      ...(federation.domainAllowList ?? []).flatMap((name) => Number(/:(\d+)$/.exec(name)?.[1] ?? 0) || []),
    ]),
  ),
];

function mediaEdges(from: Peer, settings: Settings): Edge[] {
  const { objectStore, media } = settings;
  return [
    objectStore.kind === "s3"
      ? { from, ...httpTo(objectStore.endpoint, settings), why: "media in the external object store" }
      : { from, to: MINIO, ports: tcp(PORTS.s3), why: "media" },
    ...(media.urlPreviews ? httpAnywhere({ from, ports: tcp(80, 443), why: "URL previews" }, settings) : []),
  ];
}
