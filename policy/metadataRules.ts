/** Rules about names, labels and references between objects. */
import { parse as parseYaml } from "yaml";
import { matches, strings } from "./subject";
import type { Settings } from "../components/settings/types";
import type { Rule } from "./types";

const CLUSTER_SCOPED = new Set([
  "Namespace",
  "StorageClass",
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "PriorityClass",
  "IngressClass",
  "ClusterIssuer",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
  "MutatingWebhookConfiguration",
  "APIService",
  "Node",
  "ClusterImageCatalog",
]);
const REQUIRED_LABELS = ["name", "instance", "component", "part-of", "managed-by", "version"].map(
  (l) => `app.kubernetes.io/${l}`,
);

export const names: Rule = {
  id: "1",
  demands: "names of at most 63 characters (StatefulSets 52), a namespace on everything that has one",
  check: ({ objects }) =>
    objects
      .filter((o) => !o.urn.includes("NodePatch"))
      .flatMap((o) => [
        ...(o.name ? [] : [{ object: o, what: "no name" }]),
        ...(o.kind !== "CustomResourceDefinition" &&
        !/^(ClusterRole|ClusterRoleBinding|Role|RoleBinding|APIService)$/.test(o.kind) &&
        o.name.length > (o.kind === "StatefulSet" ? 52 : 63)
          ? [{ object: o, what: `name of ${o.name.length} characters` }]
          : []),
        ...(!o.namespace && !CLUSTER_SCOPED.has(o.kind) ? [{ object: o, what: "no namespace" }] : []),
        ...(o.namespace && CLUSTER_SCOPED.has(o.kind)
          ? [{ object: o, what: "a namespace on a cluster-scoped object" }]
          : []),
      ]),
};

export const labelsPresent: Rule = {
  id: "3",
  demands: "the six app.kubernetes.io labels, and selectors without a version that the pods match",
  check: ({ objects, templates }) => [
    ...objects
      .filter((o) => o.kind !== "Node")
      .flatMap((o) =>
        REQUIRED_LABELS.filter((l) => !o.inputs.metadata?.labels?.[l]).map((l) => ({
          object: o,
          what: `label ${l} is missing or empty`,
        })),
      ),
    ...templates
      .filter((t) => t.longRunning)
      .flatMap((t) => {
        const selector = t.owner.inputs.spec.selector?.matchLabels ?? {};
        return [
          ...(matches(selector, t.labels) ? [] : [{ object: t, what: "selector does not match its own pods" }]),
          ...("app.kubernetes.io/version" in selector ? [{ object: t, what: "the selector contains a version" }] : []),
          ...(Object.keys(selector).length ? [] : [{ object: t, what: "empty selector" }]),
        ];
      }),
  ],
};

export const services: Rule = {
  id: "5",
  demands:
    "Services with named unique ports, an explicit type, PreferDualStack, a traffic policy and no node ports on load balancers, and pods behind them",
  check: ({ objects, templates, operatorPods }) =>
    objects
      .filter((o) => o.kind === "Service")
      .flatMap((o) => {
        const s = o.inputs.spec,
          ports = (s.ports ?? []).map((p: any) => p.name);
        const behind = templates.filter(
          (t) => t.longRunning && t.owner.namespace === o.namespace && matches(s.selector, t.labels),
        );
        const made = operatorPods.filter((p) => p.owner.namespace === o.namespace && matches(s.selector, p.labels));
        return [
          ...(ports.some((n: any) => !n) || new Set(ports).size !== ports.length
            ? [{ object: o, what: "ports unnamed or not unique" }]
            : []),
          ...(s.type ? [] : [{ object: o, what: "type is not set" }]),
          ...(s.ipFamilyPolicy === "PreferDualStack"
            ? []
            : [{ object: o, what: "ipFamilyPolicy is not PreferDualStack" }]),
          ...(["LoadBalancer", "NodePort"].includes(s.type) && !s.externalTrafficPolicy
            ? [{ object: o, what: "externalTrafficPolicy is not set" }]
            : []),
          // Translated before the hosts' firewall sees the packet: open to everyone who can reach a host.
          ...(s.type === "NodePort" ||
          (s.ports ?? []).some((p: any) => p.nodePort) ||
          (s.type === "LoadBalancer" && s.allocateLoadBalancerNodePorts !== false)
            ? [{ object: o, what: "opens a port on every node, which the hosts' firewall does not see" }]
            : []),
          ...(s.selector && behind.length + made.length !== 1
            ? [{ object: o, what: `selects the pods of ${behind.length + made.length} workloads` }]
            : []),
          ...behind.flatMap((t) =>
            (s.ports ?? [])
              .filter(
                (p: any) =>
                  typeof p.targetPort === "string" &&
                  !(t.spec.containers ?? []).some((c: any) =>
                    (c.ports ?? []).some((x: any) => x.name === p.targetPort),
                  ),
              )
              .map((p: any) => ({ object: o, what: `port ${p.targetPort} is not a port of ${t.owner.name}` })),
          ),
          ...made.flatMap((t) =>
            (s.ports ?? [])
              .filter((p: any) => typeof p.targetPort === "string" && !(p.targetPort in t.ports))
              .map((p: any) => ({ object: o, what: `port ${p.targetPort} is not a port of ${t.owner.name}` })),
          ),
        ];
      }),
};

export const statefulSetServices: Rule = {
  id: "7",
  demands: "a registered headless Service for each StatefulSet",
  check: ({ objects }) =>
    objects
      .filter((o) => o.kind === "StatefulSet")
      .flatMap((o) => {
        const service = objects.find(
          (s) => s.kind === "Service" && s.namespace === o.namespace && s.name === o.inputs.spec.serviceName,
        );
        if (!service) return [{ object: o, what: `serviceName ${o.inputs.spec.serviceName} is not registered` }];
        return service.inputs.spec.clusterIP === "None"
          ? []
          : [{ object: o, what: `Service ${service.name} is not headless` }];
      }),
};

/** Services that operators make. */
const OPERATOR_SERVICES = [
  /^synapse-postgres-(rw|ro|r|pooler-rw)\.matrix$/,
  /^kubernetes\.default$/,
  /^kube-dns\.kube-system$/,
  /^prometheus-operated\.monitoring$/,
  /^alertmanager-operated\.monitoring$/,
];

/** Services that the settings name: of bridges, identity providers or stores in namespaces that are not the stack's. */
function namesOf(settings: Settings): Set<string> {
  const names = settings.appservices.flatMap(({ pods }) => (pods ? [`${pods.service}.${pods.namespace}`] : []));
  for (const { text } of strings(settings))
    for (const m of text.matchAll(/([a-z0-9-]+\.[a-z0-9-]+)\.svc\b/g)) names.push(m[1]!);
  return new Set(names);
}

export const dnsNames: Rule = {
  id: "6",
  demands: "in-cluster DNS names that are complete and name a registered Service",
  check: ({ objects, settings }) => {
    const registered = new Set(objects.filter((o) => o.kind === "Service").map((o) => `${o.name}.${o.namespace}`));
    const given = namesOf(settings);
    const known = (n: string): boolean => registered.has(n) || given.has(n) || OPERATOR_SERVICES.some((p) => p.test(n));
    const suffix = settings.cluster.domain.replace(/\./g, "\\.");
    return objects
      .filter((o) => !["CustomResourceDefinition"].includes(o.kind) && o.layer !== "cluster")
      .flatMap((o) =>
        [...strings(o.inputs)].flatMap(({ path, text }) => {
          const found: string[] = [];
          for (const m of text.matchAll(/([a-z0-9][a-z0-9.-]*)\.svc\b(\.[a-z0-9.-]*[a-z0-9])?/g)) {
            const rest = (m[2] ?? "").slice(1);
            if (!new RegExp(`^${suffix}$`).test(rest))
              found.push(`${m[0]} at ${path} does not end in .svc.${settings.cluster.domain}`);
            const labels = m[1]!.split(".");
            const service = labels
              .slice(-2)
              .join(".")
              .replace(/^_[a-z-]+\._tcp\./, "");
            if (labels.length >= 2 && !known(service))
              found.push(`${m[0]} at ${path}: no Service ${service} is registered`);
          }
          return found.map((what) => ({ object: o, what }));
        }),
      );
  },
};

export const accounts: Rule = {
  id: "14",
  demands: "a service account of its own for each component, registered, its token mounted only where the API is used",
  check: ({ objects, templates }) => {
    const owners = new Map<string, Set<string>>();
    const found = templates.flatMap((t) => {
      const account = t.spec.serviceAccountName,
        key = `${t.owner.namespace}/${account}`;
      const set = owners.get(key) ?? new Set();
      set.add(t.labels["app.kubernetes.io/component"] ?? t.owner.name);
      owners.set(key, set);
      const registered = objects.find(
        (o) => o.kind === "ServiceAccount" && o.namespace === t.owner.namespace && o.name === account,
      );
      const bound = objects.some(
        (o) =>
          /RoleBinding$/.test(o.kind) &&
          (o.inputs.subjects ?? []).some(
            (s: any) =>
              s.kind === "ServiceAccount" && s.name === account && (s.namespace ?? o.namespace) === t.owner.namespace,
          ),
      );
      return [
        ...(account ? [] : [{ object: t, what: "no serviceAccountName" }]),
        ...(registered || !account ? [] : [{ object: t, what: `service account ${account} is not registered` }]),
        ...(t.spec.automountServiceAccountToken === undefined
          ? [{ object: t, what: "automountServiceAccountToken is not explicit" }]
          : []),
        ...(t.spec.automountServiceAccountToken && !bound
          ? [{ object: t, what: "mounts a token without any permission bound to it" }]
          : []),
      ];
    });
    const shared = templates
      .filter((t) => (owners.get(`${t.owner.namespace}/${t.spec.serviceAccountName}`)?.size ?? 0) > 1)
      .map((t) => ({ object: t, what: `shares service account ${t.spec.serviceAccountName}` }));
    return [...found, ...shared];
  },
};

/**
 * Created by the cluster, or by the operators themselves for their webhooks and their members (memberlist: MetalLB's
 * controller).
 */
const EXTERNAL_VOLUMES = [
  /^kube-root-ca\.crt$/,
  /^memberlist$/,
  /^cnpg-webhook-cert$/,
  /^metallb-webhook-cert$/,
  /^.*-webhook-(ca|cert|tls|server-cert)$/,
  /^barman-cloud-(client|server)-tls$/,
];

export const volumes: Rule = {
  id: "15",
  demands:
    "volumes of registered sources, each mount of a declared volume, each volume mounted, a size limit on each emptyDir",
  check: ({ objects, templates }) =>
    templates.flatMap((t) => {
      const exists = (kind: string, name: string): boolean =>
        EXTERNAL_VOLUMES.some((p) => p.test(name)) ||
        objects.some((o) => o.kind === kind && o.namespace === t.owner.namespace && o.name === name) ||
        (kind === "Secret" &&
          objects.some(
            (o) => o.kind === "Certificate" && o.namespace === t.owner.namespace && o.inputs.spec?.secretName === name,
          ));
      const declared = (t.spec.volumes ?? []).map((v: any) => v.name);
      const claims = (t.owner.inputs.spec.volumeClaimTemplates ?? []).map((c: any) => c.metadata.name);
      const mounts = [...(t.spec.initContainers ?? []), ...t.spec.containers].flatMap((c: any) =>
        (c.volumeMounts ?? []).map((m: any) => m.name),
      );
      const sources = (t.spec.volumes ?? []).flatMap((v: any) => [
        ...(v.configMap ? [["ConfigMap", v.configMap.name, v.configMap.optional]] : []),
        ...(v.secret ? [["Secret", v.secret.secretName, v.secret.optional]] : []),
        ...(v.projected?.sources ?? []).flatMap((s: any) => [
          ...(s.configMap ? [["ConfigMap", s.configMap.name, s.configMap.optional]] : []),
          ...(s.secret ? [["Secret", s.secret.name, s.secret.optional]] : []),
        ]),
      ]);
      return [
        ...sources
          .filter(([kind, name, optional]: any) => !optional && !exists(kind, name))
          .map(([kind, name]: any) => ({ object: t, what: `${kind} ${name} is not registered` })),
        ...(t.spec.volumes ?? [])
          .filter((v: any) => v.emptyDir && !v.emptyDir.sizeLimit)
          .map((v: any) => ({ object: t, what: `emptyDir ${v.name} has no size limit` })),
        ...mounts
          .filter((m) => !declared.includes(m) && !claims.includes(m))
          .map((m) => ({ object: t, what: `mount of an undeclared volume ${m}` })),
        ...[...declared, ...claims]
          .filter((v) => !mounts.includes(v))
          .map((v) => ({ object: t, what: `volume ${v} is not mounted` })),
      ];
    }),
};

export const configurations: Rule = {
  id: "16a",
  demands: "ConfigMap and Secret values that are not blank, and parse as what their keys say",
  check: ({ objects }) =>
    objects
      .filter((o) => ["ConfigMap", "Secret"].includes(o.kind))
      .flatMap((o) =>
        Object.entries<any>({ ...o.inputs.data, ...(o.kind === "Secret" ? o.inputs.stringData : {}) }).flatMap(
          ([key, value]) => {
            if (typeof value !== "string" || value.trim() === "") return [{ object: o, what: `${key} is blank` }];
            try {
              if (/\.json$/.test(key)) JSON.parse(value);
              if (/\.ya?ml$/.test(key)) parseYaml(value);
            } catch (error) {
              return [{ object: o, what: `${key} does not parse: ${(error as Error).message.split("\n")[0]}` }];
            }
            return [];
          },
        ),
      ),
};

export const uniqueUrns: Rule = {
  id: "22",
  demands: "each object once: by URN (the evaluation refuses a second) and by its name in the cluster",
  check: ({ objects }) => {
    const seen = new Map<string, string>();
    return objects
      .filter((o) => o.kind !== "Node")
      .flatMap((o) => {
        const key = `${o.apiVersion.split("/")[0]} ${o.kind} ${o.namespace}/${o.name}`;
        const first = seen.get(key);
        seen.set(key, o.urn);
        return first ? [{ object: o, what: `also registered as ${first}` }] : [];
      });
  },
};

export const METADATA_RULES: Rule[] = [
  names,
  labelsPresent,
  services,
  dnsNames,
  statefulSetServices,
  accounts,
  volumes,
  configurations,
  uniqueUrns,
];
