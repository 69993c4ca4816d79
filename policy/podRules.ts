/** Rules about pods: security, probes, resources, spreading. */
import { isDeepStrictEqual } from "node:util";
import { imageRef } from "../components/core/images";
import { hardenedContainer, hardenedPod, quantityValue, SECCOMP } from "../components/core/workload";
import { IMAGES } from "../components/layers/registry";
import { containersOf, matches } from "./subject";
import type { KubernetesObject, OperatorPods, PodTemplate, Rule } from "./types";

const each = (t: PodTemplate, check: (c: any) => string[]): Array<{ object: PodTemplate; what: string }> =>
  containersOf(t).flatMap((c) => check(c).map((what) => ({ object: t, what: `container ${c.name}: ${what}` })));

export const ports: Rule = {
  id: "8",
  demands: "container ports named and unique in the pod; none in Jobs",
  check: ({ templates }) =>
    templates.flatMap((t) => {
      const all = (t.spec.containers ?? []).flatMap((c: any) => c.ports ?? []);
      const ids = all.map((p: any) => `${p.containerPort}/${p.protocol ?? "TCP"}`),
        named = all.map((p: any) => p.name);
      return [
        ...(named.some((n: any) => !n) || new Set(named).size !== named.length
          ? [{ object: t, what: "ports unnamed or names not unique" }]
          : []),
        ...(new Set(ids).size !== ids.length ? [{ object: t, what: "the same port twice" }] : []),
        ...(!t.longRunning && all.length ? [{ object: t, what: "a Job with ports" }] : []),
      ];
    }),
};

const PROBE_FIELDS = ["periodSeconds", "timeoutSeconds", "failureThreshold", "successThreshold"];

export const probes: Rule = {
  id: "9",
  demands: "liveness, readiness and startup probes, explicit to the last threshold, by port name",
  check: ({ templates }) =>
    templates
      .filter((t) => t.longRunning)
      .flatMap((t) =>
        (t.spec.containers ?? []).flatMap((c: any) =>
          ["livenessProbe", "readinessProbe", "startupProbe"].flatMap((kind) => {
            const p = c[kind];
            if (!p) return [{ object: t, what: `container ${c.name}: no ${kind}` }];
            const port = p.httpGet?.port ?? p.tcpSocket?.port;
            return [
              ...PROBE_FIELDS.filter((f) => p[f] === undefined).map((f) => ({
                object: t,
                what: `container ${c.name}: ${kind}.${f} is not set`,
              })),
              ...(port !== undefined && typeof port !== "string"
                ? [{ object: t, what: `container ${c.name}: ${kind} by port number` }]
                : []),
              ...(typeof port === "string" && !(c.ports ?? []).some((x: any) => x.name === port)
                ? [{ object: t, what: `container ${c.name}: ${kind} names port ${port}, which it does not declare` }]
                : []),
            ];
          }),
        ),
      ),
};

export const hardening: Rule = {
  id: "10",
  demands:
    "non-root with explicit ids above 1000, RuntimeDefault, no escalation, read-only root, all capabilities dropped",
  check: ({ templates }) =>
    templates.flatMap((t) => {
      const p = t.spec.securityContext ?? {};
      const pod = [
        ...(p.runAsNonRoot === true ? [] : ["runAsNonRoot is not true"]),
        ...["runAsUser", "runAsGroup", "fsGroup"]
          .filter((f) => !(p[f] > 1000))
          .map((f) => `${f} is ${p[f] ?? "not set"}`),
        ...(p.seccompProfile?.type === "RuntimeDefault" ? [] : ["seccomp profile is not RuntimeDefault"]),
        ...["hostNetwork", "hostPID", "hostIPC"].filter((f) => t.spec[f]).map((f) => `${f} is used`),
        ...(t.spec.volumes ?? []).filter((v: any) => v.hostPath).map((v: any) => `hostPath ${v.hostPath.path}`),
      ].map((what) => ({ object: t, what }));
      return [
        ...pod,
        ...each(t, (c) => {
          const s = c.securityContext ?? {};
          return [
            ...(s.allowPrivilegeEscalation === false ? [] : ["allowPrivilegeEscalation is not false"]),
            ...(s.readOnlyRootFilesystem === true ? [] : ["the root file system is writable"]),
            ...((s.capabilities?.drop ?? []).includes("ALL") ? [] : ["capabilities are not dropped"]),
            ...(s.capabilities?.add ?? []).map((x: string) => `adds capability ${x}`),
            ...(s.privileged ? ["privileged"] : []),
          ];
        }),
      ];
    }),
};

type Context = Record<string, unknown>;

/** The fields in which two security contexts differ, with their values. */
const unlike = (given: Context, hardened: Context): string[] =>
  [...new Set([...Object.keys(hardened), ...Object.keys(given)])]
    .filter((field) => !isDeepStrictEqual(given[field], hardened[field]))
    .map((field) => `${field} is ${given[field] === undefined ? "not set" : JSON.stringify(given[field])}`);

/**
 * Added capabilities are left out: rule 10 names each. A container takes the fields of its user that it does not set
 * from its pod.
 */
function unlikeHardened(pod: any, containers: any[]): string[] {
  const given = pod ?? {};
  return [
    ...unlike(given, hardenedPod(given.runAsUser)),
    ...containers.flatMap(({ name, securityContext: own }) =>
      unlike({ runAsNonRoot: given.runAsNonRoot, ...own }, hardenedContainer(own?.capabilities?.add)).map(
        (what) => `container ${name}: ${what}`,
      ),
    ),
  ];
}

/** The hardening that a custom resource asks for its pods. Operators harden the containers unless it says how. */
function unlikeSaid({ kind, inputs: { spec } }: KubernetesObject): string[] {
  if (kind === "Cluster") return unlike({ seccompProfile: spec.seccompProfile }, { seccompProfile: SECCOMP });
  const pod = podSpecOf(spec);
  return unlikeHardened(
    pod.securityContext,
    (pod.containers ?? []).filter((c: any) => c.securityContext),
  );
}

export const sameHardening: Rule = {
  id: "10b",
  demands: "the full hardening of components/core/workload on all pods, and on custom resources that set it",
  check: ({ templates, operatorPods }) => [
    ...templates.flatMap((t) =>
      unlikeHardened(t.spec.securityContext, containersOf(t)).map((what) => ({ object: t, what })),
    ),
    ...operatorPods.flatMap(({ owner }) => unlikeSaid(owner).map((what) => ({ object: owner, what }))),
  ],
};

export const resources: Rule = {
  id: "11",
  demands: "CPU and memory requests and a memory limit on every container, no CPU limit",
  check: ({ templates }) =>
    templates.flatMap((t) =>
      each(t, (c) => [
        ...(c.resources?.requests?.cpu ? [] : ["no CPU request"]),
        ...(c.resources?.requests?.memory ? [] : ["no memory request"]),
        ...(c.resources?.limits?.memory ? [] : ["no memory limit"]),
        ...(c.resources?.limits?.cpu ? ["a CPU limit"] : []),
      ]),
    ),
};

/** MiB that a pod's volumes on the node's disk may take. */
const onDisk = (t: PodTemplate): number =>
  (t.spec.volumes ?? [])
    .filter((v: any) => v.emptyDir && v.emptyDir.medium !== "Memory" && v.emptyDir.sizeLimit)
    .reduce((sum: number, v: any) => sum + quantityValue(v.emptyDir.sizeLimit), 0);

const EPHEMERAL = "ephemeral-storage";
const diskProblems = (resources: any): string[] =>
  (["requests", "limits"] as const)
    .filter((kind) => !resources?.[kind]?.[EPHEMERAL])
    .map((kind) => `no ${EPHEMERAL} in its ${kind}`);

export const disk: Rule = {
  id: "11b",
  demands:
    "a request and a limit of the node's disk (ephemeral-storage) on every container, also of pods that operators make; the limits of a pod exceed the sizes of its volumes there, since the kubelet evicts a pod at either",
  check: ({ templates, operatorPods }) => [
    ...templates.flatMap((t) => each(t, (c) => diskProblems(c.resources))),
    ...templates.flatMap((t) => {
      const limits = (t.spec.containers ?? [])
        .map((c: any) => c.resources?.limits?.[EPHEMERAL])
        .filter(Boolean)
        .reduce((sum: number, q: string) => sum + quantityValue(q), 0);
      return limits > onDisk(t)
        ? []
        : [
            {
              object: t,
              what: `its volumes may take ${onDisk(t)} bytes, its containers only ${limits}, logs included`,
            },
          ];
    }),
    ...operatorPods.flatMap(({ owner }) =>
      resourcesIn(owner.inputs.spec)
        .flatMap(diskProblems)
        .map((what) => ({ object: owner, what })),
    ),
  ],
};

export const replicas: Rule = {
  id: "12",
  demands:
    "explicit replicas, absent only where an autoscaler owns them; at least 2 for every workload that has to survive a node's loss",
  check: ({ objects, templates }) =>
    templates
      .filter((t) => ["Deployment", "StatefulSet"].includes(t.owner.kind))
      .flatMap((t) => {
        const scaler = objects.find(
          (o) =>
            o.kind === "HorizontalPodAutoscaler" &&
            o.namespace === t.owner.namespace &&
            o.inputs.spec.scaleTargetRef.name === t.owner.name &&
            o.inputs.spec.scaleTargetRef.kind === t.owner.kind,
        );
        const n = t.owner.inputs.spec.replicas;
        if (scaler) {
          return [
            ...(n === undefined ? [] : [{ object: t, what: "replicas set although an autoscaler owns them" }]),
            ...(scaler.inputs.spec.minReplicas >= 2
              ? []
              : [{ object: t, what: `autoscaler may go down to ${scaler.inputs.spec.minReplicas}` }]),
          ];
        }
        if (n === undefined) return [{ object: t, what: "replicas are not set" }];
        return n >= 2 ? [] : [{ object: t, what: "a single replica" }];
      }),
};

export const spreading: Rule = {
  id: "13",
  demands:
    "for everything with several replicas, spread over hosts and zones (if there are two, never both on one host) and a disruption budget; no budget that blocks a drain forever",
  check: ({ objects, templates }) => {
    const budgets = objects.filter((o) => o.kind === "PodDisruptionBudget");
    const several = (t: PodTemplate): boolean =>
      ["Deployment", "StatefulSet"].includes(t.owner.kind) && (t.owner.inputs.spec.replicas ?? 2) > 1;
    const fewest = (t: PodTemplate): number =>
      t.owner.inputs.spec.replicas ??
      objects.find(
        (o) =>
          o.kind === "HorizontalPodAutoscaler" &&
          o.namespace === t.owner.namespace &&
          o.inputs.spec.scaleTargetRef.name === t.owner.inputs.metadata.name,
      )?.inputs.spec.minReplicas ??
      2;
    return [
      ...templates.filter(several).flatMap((t) => {
        const constraints = t.spec.topologySpreadConstraints ?? [];
        const ours = constraints.filter((c: any) => matches(c.labelSelector?.matchLabels, t.labels));
        const keys = ours.map((c: any) => c.topologyKey);
        // A mere preference allows both pods of a class on one node; a node that is being drained must not count as
        // empty.
        const apart = ours.some(
          (c: any) =>
            c.topologyKey === "kubernetes.io/hostname" &&
            c.whenUnsatisfiable === "DoNotSchedule" &&
            c.nodeTaintsPolicy === "Honor",
        );
        const mine = budgets.filter(
          (b) => b.namespace === t.owner.namespace && matches(b.inputs.spec.selector?.matchLabels, t.labels),
        );
        return [
          ...["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
            .filter((k) => !keys.includes(k))
            .map((k) => ({ object: t, what: `not spread over ${k}` })),
          ...(fewest(t) !== 2 || apart ? [] : [{ object: t, what: "both replicas may be on one host" }]),
          ...(mine.length === 1 ? [] : [{ object: t, what: `${mine.length} disruption budgets` }]),
        ];
      }),
      ...budgets.flatMap((b) => {
        const pods = templates.filter(
          (t) => t.owner.namespace === b.namespace && matches(b.inputs.spec.selector?.matchLabels, t.labels),
        );
        const n = pods.reduce((sum, t) => sum + (t.owner.inputs.spec.replicas ?? 2), 0);
        const { maxUnavailable, minAvailable } = b.inputs.spec;
        const blocks =
          maxUnavailable === 0 || maxUnavailable === "0%" || (typeof minAvailable === "number" && minAvailable >= n);
        return pods.length && blocks
          ? [
              {
                object: b,
                what: `blocks every drain: ${n} pods, maxUnavailable ${maxUnavailable}, minAvailable ${minAvailable}`,
              },
            ]
          : [];
      }),
    ];
  },
};

/** Where objects name images: containers, and the custom resources whose operators start them. */
function* imagesIn(value: any): Generator<string> {
  if (Array.isArray(value)) for (const v of value) yield* imagesIn(v);
  else if (value !== null && typeof value === "object") {
    for (const [k, v] of Object.entries<any>(value))
      if ((k === "image" || k === "imageName") && typeof v === "string") yield v;
      else yield* imagesIn(v);
  }
}

export const images: Rule = {
  id: "17",
  demands: "images from the one table, with exact versions, pulled only when absent",
  check: ({ objects, templates, settings }) => {
    const table = new Set(Object.values(IMAGES).map((image) => imageRef(settings, image)));
    return [
      ...objects
        .filter((o) => o.kind !== "CustomResourceDefinition")
        .flatMap((o) =>
          [...imagesIn(o.inputs.spec)].flatMap((image) => {
            const tag = /:([^:/@]+)(@sha256:[0-9a-f]{64})?$/.exec(image)?.[1];
            return [
              ...(!tag || !/\d/.test(tag) ? [{ object: o, what: `image ${image} is not pinned` }] : []),
              ...(table.has(image)
                ? []
                : [{ object: o, what: `image ${image} is not in the table (components/layers/*/images.ts)` }]),
            ];
          }),
        ),
      ...templates.flatMap((t) =>
        each(t, (c) =>
          c.imagePullPolicy === "IfNotPresent" ? [] : [`imagePullPolicy is ${c.imagePullPolicy ?? "not set"}`],
        ),
      ),
    ];
  },
};

/** Some custom resources have the pods' specification as a template, others have its fields among their own. */
const podSpecOf = (spec: any): any => spec.template?.spec ?? spec;

function keptApart(spec: any): boolean {
  const pod = podSpecOf(spec);
  return (
    spec.affinity?.podAntiAffinityType === "required" ||
    Boolean(pod.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.length) ||
    (pod.topologySpreadConstraints ?? []).some((c: any) => c.topologyKey === "kubernetes.io/hostname")
  );
}

function budgetsOf({ owner, labels }: OperatorPods, objects: KubernetesObject[]): number {
  // CloudNativePG creates an instance's budgets itself unless told not to.
  if (owner.kind === "Cluster") return owner.inputs.spec.enablePDB === false ? 0 : 1;
  return objects.filter(
    (b) =>
      b.kind === "PodDisruptionBudget" &&
      b.namespace === owner.namespace &&
      matches(b.inputs.spec.selector?.matchLabels, labels),
  ).length;
}

/** Resources of each container that an operator is configured with. */
const resourcesIn = (spec: any): any[] =>
  spec.template?.spec?.containers?.map((c: any) => c.resources) ?? [spec.resources];

/** Findings for each of them. */
function resourceProblems(spec: any): string[] {
  return resourcesIn(spec).flatMap((r) => [
    ...(r?.requests?.cpu && r.requests.memory ? [] : ["no requests"]),
    ...(r?.limits?.memory ? [] : ["no memory limit"]),
    ...(r?.limits?.cpu ? ["a CPU limit"] : []),
  ]);
}

/** Pods that operators start for us follow the same rules, as far as their custom resources can express them. */
export const operatorMade: Rule = {
  id: "11-13",
  demands:
    "for pods that operators create: requests, a memory limit, several replicas, never two on a host, one disruption budget",
  check: ({ objects, operatorPods }) =>
    operatorPods.flatMap((made) => {
      const { owner, replicas: n } = made,
        { spec } = owner.inputs;
      const budgets = budgetsOf(made, objects);
      return [
        ...resourceProblems(spec),
        ...(n >= 2 ? [] : [`${n} replicas`]),
        ...(keptApart(spec) ? [] : ["not spread over hosts"]),
        ...(budgets === 1 ? [] : [`${budgets} disruption budgets`]),
      ].map((what) => ({ object: owner, what }));
    }),
};

export const livenessIndependent: Rule = {
  id: "9b",
  demands: "liveness that depends on no other service",
  check: ({ templates }) =>
    templates.flatMap((t) =>
      (t.spec.containers ?? []).flatMap((c: any) => {
        const p = c.livenessProbe;
        const text = [p?.httpGet?.host, ...(p?.exec?.command ?? [])].filter(Boolean).join(" ");
        return /\.svc\b|https?:\/\/(?!127\.|localhost)/.test(text) || p?.httpGet?.path === "/minio/health/cluster"
          ? [{ object: t, what: `container ${c.name}: liveness asks ${text || p.httpGet.path}` }]
          : [];
      }),
    ),
};

export const POD_RULES: Rule[] = [
  ports,
  probes,
  livenessIndependent,
  hardening,
  sameHardening,
  resources,
  disk,
  replicas,
  spreading,
  operatorMade,
  images,
];
