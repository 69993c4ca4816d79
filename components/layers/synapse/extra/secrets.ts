/** The Secrets with options: those that are secret of all processes, and further ones of each class that has any. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { synapseService } from "../../../core/names";
import { configHash, type ObjectMetadata } from "../../../core/workload";
import type { VolumeSpec } from "../../../core/workload/pod";
import type { WorkerClass } from "../../../domain/workerClasses";
import type { Settings } from "../../../settings/types";
import type { Yaml } from "../homeserverYaml";
import { EMAIL_FILE, EXTRA_FILE } from "../paths";
import { extraText } from "./render";

/** A Secret with options. */
export interface OptionsSecret {
  /** It holds a digest of the content: options that the check refuses reach no pod. */
  name: pulumi.Output<string>;
  object: pulumi.Resource;
}
/** The Secret of a class. */
export interface ExtraSecret extends OptionsSecret {
  class: WorkerClass;
}

interface OptionsSecretArgs {
  /** A generated secret: with it, the digest in the name tells nothing about short secrets among the options. */
  key: pulumi.Input<string>;
  meta(objectName: string, component?: string): ObjectMetadata;
  parent: pulumi.Resource;
}
interface ExtraSecretsArgs extends OptionsSecretArgs {
  settings: Settings;
  /** Each class with the texts of all files that Synapse reads before these. */
  classes: Array<{ class: WorkerClass; texts: string[] }>;
}

/** What a Secret with options is called, and holds. */
interface OptionsFile {
  resource: string;
  base: string;
  /** The component label. @default that of all processes */
  component?: string;
  file: string;
  text: string;
}

function optionsSecret({ resource, base, component, file, text }: OptionsFile, args: OptionsSecretArgs): OptionsSecret {
  const name = pulumi.interpolate`${base}-${configHash({ [file]: text, key: args.key }).apply((d) => d.slice(0, 10))}`;
  const object = new k8s.core.v1.Secret(
    resource,
    {
      metadata: { ...args.meta("", component), name },
      type: "Opaque",
      immutable: true,
      stringData: { [file]: pulumi.secret(text) },
    },
    { parent: args.parent },
  );
  return { name, object };
}

/** The Secret with those options of all processes that are secret: e-mail, passwords. */
export const emailSecret = (name: string, text: string, args: OptionsSecretArgs): OptionsSecret =>
  optionsSecret({ resource: `${name}-email`, base: "synapse-email", file: EMAIL_FILE, text }, args);

export function extraSecrets(name: string, args: ExtraSecretsArgs): ExtraSecret[] {
  const { extra = {}, modules } = args.settings.synapse;
  if (Object.keys(extra).length + modules.length === 0) return [];
  // The files of all processes are large, and the same for each class.
  const read = new Map<string, Yaml>();
  const document = (text: string): Yaml => {
    const known = read.get(text) ?? (parse(text) as Yaml | null) ?? {};
    read.set(text, known);
    return known;
  };
  return args.classes.flatMap(({ class: cls, texts }) => {
    const stack: Yaml = Object.assign({}, ...texts.map(document));
    const text = extraText({ settings: args.settings, class: cls, stack });
    if (text === undefined) return [];
    const service = synapseService(cls);
    const file = { file: EXTRA_FILE, text };
    const resource = `${name}-extra-${cls}`;
    return [
      { class: cls, ...optionsSecret({ resource, base: `${service}-extra`, component: service, ...file }, args) },
    ];
  });
}

/** Name of the check's Job: other options are another Job. */
export function checkName(
  digest: string,
  { email, extras }: { email: OptionsSecret | undefined; extras: readonly ExtraSecret[] },
): pulumi.Input<string> {
  const names = Object.fromEntries(extras.map((e) => [e.class, e.name]));
  if (email) names.email = email.name;
  return Object.keys(names).length === 0
    ? `synapse-check-config-${digest}`
    : configHash({ digest, ...names }).apply((all) => `synapse-check-config-${all.slice(0, 10)}`);
}

/** The Job has all of them in one folder, each class's options under its name. */
export const projectedExtras = (
  extras: readonly ExtraSecret[],
): Extract<VolumeSpec, { projected: unknown }>["projected"] =>
  extras.map((e) => ({ secret: e.name, items: { [EXTRA_FILE]: `${e.class}.yaml` } }));
