/** Reads the old server's files. The only file of this folder, with the one that writes, that touches the disk. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseDocument } from "yaml";
import { isPlainObject, pathText } from "../../components/schema/walk";
import { Refused } from "../arguments";
import type { Path } from "./finding";
import type { Fragment } from "./map";

/** Reads YAML as Synapse does (PyYAML, version 1.1). @throws Refused with the place, never with the text */
export function readYaml(file: string): unknown {
  let text: string;
  try {
    text = fs.readFileSync(file, "utf8");
  } catch (error) {
    throw new Refused(`${file}: it cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  const document = parseDocument(text, { version: "1.1", merge: true, uniqueKeys: false, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const line = text.slice(0, error.pos[0]).split("\n").length;
    throw new Refused(`${file}, line ${line}: it is not YAML (${error.code}).`);
  }
  try {
    return document.toJS();
  } catch {
    throw new Refused(`${file}: it is not YAML: an alias has no anchor.`);
  }
}

export function readSection(file: string): Record<string, unknown> {
  const value = readYaml(file) ?? {};
  if (!isPlainObject(value)) throw new Refused(`${file}: it is not a configuration: a section with names is expected.`);
  return value;
}

const isFolder = (file: string): boolean => fs.existsSync(file) && fs.statSync(file).isDirectory();

/** The files of a folder that Synapse would read, in its order: it passes over .yml (synapse/config/_base.py). */
const yamlIn = (folder: string, ending = /\.yaml$/): string[] =>
  fs
    .readdirSync(folder)
    .filter((name) => ending.test(name))
    .sort()
    .map((name) => path.join(folder, name));

/** homeserver.yaml, and the files beside it that Debian's service reads after it. */
export function readHomeserver(given: string): Fragment[] {
  const [main, ...more] = isFolder(given) ? yamlIn(given) : [given];
  if (main === undefined) throw new Refused(`${given}: there is no YAML file in it.`);
  const debian = path.join(path.dirname(main), "conf.d");
  const others = isFolder(given) ? more : isFolder(debian) ? yamlIn(debian) : [];
  return [main, ...others].map((file, i) => ({
    config: readSection(file),
    label: (at: Path) => (i === 0 ? pathText(at) : `${path.relative(path.dirname(main), file)}: ${pathText(at)}`),
  }));
}

/** Configurations of workers, each of which a service names by itself: files that say of which program they are. */
export const readWorkers = (folder: string): Fragment[] =>
  yamlIn(folder, /\.ya?ml$/).map((file) => ({
    config: readSection(file),
    label: (at: Path) => `${path.basename(folder)}/${path.basename(file)}: ${pathText(at)}`,
  }));

export interface Places {
  /** Folder of homeserver.yaml. */
  config: string;
  /** Folder that stands for the old machine's `/`. */
  root?: string;
  registrations: readonly string[];
}

/**
 * Where a file of the configuration may be: on this machine, below --root, or in the folder of homeserver.yaml, which
 * containers mount at /data. The Ansible playbook mounts each bridge's registration under a name of its own. A file of
 * --registration stands for itself, and for the one path that has its name where that path leads nowhere.
 */
export function candidates(file: string, { config, root, registrations }: Places): string[] {
  if (registrations.includes(file)) return [file];
  const same = registrations.filter((r) => path.basename(r) === path.basename(file));
  const given = same.length === 1 ? same : [];
  if (!path.isAbsolute(file)) return [path.join(config, file), ...given];
  const bridge = /^\/matrix-(.+)-registration\.yaml$/.exec(file)?.[1];
  const inData = /^\/(?:data|etc\/matrix-synapse)\/(.+)$/.exec(file)?.[1];
  return [
    ...(root !== undefined ? [path.join(root, file)] : [file]),
    ...(root !== undefined && bridge ? [path.join(root, "matrix", bridge, "config/registration.yaml")] : []),
    ...(bridge ? [path.join(config, "../..", bridge, "config/registration.yaml")] : []),
    ...(inData ? [path.join(config, inData)] : []),
    // Not one of several registrations that have the name of this one.
    ...(same.length > 1 ? [] : [...given, path.join(config, path.basename(file))]),
  ];
}

const isWithin = (file: string, folder: string): boolean => {
  const relative = path.relative(fs.realpathSync(folder), file);
  return relative !== "" && !path.isAbsolute(relative) && relative.split(path.sep)[0] !== "..";
};

/** With --root, what the old configuration names is not looked for elsewhere: neither by `..` nor by a link. */
const isAllowed = (file: string, { config, root, registrations }: Places): boolean =>
  root === undefined ||
  registrations.includes(file) ||
  [root, config].some((folder) => fs.existsSync(folder) && isWithin(fs.realpathSync(file), folder));

export const fileReader =
  (places: Places) =>
  (file: string): string | undefined => {
    const found = candidates(file, places).find(
      (place) => fs.existsSync(place) && fs.statSync(place).isFile() && isAllowed(place, places),
    );
    return found === undefined ? undefined : fs.readFileSync(found, "utf8");
  };
