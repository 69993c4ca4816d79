/** Variables of the container image: what Synapse or the image's start script makes of them. Pure. */
import { isPlainObject } from "../../components/schema/walk";
import { Refused } from "../arguments";
import type { Finding, Path } from "./finding";
import type { Fragment } from "./map";

/** Variables that the image writes into the configuration when it has no homeserver.yaml. */
const TEMPLATE: Record<string, [option: string, convert?: (text: string) => unknown]> = {
  SYNAPSE_SERVER_NAME: ["server_name"],
  SYNAPSE_REPORT_STATS: ["report_stats", (v) => v === "yes"],
  SYNAPSE_MACAROON_SECRET_KEY: ["macaroon_secret_key"],
  SYNAPSE_REGISTRATION_SHARED_SECRET: ["registration_shared_secret"],
  SYNAPSE_ENABLE_REGISTRATION: ["enable_registration", (v) => v !== ""],
  SYNAPSE_ALLOW_GUEST: ["allow_guest_access", (v) => v !== ""],
  SYNAPSE_MAX_UPLOAD_SIZE: ["max_upload_size"],
  SYNAPSE_EVENT_CACHE_SIZE: ["event_cache_size"],
  SYNAPSE_TURN_SECRET: ["turn_shared_secret"],
  SYNAPSE_TURN_URIS: ["turn_uris", (v) => v.split(",")],
  SYNAPSE_RECAPTCHA_PUBLIC_KEY: ["recaptcha_public_key"],
  SYNAPSE_RECAPTCHA_PRIVATE_KEY: ["recaptcha_private_key"],
};
const DATABASE: Record<string, string> = {
  POSTGRES_HOST: "host",
  POSTGRES_PORT: "port",
  POSTGRES_USER: "user",
  POSTGRES_DB: "database",
  POSTGRES_PASSWORD: "password",
};
const REPLACED: ReadonlyArray<[RegExp, string]> = [
  [
    /^SYNAPSE_(CONFIG_DIR|CONFIG_PATH|DATA_DIR|LOG_.*|NO_TLS|HTTP_PORT|WORKER|WORKERS|WORKER_TYPES|ENABLE_METRICS|USE_.*)$|^(UID|GID|TZ)$/,
    "the processes run in the stack's own containers",
  ],
  [/^SYNAPSE_CACHE_FACTOR/, "the plan sizes the caches (overrides.synapse changes it)"],
  [/^POSTGRES_CP_(MIN|MAX)$/, "pools of connections are the plan's"],
  [/^(LD_PRELOAD|MALLOC_.*|PYTHON.*)$/, "the stack's image sets it"],
];

/** The variables in a file of `NAME=value` lines. */
const variablesOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split(/\r?\n/)
      .map((line) => /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line))
      .filter((match) => match !== null)
      .map(([, name, value]) => [name!, value!.trim().replace(/^(["'])(.*)\1$/, "$2")]),
  );

/** The variables of the service in a Compose file that runs Synapse. */
export function variablesIn(file: unknown, text: string): Record<string, string> {
  if (!isPlainObject(file) || !isPlainObject(file.services)) return variablesOf(text);
  const service = Object.values(file.services).find((s) => isPlainObject(s) && /synapse/.test(String(s.image)));
  if (!isPlainObject(service)) throw new Refused("No service of the Compose file has an image of Synapse.");
  const { environment } = service;
  const list = Array.isArray(environment)
    ? environment.map((line) => String(line).split(/=(.*)/s).slice(0, 2))
    : Object.entries(isPlainObject(environment) ? environment : {});
  return Object.fromEntries(list.map(([name, value]) => [String(name), String(value ?? "")]));
}

/** @param inUse Whether the image makes its configuration from them: there is no homeserver.yaml. */
export function environment(
  variables: Record<string, string>,
  inUse: boolean,
): { fragments: Fragment[]; findings: Finding[] } {
  const findings: Finding[] = [];
  const config: Record<string, unknown> = {};
  const args: Record<string, unknown> = {};
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    const option = `environment: ${name}`;
    const [key, convert] = TEMPLATE[name] ?? [];
    const why = REPLACED.find(([pattern]) => pattern.test(name))?.[1];
    if (why) findings.push({ option, list: "replaced", why });
    else if (!key && !DATABASE[name])
      findings.push({ option, list: "decision", why: "neither Synapse nor its image is known to read it" });
    else if (!inUse)
      findings.push({ option, list: "dropped", why: "homeserver.yaml is there, and the image reads only that" });
    else if (key) [config[key], labels[key]] = [convert ? convert(value) : value, option];
    else [args[DATABASE[name]!], labels[`database.args.${DATABASE[name]}`]] = [value, option];
  }
  if (inUse && args.password !== undefined) config.database = { name: "psycopg2", args };
  else if (inUse) config.database = { name: "sqlite3" };
  if (!inUse) return { fragments: [], findings };
  const label = (at: Path): string => labels[at.join(".")] ?? `image's template: ${at.join(".")}`;
  return { fragments: [{ config, label }], findings };
}
