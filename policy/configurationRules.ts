/** Rules about the files that pods read: each change reaches its readers, each file has a reader. */
import { CONFIG_HASH } from "../components/core/workload";
import { containersOf, strings } from "./subject";
import type { KubernetesObject, PodTemplate, Rule } from "./types";

/** A file or directory of a container that comes from a ConfigMap or Secret. */
interface Mounted {
  path: string;
  source: string;
  files: string[];
  container: any;
}

interface Source {
  kind: "ConfigMap" | "Secret";
  name: string;
  items?: Array<{ key: string; path: string }>;
}

const sourcesOf = (volume: any): Source[] => [
  ...(volume.configMap
    ? [{ kind: "ConfigMap" as const, name: volume.configMap.name, items: volume.configMap.items }]
    : []),
  ...(volume.secret ? [{ kind: "Secret" as const, name: volume.secret.secretName, items: volume.secret.items }] : []),
  ...(volume.projected?.sources ?? []).flatMap((s: any): Source[] =>
    s.configMap
      ? [{ kind: "ConfigMap", name: s.configMap.name, items: s.configMap.items }]
      : s.secret
        ? [{ kind: "Secret", name: s.secret.name, items: s.secret.items }]
        : [],
  ),
];

const find = (objects: KubernetesObject[], t: PodTemplate, s: Source): KubernetesObject | undefined =>
  objects.find((o) => o.kind === s.kind && o.namespace === t.owner.namespace && o.name === s.name);

const contents = (o: KubernetesObject | undefined): Record<string, string> => ({
  ...o?.inputs.data,
  ...o?.inputs.stringData,
});

function mountedFiles(t: PodTemplate, objects: KubernetesObject[]): Mounted[] {
  return containersOf(t).flatMap((container) =>
    (container.volumeMounts ?? []).flatMap((m: any): Mounted[] => {
      const volume = (t.spec.volumes ?? []).find((v: any) => v.name === m.name);
      return (volume ? sourcesOf(volume) : []).map((s) => {
        const files = s.items?.map((i) => i.path) ?? Object.keys(contents(find(objects, t, s)));
        return { container, source: `${s.kind} ${s.name}`, path: m.mountPath, files: m.subPath ? [""] : files };
      });
    }),
  );
}

/** Everything that a pod's processes read: their command lines, variables, and mounted files. */
function textOf(t: PodTemplate, objects: KubernetesObject[]): string {
  const own = containersOf(t).flatMap((c) =>
    [
      ...strings({
        command: c.command,
        args: c.args,
        env: c.env,
        probes: [c.livenessProbe, c.readinessProbe, c.startupProbe],
        lifecycle: c.lifecycle,
      }),
    ].map((s) => s.text),
  );
  const files = (t.spec.volumes ?? [])
    .flatMap(sourcesOf)
    .flatMap((s: Source) => Object.values(contents(find(objects, t, s))));
  return [...own, ...files].join("\n");
}

export const hashes: Rule = {
  id: "4",
  demands: "a hash of its configuration on each pod that reads a configuration, and on no other pod",
  check: ({ objects, templates }) =>
    templates
      .filter((t) => t.longRunning)
      .flatMap((t) => {
        const volumes = (t.spec.volumes ?? []).flatMap(sourcesOf).map((s: Source) => find(objects, t, s));
        const variables = containersOf(t).flatMap((c) =>
          (c.env ?? []).flatMap((e: any) => {
            const ref = e.valueFrom?.secretKeyRef
              ? { kind: "Secret" as const, name: e.valueFrom.secretKeyRef.name }
              : e.valueFrom?.configMapKeyRef
                ? { kind: "ConfigMap" as const, name: e.valueFrom.configMapKeyRef.name }
                : undefined;
            return ref ? [find(objects, t, ref)] : [];
          }),
        );
        // An object that is named after its content changes the pod through its name.
        const read = [...volumes, ...variables]
          .filter((o): o is KubernetesObject => o !== undefined)
          .filter((o) => !/-[0-9a-f]{8,16}$/.test(o.name));
        const hash = t.annotations[CONFIG_HASH];
        return read.length && !hash
          ? [
              {
                object: t,
                what: `reads ${[...new Set(read.map((o) => `${o.kind} ${o.name}`))].join(", ")} and has no ${CONFIG_HASH}`,
              },
            ]
          : [];
      }),
};

/** Directories of images, and of the kernel: these are not mounted from volumes. */
const OF_THE_IMAGE =
  /^\/(usr|opt|bin|sbin|lib|proc|sys|dev|app|var\/public|etc\/(ssl|nginx|passwd|resolv\.conf))(\/|$)/;
const FILE = /(?<![\w.:/$}])(\/[\w.-]+){2,}\.(ya?ml|json|conf|cfg|ini|pem|crt|key|sh|py|acl)\b/g;

export const files: Rule = {
  id: "15b",
  demands: "a reader for each mounted file, and a mount for each file that a configuration names",
  check: ({ objects, templates }) => {
    const pods = templates
      .filter((t) => t.owner.layer !== "cluster")
      .map((t) => ({ t, text: textOf(t, objects), mounted: mountedFiles(t, objects) }));
    // Each pod reads only a part of a shared directory: one reader is enough.
    const read = new Set(
      pods.flatMap(({ t, text, mounted }) =>
        mounted.flatMap((m) =>
          m.files.filter((f) => isNamed(text, at(m, f))).map((f) => `${t.owner.namespace} ${m.source} ${f}`),
        ),
      ),
    );
    return pods.flatMap(({ t, text, mounted }) => {
      const named = [...new Set([...text.matchAll(FILE)].map((m) => m[0]))];
      const directories = containersOf(t).flatMap((c) => (c.volumeMounts ?? []).map((m: any) => m.mountPath as string));
      return [
        ...mounted.flatMap((m) =>
          m.files
            .filter((f) => !read.has(`${t.owner.namespace} ${m.source} ${f}`))
            .map((f) => `${at(m, f)} (of ${m.source}) is not named by any configuration`),
        ),
        ...named
          .filter(
            (p) =>
              !OF_THE_IMAGE.test(p) && !directories.some((d) => p === d || p.startsWith(`${d.replace(/\/$/, "")}/`)),
          )
          .map((p) => `${p} is not mounted`),
        ...named
          .filter(
            (p) =>
              mounted.some((m) => p.startsWith(`${m.path}/`)) &&
              !mounted.some((m) => m.files.some((f) => at(m, f) === p)) &&
              !writable(t, p),
          )
          .map((p) => `${p} is not in any mounted source`),
      ].map((what) => ({ object: t, what }));
    });
  },
};

const at = (m: Mounted, file: string): string => (file ? `${m.path.replace(/\/$/, "")}/${file}` : m.path);

/** A file is read when it is named, or a directory that it is in. */
function isNamed(text: string, path: string): boolean {
  for (let part = path; part.length > 1; part = part.slice(0, part.lastIndexOf("/"))) {
    const end = part === path ? "" : "/?(?![\\w.\\-/])";
    if (new RegExp(`${part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}${end}`).test(text)) return true;
  }
  return false;
}

/** Created at run time: below a volume that the pod can write to. */
const writable = (t: PodTemplate, path: string): boolean => {
  const claims = (t.owner.inputs.spec.volumeClaimTemplates ?? []).map((c: any) => c.metadata.name);
  return containersOf(t).some((c) =>
    (c.volumeMounts ?? []).some(
      (m: any) =>
        path.startsWith(`${m.mountPath}/`) &&
        (claims.includes(m.name) || (t.spec.volumes ?? []).some((v: any) => v.name === m.name && v.emptyDir)),
    ),
  );
};

export const CONFIGURATION_RULES: Rule[] = [hashes, files];
