/**
 * The file that has what `synapse.extra` and `synapse.modules` add to a class's configuration. Synapse reads it last,
 * and takes whole top-level options from it: so each that the operator touched is there with what the stack writes.
 * Pure.
 */
import { yamlText } from "../../../core/yaml";
import type { WorkerClass } from "../../../domain/workerClasses";
import type { Settings } from "../../../settings/types";
import type { Yaml } from "../homeserverYaml";
import { EXTRA_FILE, MOUNTS } from "../paths";
import { typedValue } from "./options";
import { merged, taken } from "./values";

/** What the file is made from. */
export interface ExtraInput {
  settings: Settings;
  class: WorkerClass;
  /** What the stack writes for this class, all its files together. */
  stack: Yaml;
}

/**
 * Options that Synapse refuses in a file when it is started with --no-secrets-in-config, each of which it reads from a
 * file of its own as well (`allow_secrets_in_config` in synapse/config). Those that the stack owns are not here.
 */
export const FROM_FILES: ReadonlyArray<{ option: string; file: string }> = [
  { option: "matrix_authentication_service.secret", file: "matrix_authentication_service.secret_path" },
];

/** The files by name; undefined where nothing was added. */
export function extraFiles({ settings, class: cls, stack }: ExtraInput): Record<string, string> | undefined {
  const { extra = {}, modules } = settings.synapse;
  const files: Record<string, string> = {};
  let config: Yaml = Object.fromEntries(
    Object.entries(extra).map(([name, value]) => [name, merged(stack[name], typedValue(name, value))]),
  );
  for (const { option, file } of FROM_FILES) {
    const found = taken(config, option.split("."));
    if (typeof found?.value !== "string") continue;
    files[option] = found.value;
    config = merged(found.rest, nested(file.split("."), `${MOUNTS.extra}/${option}`)) as Yaml;
  }
  const mine = modules.filter(({ workers }) => workers === undefined || workers.includes(cls));
  if (mine.length > 0)
    config.modules = [
      ...(stack.modules as unknown[]),
      ...mine.map((m) => ({ module: m.module, config: m.config ?? {} })),
    ];
  return Object.keys(config).length > 0 ? { [EXTRA_FILE]: yamlText(config), ...files } : undefined;
}

const nested = ([key, ...more]: string[], value: unknown): Yaml => ({
  [key!]: more.length === 0 ? value : nested(more, value),
});
