/** Options without a rule: `synapse.extra` takes those that Synapse knows, with their secrets apart. Pure. */
import { isSecretName } from "../../components/layers/synapse/extra/values";
import { isPlainObject } from "../../components/schema/walk";
import type { Path } from "./finding";
import { isKnown, KNOWN_VERSION, meant } from "./known";
import type { Given, Outcome } from "./rules";

const EXTRA: Path = ["synapse", "extra"];

const hasLogin = (value: unknown): boolean => typeof value === "string" && /:\/\/[^/\s@]*:[^/\s@]+@/.test(value);
/** By its name or form a secret, wherever it stands. */
const isSecret = (path: Path, value: unknown): boolean =>
  (typeof value === "string" && isSecretName(String(path.at(-1)))) || hasLogin(value);

/** Names a file or folder of the old machine, which no pod has. */
const isFile = (path: Path, value: unknown): boolean =>
  typeof value === "string" &&
  (/^\/(etc|data|var|opt|home|root|srv|usr|run|matrix|synapse)[/-]/.test(value) ||
    (value !== "" &&
      /(_path|_dir|_directory|_file|_files|filename)$/.test(String(path.findLast((key) => typeof key === "string")))));

/** Whether a part of the section cannot go with the rest. */
function mustSplit(path: Path, value: unknown): boolean {
  if (!isKnown(path) || isFile(path, value)) return true;
  if (Array.isArray(value)) return value.some((item, i) => mustSplit([...path, i], item));
  return isPlainObject(value) && Object.entries(value).some(([key, item]) => mustSplit([...path, key], item));
}

/** The values of a section, secrets by themselves. */
function parts(path: Path, value: unknown): Given[] {
  if (isSecret(path, value)) return [{ path: [...EXTRA, ...path], value, secret: true }];
  if (Array.isArray(value) && value.some((item) => typeof item === "object"))
    return value.flatMap((item, i) => parts([...path, i], item));
  if (isPlainObject(value) && Object.keys(value).length > 0)
    return Object.entries(value).flatMap(([key, item]) => parts([...path, key], item));
  return [{ path: [...EXTRA, ...path], value, secret: false }];
}

/** What becomes of an option that no rule names; undefined where its parts go different ways. */
export function extraOutcome(path: Path, value: unknown): Outcome | undefined {
  if (!isKnown(path)) {
    const near = meant(path);
    return {
      list: "decision",
      why: `Synapse ${KNOWN_VERSION} has no such option${near ? `: ${near} may be meant` : ""}`,
    };
  }
  if (isFile(path, value)) return { list: "decision", why: "it names a file of the old machine, which no pod has" };
  const isSection = Array.isArray(value) || isPlainObject(value);
  if (isSection && mustSplit(path, value)) return undefined;
  const given = parts(path, value);
  return {
    list: "taken",
    settings: [{ path: [...EXTRA, ...path], value: undefined, secret: false }, ...given],
  };
}
