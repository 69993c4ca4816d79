/** The Secrets with further options, one for each class that has any. */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { synapseService } from "../../../core/names";
import { configHash, type ObjectMetadata } from "../../../core/workload";
import type { VolumeSpec } from "../../../core/workload/pod";
import type { WorkerClass } from "../../../domain/workerClasses";
import type { Settings } from "../../../settings/types";
import type { Yaml } from "../homeserverYaml";
import { EXTRA_FILE } from "../paths";
import { extraText } from "./render";

/** The Secret of a class. */
export interface ExtraSecret {
  class: WorkerClass;
  /** Its name holds a digest of its content: options that the check refuses reach no pod. */
  name: pulumi.Output<string>;
  object: pulumi.Resource;
}

interface ExtraSecretsArgs {
  settings: Settings;
  /** Each class with the texts of all files that Synapse reads before these. */
  classes: Array<{ class: WorkerClass; texts: string[] }>;
  /** A generated secret: with it, the digest in the name tells nothing about short secrets among the options. */
  key: pulumi.Input<string>;
  meta(objectName: string, component?: string): ObjectMetadata;
  parent: pulumi.Resource;
}

export function extraSecrets(name: string, args: ExtraSecretsArgs): ExtraSecret[] {
  return args.classes.flatMap(({ class: cls, texts }) => {
    const stack = Object.assign({}, ...texts.map((text) => (parse(text) as Yaml | null) ?? {})) as Yaml;
    const text = extraText({ settings: args.settings, class: cls, stack });
    if (text === undefined) return [];
    const service = synapseService(cls);
    const objectName = pulumi.interpolate`${service}-extra-${configHash({ [EXTRA_FILE]: text, key: args.key }).apply((d) => d.slice(0, 10))}`;
    const object = new k8s.core.v1.Secret(
      `${name}-extra-${cls}`,
      {
        metadata: { ...args.meta("", service), name: objectName },
        type: "Opaque",
        immutable: true,
        stringData: { [EXTRA_FILE]: pulumi.secret(text) },
      },
      { parent: args.parent },
    );
    return [{ class: cls, name: objectName, object }];
  });
}

/** Name of the check's Job: other options are another Job. */
export const checkName = (digest: string, extras: readonly ExtraSecret[]): pulumi.Input<string> =>
  extras.length === 0
    ? `synapse-check-config-${digest}`
    : configHash({ digest, ...Object.fromEntries(extras.map((e) => [e.class, e.name])) }).apply(
        (all) => `synapse-check-config-${all.slice(0, 10)}`,
      );

/** The Job has all of them in one folder, each class's options under its name. */
export const projectedExtras = (
  extras: readonly ExtraSecret[],
): Extract<VolumeSpec, { projected: unknown }>["projected"] =>
  extras.map((e) => ({ secret: e.name, items: { [EXTRA_FILE]: `${e.class}.yaml` } }));
