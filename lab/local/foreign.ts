/** Settings for a cluster that is not the lab's own: Pulumi.local.yaml, but for what that cluster decides. */
import {
  commonNetwork,
  contains,
  familyOf,
  hostCidr,
  parseAddresses,
  parseCidr,
  parseNetwork,
} from "../../components/core/addresses";
import { IMAGES } from "../../components/layers/registry";
import { quantityValue } from "../../components/core/workload/quantities";
import { UsageError, type Request } from "./arguments";
import type { ForeignNode, Target } from "./target";

/** Smaller clusters cannot hold three PostgreSQL instances on three machines, nor an erasure set. */
const LEAST_NODES = 3;
/** Unpublished images: they are built here, and must reach the nodes. */
export const UNPUBLISHED = ["synapse", "minio", "mc"] as const;

export const memoryGiB = (quantity: string): number => quantityValue(quantity) / 2 ** 30;

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
      cpu: Math.max(1, Math.floor(quantityValue(n.status.capacity.cpu))),
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

/** The pods' network where no node names another. */
const DEFAULT_PODS = "10.244.0.0/16";

/** A node's own part of the pods' network is all that a cluster tells; the whole is what holds all of these. */
export function podNetwork(parts: readonly string[]): string {
  const known = parts.flatMap((c) => parseNetwork(c) ?? []).filter((n) => n.family === 4);
  const usual = parseNetwork(DEFAULT_PODS)!;
  return known.every((n) => contains(usual, n)) ? DEFAULT_PODS : commonNetwork(known);
}

/** The nodes' own network is not told either: what is this near is taken for it. */
const neighbourhood = (address: string): string =>
  commonNetwork([parseNetwork(`${address}/${familyOf(address) === "IPv4" ? 24 : 64}`)!]);

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
    .every((text: string) => {
      const pool = parseAddresses(text);
      return target.nodes.some((n) => n.address && pool && contains(parseCidr(neighbourhood(n.address))!, pool));
    });

/** Pure. */
export function foreignConfig(file: Record<string, any>, target: Target): Record<string, unknown> {
  const roles = file.hosts[0].roles;
  const { ssh: _ssh, hosts: _hosts, ...rest } = file;
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
    ...(target.addresses
      ? { addressPools: [{ name: "public", addresses: target.addresses.split(","), create: true }] }
      : {}),
    cluster: {
      ...cluster,
      // kind is kubeadm; of any other cluster nothing is known.
      distribution: target.cluster === "kind" ? "kubeadm" : "other",
      podCidrs: [podNetwork(target.nodes.flatMap((n) => n.podCidrs))],
      ...(target.serviceCidrs.length ? { serviceCidrs: target.serviceCidrs } : {}),
      ...(published ? {} : { ingressClass, ingressNamespace }),
      install: { ...(published ? kept : install), ...Object.fromEntries(target.present.map((p) => [p, false])) },
    },
    networkPolicies: {
      ...rest.networkPolicies,
      ...(target.apiServers.length ? { apiServerCidrs: target.apiServers.map(hostCidr) } : {}),
    },
    web: {
      ...rest.web,
      admin: { ...rest.web?.admin, allowCidrs: [...new Set(target.nodes.map((n) => neighbourhood(n.address)))] },
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
