/** Rules about secrets, exposure, volumes that must survive, and permitted connections. */
import { containersOf, matches, matchesSelector, strings } from "./subject";
import type { Edge, Peer } from "../components/core/edges";
import { BACKUP_USER, MEDIA_USER } from "../components/layers/objectstore";
import type { KubernetesObject, OperatorPods, PodTemplate, Rule, Subject } from "./types";

/**
 * Entries of Secrets that are no secrets: where a store or a database is, and as whom. By their names: a bucket may be
 * called anything, and a password may look like anything.
 */
const PUBLIC_ENTRIES = /^(bucket|endpoint|region|user|username)$/;
/** MinIO's access keys are the names of its users. */
const PUBLIC_VALUES: readonly string[] = [MEDIA_USER, BACKUP_USER];

/** Every value that the stack generates or is given as a secret, with a name for reports. */
export function secretValues(subject: Subject): Array<{ name: string; value: string }> {
  const found: Array<{ name: string; value: string }> = [];
  for (const r of subject.resources.filter((x) => x.inputs?.kind === "Secret")) {
    for (const [key, value] of Object.entries<any>({ ...r.inputs.stringData })) {
      if (PUBLIC_ENTRIES.test(key) || PUBLIC_VALUES.includes(value)) continue;
      if (typeof value === "string" && value.length >= 12)
        found.push({ name: `${r.inputs.metadata.name}/${key}`, value });
    }
  }
  return found;
}

export const secretsOnlyInSecrets: Rule = {
  id: "16",
  demands: "no secret value in a ConfigMap, an annotation, a command line or an environment literal",
  check: (subject) => {
    // Whole-file secrets (configurations with a password inside) are searched by the generated values instead:
    // secrets.test.ts.
    const secrets = secretValues(subject).filter((s) => !s.value.includes("\n"));
    return subject.objects
      .filter((o) => o.kind !== "Secret")
      .flatMap((o) =>
        [...strings(o.inputs)].flatMap(({ path, text }) =>
          secrets
            .filter((s) => text.includes(s.value))
            .map((s) => ({ object: o, what: `the value of ${s.name} is at ${path}` })),
        ),
      );
  },
};

export const ingresses: Rule = {
  id: "18",
  demands: "Ingress rules with host, pathType, backend by existing port name, matching TLS host; nothing private",
  check: ({ objects }) =>
    objects
      .filter((o) => o.kind === "Ingress")
      .flatMap((o) => {
        // Of two Ingresses that make one host, the one without paths has the certificate.
        const type = (x: KubernetesObject): unknown =>
          x.inputs.metadata.annotations?.["nginx.org/mergeable-ingress-type"];
        const tls = objects
          .filter((x) => x === o || (type(o) === "minion" && x.kind === "Ingress" && type(x) === "master"))
          .flatMap((x) => x.inputs.spec.tls ?? [])
          .flatMap((t: any) => t.hosts ?? []);
        return (o.inputs.spec.rules ?? []).flatMap((r: any) => [
          ...(r.host ? [] : [{ object: o, what: "a rule without host" }]),
          ...(tls.includes(r.host) ? [] : [{ object: o, what: `no TLS for ${r.host}` }]),
          ...(r.http?.paths ?? []).flatMap((p: any) => {
            const backend = p.backend?.service,
              service = objects.find(
                (s) => s.kind === "Service" && s.namespace === o.namespace && s.name === backend?.name,
              );
            return [
              ...(p.pathType ? [] : [{ object: o, what: `${p.path}: no pathType` }]),
              ...(service?.inputs.spec.ports.some((x: any) => x.name === backend?.port?.name)
                ? []
                : [
                    {
                      object: o,
                      what: `${p.path}: backend ${backend?.name}:${backend?.port?.name ?? backend?.port?.number} does not exist`,
                    },
                  ]),
              ...(/^\/_synapse\/(admin|metrics|replication)|^\/metrics/.test(p.path)
                ? [{ object: o, what: `${p.path} is private` }]
                : []),
            ];
          }),
        ]);
      }),
};

export const monitors: Rule = {
  id: "19",
  demands: "monitors that select something, and nothing scraped twice",
  check: ({ objects, templates, operatorPods }) => {
    const scraped = new Map<string, string>();
    const claim = (key: string, by: KubernetesObject): Found => {
      const first = scraped.get(key);
      scraped.set(key, by.name);
      return first ? [{ object: by, what: `${key} is scraped by ${first} as well` }] : [];
    };
    const pods: Scrapable[] = [
      ...templates
        .filter((t) => t.longRunning)
        .map((t) => ({
          owner: t.owner,
          labels: t.labels,
          ports: Object.fromEntries(
            (t.spec.containers ?? []).flatMap((c: any) => (c.ports ?? []).map((p: any) => [p.name, p.containerPort])),
          ),
        })),
      ...operatorPods,
    ];
    return objects
      .filter((o) => ["ServiceMonitor", "PodMonitor"].includes(o.kind))
      .flatMap((o) => {
        const { spec } = o.inputs;
        const inNamespace = (n: string): boolean =>
          spec.namespaceSelector?.any || (spec.namespaceSelector?.matchNames ?? [o.namespace]).includes(n);
        const selected =
          o.kind === "PodMonitor"
            ? pods.filter((p) => inNamespace(p.owner.namespace) && matchesSelector(spec.selector, p.labels))
            : objects
                .filter(
                  (s) =>
                    s.kind === "Service" &&
                    inNamespace(s.namespace) &&
                    matchesSelector(spec.selector, s.inputs.metadata.labels ?? {}),
                )
                .flatMap((s) =>
                  pods.filter((p) => p.owner.namespace === s.namespace && matches(s.inputs.spec.selector, p.labels)),
                );
        if (!selected.length) return [{ object: o, what: "selects nothing" }];
        const wanted = (spec.selector?.matchExpressions ?? []).flatMap((e: any) =>
          e.operator === "In" ? e.values.map((v: string) => [e.key, v]) : [],
        );
        const absent: Found = wanted
          .filter(([k, v]: string[]) => !selected.some((p) => p.labels[k!] === v))
          .map(([k, v]: string[]) => ({ object: o, what: `nothing has ${k} ${v}` }));
        return [
          ...absent,
          ...selected.flatMap((p) =>
            (spec.podMetricsEndpoints ?? spec.endpoints ?? []).flatMap((e: any) => {
              const number = e.portNumber ?? p.ports[e.port];
              if (!Object.values(p.ports).includes(number))
                return [{ object: o, what: `port ${e.portNumber ?? e.port} is not a port of ${p.owner.name}` }];
              return claim(`${p.owner.namespace}/${p.owner.name}:${number}${e.path ?? "/metrics"}`, o);
            }),
          ),
        ];
      });
  },
};

type Found = Array<{ object: KubernetesObject; what: string }>;
interface Scrapable {
  owner: KubernetesObject;
  labels: Record<string, string>;
  ports: Record<string, number>;
}

const selects = (peer: Peer, t: { owner: KubernetesObject; labels: Record<string, string> }): boolean => {
  if ("component" in peer)
    return peer.namespace === t.owner.namespace && t.labels["app.kubernetes.io/component"] === peer.component;
  if ("labels" in peer) return peer.namespace === t.owner.namespace && matches(peer.labels, t.labels);
  return false;
};

/** Names of the Services that an operator creates in front of the pods of a custom resource. */
const servicesOf = ({ owner }: OperatorPods): string[] =>
  owner.kind === "Cluster"
    ? ["rw", "ro", "r"].map((s) => `${owner.name}-${s}.${owner.namespace}`)
    : [`${owner.name}.${owner.namespace}`];

export const declaredEdges: Rule = {
  id: "20",
  demands:
    "a declared edge for each pair of components that communicate, edges only between existing components, and a default deny in each namespace",
  check: ({ objects, templates, operatorPods, edges, settings }) => {
    if (!settings.networkPolicies.enabled) return [];
    const byName = new Map(objects.filter((o) => o.kind === "Service").map((o) => [`${o.name}.${o.namespace}`, o]));
    const found: Array<{ object: KubernetesObject | PodTemplate; what: string }> = [];
    for (const t of templates.filter((x) => !x.spec.hostNetwork && x.owner.layer !== "cluster")) {
      for (const target of referredServices(t, objects)) {
        const service = byName.get(target);
        const callees = [
          ...operatorPods.filter((p) => servicesOf(p).includes(target)),
          ...templates.filter(
            (c) =>
              c.longRunning &&
              service &&
              c.owner.namespace === service.namespace &&
              matches(service.inputs.spec.selector, c.labels),
          ),
        ];
        for (const callee of callees) {
          // A shared file names its reader too: members of a set talk to each other, one pod does not talk to itself.
          if (callee === t && (callee.owner.kind !== "StatefulSet" || callee.owner.inputs.spec.replicas === 1))
            continue;
          if (!edges.some((e: Edge) => selects(e.from, t) && selects(e.to, callee)))
            found.push({
              object: t,
              what: `its configuration names ${target}, but there is no edge to ${callee.owner.name}`,
            });
        }
      }
    }
    const namespaces = new Set(templates.filter((t) => t.owner.layer !== "cluster").map((t) => t.owner.namespace));
    for (const n of namespaces) {
      const deny = objects.some(
        (o) =>
          o.kind === "NetworkPolicy" &&
          o.namespace === n &&
          Object.keys(o.inputs.spec.podSelector ?? {}).length === 0 &&
          (o.inputs.spec.policyTypes ?? []).length === 2,
      );
      if (!deny)
        found.push({
          object: templates.find((t) => t.owner.namespace === n)!,
          what: `namespace ${n} has no default deny`,
        });
    }
    return found;
  },
};

/** Services that a pod's own text, or a ConfigMap or Secret that it mounts, names. */
function referredServices(t: PodTemplate, objects: KubernetesObject[]): Set<string> {
  const names = new Set<string>();
  const add = (text: string): void => {
    for (const m of text.matchAll(/([a-z0-9-]+)\.([a-z0-9-]+)\.svc\./g)) names.add(`${m[1]}.${m[2]}`);
  };
  for (const c of containersOf(t))
    for (const s of strings({ command: c.command, args: c.args, env: c.env })) add(s.text);
  for (const v of t.spec.volumes ?? []) {
    const sources = [
      [v.configMap?.name, "ConfigMap"],
      [v.secret?.secretName, "Secret"],
      ...(v.projected?.sources ?? []).flatMap((s: any) => [
        [s.configMap?.name, "ConfigMap"],
        [s.secret?.name, "Secret"],
      ]),
    ];
    for (const [name, kind] of sources) {
      const o = name && objects.find((x) => x.kind === kind && x.name === name && x.namespace === t.owner.namespace);
      // Every process of a homeserver reads the shared file; its instance map concerns only those that replicate.
      if (o) for (const s of strings({ ...o.inputs.data, ...o.inputs.stringData })) add(s.text);
    }
  }
  return names;
}

export const keepsData: Rule = {
  id: "21",
  demands: "volumes that outlive their workload; databases and keys protected",
  check: ({ objects, resources, settings }) => [
    ...objects
      .filter((o) => o.kind === "StatefulSet" && o.inputs.spec.volumeClaimTemplates?.length)
      .filter(
        (o) =>
          o.inputs.spec.persistentVolumeClaimRetentionPolicy?.whenDeleted !== "Retain" ||
          o.inputs.spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== "Retain",
      )
      .map((object) => ({ object, what: "its claims do not outlive it" })),
    ...objects
      .filter((o) => o.kind === "StorageClass" && o.inputs.reclaimPolicy !== "Retain")
      .map((object) => ({ object, what: "released volumes are deleted" })),
    ...objects
      .filter(
        (o) =>
          o.kind === "Cluster" &&
          o.apiVersion.startsWith("postgresql.cnpg.io") &&
          settings.deletionProtection &&
          !resources.find((r) => r.urn === o.urn)?.protect,
      )
      .map((object) => ({ object, what: "the database is not protected" })),
    ...objects
      .filter((o) => o.kind === "PersistentVolumeClaim" && !resources.find((r) => r.urn === o.urn)?.retainOnDelete)
      .map((object) => ({ object, what: "the claim is deleted with the stack" })),
  ],
};

export const SECURITY_RULES: Rule[] = [secretsOnlyInSecrets, ingresses, monitors, declaredEdges, keepsData];
