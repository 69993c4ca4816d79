/**
 * A pod of the stack as processes on this machine: its volumes laid out from the registered ConfigMaps and Secrets, its
 * containers' commands, users, environment and mounts as registered, in the root file system of the image.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import type { KubernetesObject, PodTemplate } from "../../policy/types";
import { note } from "./counts";
import { isKnown, programOf } from "./programs";

export interface PodIdentity {
  name: string;
  namespace: string;
  ip?: string;
  hostIp?: string;
  fqdn?: string;
}
export interface LaidOutContainer {
  name: string;
  /** Where the root file system gets mounted. */
  root: string;
  /** Shell lines (run as root in a mount namespace of their own) that mount it. */
  mountScript: string;
  argv: string[];
  env: Record<string, string>;
  uid: number;
  gid: number;
}
export interface LaidOutPod {
  dir: string;
  identity: PodIdentity;
  init: LaidOutContainer[];
  containers: LaidOutContainer[];
  volume(name: string): string;
}

export const findObject = (
  objects: KubernetesObject[],
  kind: string,
  namespace: string,
  name: string,
): KubernetesObject | undefined => objects.find((o) => o.kind === kind && o.name === name && o.namespace === namespace);

interface Reference {
  kind: "ConfigMap" | "Secret";
  name: string;
  optional?: boolean;
}

/** Contents of a ConfigMap or Secret by key. */
export function dataOf(
  objects: KubernetesObject[],
  namespace: string,
  { kind, name, optional }: Reference,
): Record<string, Buffer> {
  const found = findObject(objects, kind, namespace, name);
  if (!found) {
    if (optional) return {};
    throw new Error(`${kind} ${namespace}/${name} is mounted, but no object creates it`);
  }
  const plain = { ...found.inputs.data, ...found.inputs.stringData } as Record<string, string>;
  const out: Record<string, Buffer> = {};
  for (const [k, v] of Object.entries(plain))
    out[k] = found.inputs.data?.[k] !== undefined && kind === "Secret" ? Buffer.from(v, "base64") : Buffer.from(v);
  for (const [k, v] of Object.entries<string>(found.inputs.binaryData ?? {})) out[k] = Buffer.from(v, "base64");
  return out;
}

/** The objects of the stack from which a pod is made. */
interface Pod {
  objects: KubernetesObject[];
  identity: PodIdentity;
  /** Group of its volumes. */ gid: number;
}

/** A ConfigMap or Secret as files of a volume. */
interface Source extends Reference {
  /** Default: all keys, under their own names. */ items?: Array<{ key: string; path: string }>;
  mode?: number;
}

/** The source of the volume; undefined if it is neither a ConfigMap nor a Secret. */
function sourcesOf(v: any): Source[] | undefined {
  const source = (kind: Source["kind"], name: string, { optional, items }: any, mode?: number): Source => ({
    kind,
    name,
    optional,
    items,
    mode,
  });
  if (v.configMap) return [source("ConfigMap", v.configMap.name, v.configMap, v.configMap.defaultMode)];
  if (v.secret) return [source("Secret", v.secret.secretName, v.secret, v.secret.defaultMode)];
  return v.projected?.sources.map(({ secret, configMap }: any) =>
    secret
      ? source("Secret", secret.name, secret, v.projected.defaultMode)
      : source("ConfigMap", configMap.name, configMap, v.projected.defaultMode),
  );
}

function writeSource(dir: string, source: Source, { objects, identity, gid }: Pod): void {
  const data = dataOf(objects, identity.namespace, source);
  for (const { key, path: p } of source.items ?? Object.keys(data).map((k) => ({ key: k, path: k }))) {
    const value = data[key];
    if (value === undefined) throw new Error(`${source.kind} ${source.name} has no key ${key}, which a pod mounts`);
    const file = path.join(dir, p);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, value);
    fs.chownSync(file, 0, gid);
    // With fsGroup, kubelet adds the group's permission to read.
    fs.chmodSync(file, (source.mode ?? 0o644) | 0o440);
  }
}

function layVolume(dir: string, v: any, pod: Pod): void {
  fs.mkdirSync(dir, { recursive: true });
  const sources = sourcesOf(v);
  if (sources) {
    for (const s of sources) writeSource(dir, s, pod);
  } else if (v.emptyDir || v.persistentVolumeClaim || v.claim) {
    fs.chownSync(dir, 0, pod.gid);
    fs.chmodSync(dir, 0o2777);
  } else throw new Error(`volume ${v.name}: this kind is not laid out`);
}

function field(at: string, identity: PodIdentity): string {
  const value = {
    "metadata.name": identity.name,
    "metadata.namespace": identity.namespace,
    // A pod that replaces another has its name and a uid of its own. The lab lays out one pod of a name.
    "metadata.uid": `uid-of-${identity.name}`,
    "status.podIP": identity.ip,
    "status.hostIP": identity.hostIp ?? identity.ip,
    "spec.nodeName": "node-1",
  }[at];
  if (value === undefined) throw new Error(`field ${at} of a pod is not known here`);
  return value;
}

function envOf(c: any, { objects, identity }: Pod): Record<string, string> {
  const out: Record<string, string> = {};
  for (const e of c.env ?? []) {
    const from = e.valueFrom;
    if (!from) out[e.name] = (e.value ?? "").replace(/\$\(([A-Za-z_]+)\)/g, (all: string, n: string) => out[n] ?? all);
    else if (from.fieldRef) out[e.name] = field(from.fieldRef.fieldPath, identity);
    else if (from.secretKeyRef) {
      const { name, key, optional } = from.secretKeyRef;
      const value = dataOf(objects, identity.namespace, { kind: "Secret", name, optional })[key];
      if (value) out[e.name] = value.toString();
      else if (!optional) throw new Error(`Secret ${name} has no key ${key}`);
    } else throw new Error(`environment ${e.name}: this source is not laid out`);
  }
  return out;
}

const quote = (s: string): string => `'${s.replace(/'/g, "'\\''")}'`;
export const shell = (argv: string[]): string => argv.map(quote).join(" ");

/** Some programs are available only from a container registry: this is noted, not skipped silently. */
function known(image: string): boolean {
  if (isKnown(image)) return true;
  note(`Not started, because Debian, PyPI and Go's proxy do not have its program in this form: ${image}.`);
  return false;
}

/**
 * The folders of a container's file system: `skeleton` is laid over the image, and both are mounted at `root`.
 */
interface Folders {
  skeleton: string;
  root: string;
}

/**
 * Files of a container besides its image: names of hosts, its name server, and replacements for files of another image.
 */
function writeSkeleton(
  skeleton: string,
  identity: PodIdentity,
  dns: string | undefined,
  files: Record<string, string>,
): void {
  const own = identity.ip && identity.fqdn ? `${identity.ip} ${identity.fqdn} ${identity.name}\n` : "";
  fs.writeFileSync(path.join(skeleton, "etc/hosts"), `127.0.0.1 localhost\n::1 localhost\n${own}`);
  fs.writeFileSync(path.join(skeleton, "etc/hostname"), `${identity.name}\n`);
  fs.writeFileSync(path.join(skeleton, "etc/resolv.conf"), dns ? `nameserver ${dns}\noptions ndots:5\n` : "");
  for (const [p, text] of Object.entries(files)) {
    fs.mkdirSync(path.join(skeleton, path.dirname(p)), { recursive: true });
    fs.writeFileSync(path.join(skeleton, p), text);
  }
}

/** Makes the places where the container mounts its volumes; the shell lines that mount them. */
function volumeMounts(c: any, { skeleton, root }: Folders, volume: (name: string) => string): string[] {
  const binds: string[] = [];
  for (const m of c.volumeMounts ?? []) {
    const from = m.subPath ? path.join(volume(m.name), m.subPath) : volume(m.name);
    if (!fs.existsSync(from))
      throw new Error(`${c.name} mounts ${m.name}${m.subPath ? `/${m.subPath}` : ""}, which is not there`);
    const target = path.join(skeleton, m.mountPath);
    if (fs.statSync(from).isDirectory()) fs.mkdirSync(target, { recursive: true });
    else {
      fs.mkdirSync(path.dirname(target), { recursive: true });
      fs.writeFileSync(target, "");
    }
    binds.push(
      `mount --bind ${quote(from)} ${quote(root + m.mountPath)}`,
      ...(m.readOnly ? [`mount -o remount,bind,ro ${quote(root + m.mountPath)}`] : []),
    );
  }
  return binds;
}

const rootMounts = ({ skeleton, root }: Folders, rootfs: string): string[] => [
  // No upper layer: the root file system cannot be written, as in the pod.
  `mount -t overlay pod -o lowerdir=${skeleton}:${rootfs} ${quote(root)}`,
  `mount -t proc proc ${root}/proc`,
  `mount -t tmpfs -o mode=755 dev ${root}/dev`,
  ...["null", "zero", "random", "urandom", "full"].flatMap((d) => [
    `: > ${root}/dev/${d}`,
    `mount --bind /dev/${d} ${root}/dev/${d}`,
  ]),
  `ln -s /proc/self/fd ${root}/dev/fd; ln -s fd/0 ${root}/dev/stdin; ln -s fd/1 ${root}/dev/stdout; ln -s fd/2 ${root}/dev/stderr; mkdir -m 1777 ${root}/dev/shm`,
];

function argvOf(c: any, entrypoint: string[] = []): string[] {
  const argv: string[] = [...(c.command ?? entrypoint), ...(c.args ?? [])];
  if (!argv.length) throw new Error(`${c.name}: no command, and the image's own is not known`);
  return argv;
}

export interface PodToLay {
  template: PodTemplate;
  /** The stack's: what the pod mounts is among them. */
  objects: KubernetesObject[];
  identity: PodIdentity;
  /** Address of the name server that the pod asks; default none. */
  dns?: string;
}

export function layOutPod(dir: string, { template, objects, identity, dns }: PodToLay): LaidOutPod {
  const { spec } = template;
  const uid: number = spec.securityContext?.runAsUser ?? 65534,
    gid: number = spec.securityContext?.fsGroup ?? uid;
  const pod: Pod = { objects, identity, gid };
  const volume = (name: string): string => path.join(dir, "volumes", name);
  const claims = (template.owner.inputs.spec?.volumeClaimTemplates ?? []).map((c: any) => ({
    name: c.metadata.name,
    claim: true,
  }));
  for (const v of [...(spec.volumes ?? []), ...claims]) layVolume(volume(v.name), v, pod);

  const layContainer = (c: any): LaidOutContainer => {
    const program = programOf(c.image);
    const skeleton = path.join(dir, "containers", c.name, "skeleton"),
      root = path.join(dir, "containers", c.name, "root");
    for (const d of [root, ...["proc", "dev", "etc", "tmp"].map((d) => path.join(skeleton, d))])
      fs.mkdirSync(d, { recursive: true });
    writeSkeleton(skeleton, identity, dns, program.files ?? {});
    const binds = volumeMounts(c, { skeleton, root }, volume);
    const mountScript = ["set -e", ...rootMounts({ skeleton, root }, program.rootfs), ...binds].join("\n");
    const argv = argvOf(c, program.entrypoint);
    const env = {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      ...program.env,
      HOSTNAME: identity.name,
      ...envOf(c, pod),
    };
    return { name: c.name, root, mountScript, argv, env, uid: c.securityContext?.runAsUser ?? uid, gid };
  };
  return {
    dir,
    identity,
    volume,
    init: (spec.initContainers ?? []).map(layContainer),
    containers: spec.containers.filter((c: any) => known(c.image)).map(layContainer),
  };
}

/** A whole script that becomes the container's process; `argv` may replace the registered command. */
export function containerScript(c: LaidOutContainer, argv = c.argv): string {
  const env = Object.entries(c.env)
    .map(([k, v]) => quote(`${k}=${v}`))
    .join(" ");
  // The programs are looked up in the container's PATH: `env` of the host would use its own, so chroot comes first.
  return `${c.mountScript}\nexec env -i ${env} /usr/sbin/chroot --userspec=${c.uid}:${c.gid} --groups=${c.gid} ${quote(c.root)} ${shell(argv)}\n`;
}
