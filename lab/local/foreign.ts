/** Settings for a cluster that is not the lab's own: Pulumi.local.yaml, but for what that cluster decides. */
import { IMAGES } from "../../components/core/images";
import { UsageError, type Request } from "./arguments";
import type { ForeignNode, Target } from "./target";

/** Smaller clusters cannot hold three PostgreSQL instances on three machines, nor an erasure set. */
const LEAST_NODES = 3;
/** Unpublished images: they are built here, and must reach the nodes. */
export const UNPUBLISHED = ["synapse", "minio", "mc"] as const;

const GIB: Record<string, number> = { Ki: 2 ** -20, Mi: 2 ** -10, Gi: 1, Ti: 1024 };
export function memoryGiB(quantity: string): number {
  const m = /^(\d+)(Ki|Mi|Gi|Ti)?$/.exec(quantity);
  return m ? Number(m[1]) * (m[2] ? GIB[m[2]]! : 2 ** -30) : NaN;
}
const cores = (quantity: string): number =>
  quantity.endsWith("m") ? Number(quantity.slice(0, -1)) / 1000 : Number(quantity);

/** Nodes that accept pods: a tainted control plane does not. */
export function workingNodes(nodes: readonly any[]): ForeignNode[] {
  return nodes
    .filter(
      (n) =>
        !n.spec.unschedulable &&
        !(n.spec.taints ?? []).some(
          (t: any) => t.effect !== "PreferNoSchedule" && !t.key.startsWith("node.kubernetes.io/"),
        ),
    )
    .map((n) => ({
      name: n.metadata.name,
      address: n.status.addresses.find((a: any) => a.type === "InternalIP")?.address,
      cpu: Math.max(1, Math.floor(cores(n.status.capacity.cpu))),
      memoryGiB: Math.max(1, Math.floor(memoryGiB(n.status.capacity.memory))),
      podCidrs: n.spec.podCIDRs ?? [],
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

/** Parts that `cluster.install` would install twice. Our own do not count: they are recognised by their label. */
export function presentOperators(found: { crds: any[]; apiServices: any[]; storageClasses: any[] }): string[] {
  const foreign = (o: any): boolean => o.metadata.labels?.["app.kubernetes.io/part-of"] !== "matrix-ha";
  const has = (list: any[], name: string): boolean => list.some((o) => o.metadata.name === name && foreign(o));
  return [
    ...(has(found.crds, "clusters.postgresql.cnpg.io") ? ["cloudNativePg"] : []),
    ...(has(found.crds, "objectstores.barmancloud.cnpg.io") ? ["barmanPlugin"] : []),
    ...(has(found.crds, "ipaddresspools.metallb.io") ? ["metallb"] : []),
    ...(has(found.crds, "certificates.cert-manager.io") ? ["certManager"] : []),
    ...(has(found.crds, "prometheuses.monitoring.coreos.com") ? ["prometheusOperator"] : []),
    ...(has(found.apiServices, "v1beta1.metrics.k8s.io") ? ["metricsServer"] : []),
    // Its class may belong to others; what counts is that this provisioner already runs.
    ...(found.storageClasses.some((c) => c.provisioner === "rancher.io/local-path" && foreign(c))
      ? ["localPathProvisioner"]
      : []),
  ];
}

const number = (address: string): number => address.split(".").reduce((n, x) => n * 256 + Number(x), 0);
const dotted = (n: number): string => [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join(".");

/**
 * The smallest IPv4 network that holds all of these: a node's own part of the pods' network is all that a cluster
 * tells.
 */
export function common(cidrs: readonly string[]): string {
  const nets = cidrs
    .map((c) => c.split("/"))
    .map(([a, bits]) => ({ start: number(a!), end: number(a!) + 2 ** (32 - Number(bits)) - 1 }));
  const first = Math.min(...nets.map((n) => n.start)),
    last = Math.max(...nets.map((n) => n.end));
  let bits = 32;
  while (Math.floor(first / 2 ** (32 - bits)) !== Math.floor(last / 2 ** (32 - bits))) bits--;
  return `${dotted(Math.floor(first / 2 ** (32 - bits)) * 2 ** (32 - bits))}/${bits}`;
}
const prefix24 = (address: string): string => address.split(".").slice(0, 3).join(".");
const within = (cidr: string, of: string): boolean => {
  const [net, bits] = of.split("/") as [string, string];
  return (
    !cidr.includes(":") &&
    Math.floor(number(cidr.split("/")[0]!) / 2 ** (32 - Number(bits))) ===
      Math.floor(number(net) / 2 ** (32 - Number(bits)))
  );
};

/** Errors for people, before anything is deployed. */
export function foreignProblems(target: Target, file: Record<string, any>): string[] {
  const problems: string[] = [];
  if (target.nodes.length < LEAST_NODES)
    problems.push(
      `${target.nodes.length} nodes accept pods (${target.nodes.map((n) => n.name).join(", ") || "none"}); the stack needs at least ${LEAST_NODES}, each with about 6 GiB`,
    );
  const without = target.nodes.filter((n) => !n.address).map((n) => n.name);
  if (without.length) problems.push(`no InternalIP: ${without.join(", ")}`);
  if (!target.addresses && !poolFits(target, file))
    problems.push(
      "--addresses RANGE is missing: free addresses of the nodes' network for the ingress, such as 192.0.2.10-192.0.2.20",
    );
  const named = (key: string): boolean =>
    target.sets.some((s) => s.startsWith(`images.overrides.${key}=`) || s.startsWith("images.overrides="));
  if (
    target.images === "published" &&
    target.cluster === "kubeconfig" &&
    !target.registry &&
    !UNPUBLISHED.every(named)
  ) {
    problems.push(
      `the images ${UNPUBLISHED.join(", ")} are not published: build and push them (npm run images -- push REGISTRY/PREFIX ${UNPUBLISHED.join(" ")}), then give --registry REGISTRY/PREFIX; or name each by --set images.overrides.${UNPUBLISHED[0]}=...; or --images local when the nodes have them`,
    );
  }
  return problems;
}

/** The file's addresses are usable if they are in the nodes' own network. */
const poolFits = (target: Target, file: Record<string, any>): boolean =>
  (file.addressPools ?? [])
    .flatMap((p: any) => p.addresses)
    .every((a: string) => target.nodes.some((n) => n.address && prefix24(n.address) === prefix24(a)));

/** Pure. */
export function foreignConfig(file: Record<string, any>, target: Target): Record<string, unknown> {
  const roles = file.hosts[0].roles;
  const { ssh: _ssh, hosts: _hosts, ...rest } = file;
  const podCidrs = [...new Set(target.nodes.flatMap((n) => n.podCidrs))].filter((c) => !c.includes(":"));
  const defaultPods = ["10.244.0.0/16"];
  const { ingressClass, ingressNamespace, install = {}, ...cluster } = rest.cluster ?? {};
  const published = target.images === "published";
  // In the file these are off because the lab cannot build their images, or brings the part itself.
  const { barmanPlugin: _b, certManager: _c, ingressController: _i, localPathProvisioner: _l, ...kept } = install;
  const { jwtService: _j, ...rtc } = rest.rtc ?? {};
  return {
    ...rest,
    hosts: target.nodes.map((n) => ({ name: n.name, address: n.address, roles, cpu: n.cpu, memoryGiB: n.memoryGiB })),
    // These machines are not ours: nothing is run on them.
    prepareHosts: false,
    ...(target.addresses ? { addressPools: [{ name: "public", addresses: target.addresses.split(",") }] } : {}),
    cluster: {
      ...cluster,
      podCidrs:
        podCidrs.length && !podCidrs.every((c) => within(c, defaultPods[0]!)) ? [common(podCidrs)] : defaultPods,
      ...(target.serviceCidrs.length ? { serviceCidrs: target.serviceCidrs } : {}),
      ...(published ? {} : { ingressClass, ingressNamespace }),
      install: { ...(published ? kept : install), ...Object.fromEntries(target.present.map((p) => [p, false])) },
    },
    networkPolicies: {
      ...rest.networkPolicies,
      ...(target.apiServers.length
        ? { apiServerCidrs: target.apiServers.map((a) => `${a}/${a.includes(":") ? 128 : 32}`) }
        : {}),
    },
    web: {
      ...rest.web,
      admin: { ...rest.web?.admin, allowCidrs: [...new Set(target.nodes.map((n) => `${prefix24(n.address)}.0/24`))] },
    },
    rtc: published ? rtc : rest.rtc,
    images: published ? { overrides: registryOverrides(target) } : rest.images,
  };
}

/** With kind, the archives are loaded into the nodes under the names of the image table. */
function registryOverrides(target: Target): Record<string, string> {
  if (!target.registry) return {};
  return Object.fromEntries(
    UNPUBLISHED.map((key) => [
      key,
      `${target.registry!.replace(/\/$/, "")}/${IMAGES[key].repository.split("/").pop()}:${IMAGES[key].tag}`,
    ]),
  );
}

/** The record of a run: the cluster as found now, and the decisions of the first run. */
export function nextTarget(
  found: Omit<Target, "sets" | "images" | "registry" | "addresses">,
  before: Target | undefined,
  request: Request,
): Target {
  if (before && before.server !== found.server && before.cluster === "kubeconfig")
    throw new UsageError(`this run folder belongs to ${before.server}`);
  const paths = new Set(request.sets.map((s) => s.split("=")[0]));
  return {
    ...found,
    // At the second run our own operators are there; the first run recorded the foreign ones.
    present: before?.present ?? found.present,
    images: request.images ?? before?.images ?? "published",
    registry: request.registry ?? before?.registry,
    addresses: request.addresses ?? before?.addresses,
    sets: [...(before?.sets ?? []).filter((s) => !paths.has(s.split("=")[0])), ...request.sets],
  };
}
