/**
 * The file that has what `synapse.extra` and `synapse.modules` add to a class's configuration. Synapse reads it last,
 * and takes whole top-level options from it: so each that the operator touched is there with what the stack writes.
 * Pure.
 */
import { yamlText } from "../../../core/yaml";
import type { WorkerClass } from "../../../domain/workerClasses";
import type { Settings } from "../../../settings/types";
import type { Yaml } from "../homeserverYaml";
import { typedValue } from "./options";
import { isRead } from "./readers";
import { merged } from "./values";

/** What the file is made from. */
export interface ExtraInput {
  settings: Settings;
  class: WorkerClass;
  /** What the stack writes for this class, all its files together. */
  stack: Yaml;
}

/** The file's text; undefined where nothing was added. */
export function extraText({ settings, class: cls, stack }: ExtraInput): string | undefined {
  const { extra = {}, modules } = settings.synapse;
  const config: Yaml = Object.fromEntries(
    Object.entries(extra)
      .filter(([name]) => isRead(name, stack))
      .map(([name, value]) => [name, merged(stack[name], typedValue(name, value))]),
  );
  const mine = modules.filter(({ workers }) => workers === undefined || workers.includes(cls));
  if (mine.length > 0)
    config.modules = [
      ...(stack.modules as unknown[]),
      ...mine.map((m) => ({ module: m.module, config: m.config ?? {} })),
    ];
  return Object.keys(config).length > 0 ? yamlText(config) : undefined;
}
