/** The HTTP proxy: what of it pods are told, and where their connections then lead. Pure. */
import { contains, hostCidr, parseAddress, parseAddresses } from "../../../core/addresses";
import { outgoing, outgoingTo, tcp, type Edge, type Outgoing, type Peer } from "../../../core/edges";
import type { CheckInput } from "../../../core/layer";
import type { EnvValue } from "../../../core/workload/pod";
import { entranceNames, serverNameHost } from "../../../domain/entranceNames";
import { hostNetworks, ownNetworks } from "../../../domain/ownNetworks";
import type { Settings } from "../../../settings/types";
import { ingressPeer, ingressWebPorts } from "../ingressController/peer";

type HttpProxy = NonNullable<Settings["httpProxy"]>;

/** Secret with the proxy's URL in each namespace whose pods use it; there is none where the proxy asks for no login. */
export const PROXY_SECRET = "outgoing-proxy";
/** Its key. */
export const PROXY_SECRET_KEY = "url";

/** Whether the URL has to be kept in Secrets. */
export const isProxySecret = (settings: Settings): boolean => settings.httpProxy?.password !== undefined;

/** The URL with its login, in the form that all of the programs read: `reach/settings.ts` admits nothing to escape. */
export function proxyUrl({ url, user, password }: HttpProxy): string {
  const [scheme, rest] = url.replace(/\/$/, "").split("://");
  return `${scheme}://${user === undefined || password === undefined ? "" : `${user}:${password}@`}${rest}`;
}

const inner = (cidr: string): string => cidr.replace(/\/(32|128)$/, "");

/**
 * The stack's own names, without the server name: it would stand for every name below it, other people's servers too.
 * The token service of calls looks up the document there, through the proxy.
 */
function ownNames(settings: Settings): string[] {
  const names = entranceNames(settings);
  const parent = serverNameHost(settings);
  return names.filter((name) => name !== parent || !names.some((other) => other.endsWith(`.${parent}`)));
}

/**
 * What is reached without the proxy. Names stand for all below them, in Python (urllib's proxy_bypass_environment,
 * which Synapse and boto3 use) as in Go. Networks are for the programs in Go, which call the Kubernetes API by its
 * address; Python's compare single addresses only.
 */
export function noProxy(settings: Settings): string[] {
  const { cluster, networkPolicies, httpProxy } = settings;
  return [
    ...new Set([
      "localhost",
      "127.0.0.1",
      "::1",
      "svc",
      cluster.domain,
      ...ownNetworks(settings).map(inner),
      ...networkPolicies.apiServerCidrs.map(inner),
      ...ownNames(settings),
      ...settings.hostAliases.flatMap(({ names }) => names),
      ...(httpProxy?.noProxy ?? []),
    ]),
  ];
}

/** Variables of a program that honours them; empty without a proxy. Their names in capitals are read by all. */
export function proxyEnv(settings: Settings): Record<string, EnvValue> {
  const { httpProxy } = settings;
  if (!httpProxy) return {};
  const url: EnvValue = isProxySecret(settings) ? { secret: PROXY_SECRET, key: PROXY_SECRET_KEY } : proxyUrl(httpProxy);
  return { HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: noProxy(settings).join(",") };
}

/** Whether a host is reached without the proxy. */
function isDirect(host: string, settings: Settings): boolean {
  const one = parseAddress(host);
  return noProxy(settings).some((entry) => {
    const network = parseAddresses(entry);
    return one ? network !== undefined && contains(network, one) : host === entry || host.endsWith(`.${entry}`);
  });
}

/** Where the proxy is. */
function proxyEnd({ httpProxy, cluster }: Settings): Outgoing {
  const { hostname, port, protocol } = new URL(httpProxy!.url);
  return outgoingTo(
    hostname.replace(/^\[|\]$/g, ""),
    // URL leaves out the port that the scheme implies.
    port ? Number(port) : protocol === "http:" ? 80 : 443,
    cluster.domain,
  );
}

/** Whether requests to a URL go through the proxy. */
export const isProxied = (url: string, settings: Settings): boolean =>
  settings.httpProxy !== undefined && !isDirect(new URL(url).hostname.replace(/^\[|\]$/g, ""), settings);

/** The end and the ports of HTTP requests to a URL that was given. */
export const httpTo = (url: string, settings: Settings): Outgoing =>
  isProxied(url, settings) ? proxyEnd(settings) : outgoing(url, settings.cluster.domain);

/** HTTP requests to hosts that no setting names. */
export interface HttpAnywhere {
  from: Peer;
  /** The ports of those hosts. */
  ports: Edge["ports"];
  why: string;
}

/** Connections for them: to anywhere, or to the proxy and to what is reached without it. */
export function httpAnywhere({ from, ports, why }: HttpAnywhere, settings: Settings): Edge[] {
  const { httpProxy, hostAliases } = settings;
  if (!httpProxy) return [{ from, to: { world: true }, ports, why }];
  const aliased = new Set(hostAliases.flatMap(({ names }) => names));
  const addresses = [...hostAliases.map(({ address }) => address), ...httpProxy.noProxy.filter(parseAddress)];
  const names = httpProxy.noProxy.filter((entry) => !parseAddress(entry) && !aliased.has(entry));
  return [
    { from, ...proxyEnd(settings), why: `${why}, through the proxy` },
    ...entranceEdges(from, ports, settings),
    ...(addresses.length > 0
      ? [
          {
            from,
            to: { cidrs: [...new Set(addresses.map(hostCidr))], label: "servers without the proxy" },
            ports,
            why: `${why}, without the proxy`,
          },
        ]
      : []),
    // A network policy knows no names.
    ...(names.length > 0
      ? [{ from, to: { world: true } as Peer, ports, why: `${why}: ${names.join(", ")}, without the proxy` }]
      : []),
  ];
}

/** The stack's own public names, which lead back to the ingress controller. */
function entranceEdges(from: Peer, ports: Edge["ports"], settings: Settings): Edge[] {
  if (!ports.some(({ port, protocol }) => protocol === "TCP" && (port === 443 || port === 80))) return [];
  const why = "the public names of this stack";
  return [
    { from, to: ingressPeer(settings), ports: tcp(...ingressWebPorts(settings)), why },
    // Another controller may use the nodes' network: the public names are then the hosts' addresses.
    ...(settings.cluster.install.ingressController
      ? []
      : [{ from, to: { cidrs: hostNetworks(settings), label: "the hosts" }, ports: tcp(443, 80), why }]),
  ];
}

export function checkProxy({ settings, report }: CheckInput): void {
  const { httpProxy } = settings;
  if (!httpProxy) return;
  const [given, missing] =
    httpProxy.user === undefined ? (["password", "user"] as const) : (["user", "password"] as const);
  if (httpProxy[given] !== undefined && httpProxy[missing] === undefined)
    report.add(
      {
        path: `httpProxy.${given}`,
        given: `a ${given} without a ${missing}`,
        allowed: "both, or none of them: Synapse sends no login of one part",
        remedy: `give httpProxy.${missing} as well`,
      },
      [`httpProxy.${missing}`],
    );
  const proxy = new URL(httpProxy.url).hostname;
  httpProxy.noProxy.forEach((entry, i) => {
    if (httpProxy.noProxy.indexOf(entry) < i)
      report.add({
        path: `httpProxy.noProxy[${i}]`,
        given: `${entry}, which is in the list already`,
        allowed: "each entry once",
        remedy: "remove one of the two",
      });
    else if (entry === proxy)
      report.add(
        {
          path: `httpProxy.noProxy[${i}]`,
          given: `${entry}, the proxy itself`,
          allowed: "servers that are reached without it",
          remedy: "remove it: nothing asks the proxy for itself",
        },
        ["httpProxy.url"],
      );
  });
}

/** Synapse leaves the choice of addresses to the proxy: what the plan says of it. */
export const proxyNotes = ({ httpProxy, federation, media }: Settings): string[] =>
  httpProxy && (federation.enabled || media.urlPreviews)
    ? [
        "HTTP proxy: it must refuse private addresses itself. Synapse does not see the addresses behind it, so outgoing.blockedNetworks and the reserved networks are not kept there.",
      ]
    : [];
