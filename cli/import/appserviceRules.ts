/** Bridges and bots: their registrations. Pure. */
import { readRegistration } from "../../components/layers/synapse/appservices/registration";
import { isDnsName } from "../../components/schema/syntax/text";
import { isPlainObject } from "../../components/schema/walk";
import type { Facts, Given, Outcome, Rule } from "./rules";

/** A registration; undefined where the text is none. */
function parsed(text: string | undefined): Record<string, unknown> | undefined {
  const fields = text === undefined ? undefined : readRegistration(text);
  return typeof fields?.id === "string" && fields.as_token ? fields : undefined;
}

/** What a registration is known by: no two have the same. */
export const registrationId = (text: string | undefined): string | undefined => parsed(text)?.id as string | undefined;

/** By index in the list: a registration that is at hand, and that no earlier entry has led to. */
function registrationsOf(files: readonly unknown[], facts: Facts): Array<Record<string, unknown> | undefined> {
  const seen = new Set<unknown>();
  return files.map((file) => {
    const found = parsed(facts.file(String(file)));
    if (!found || seen.has(found.id)) return undefined;
    seen.add(found.id);
    return found;
  });
}

/** Whether pods of another cluster can reach it. */
function reachable(url: unknown): boolean {
  try {
    const { hostname } = new URL(String(url));
    return !/^(localhost|127\..*|\[::1\])$/.test(hostname) && (isDnsName(hostname, 2) || /^[\d.]+$/.test(hostname));
  } catch {
    return false;
  }
}

function decideRegistration(facts: Facts, index: number): Outcome {
  const all = registrationsOf(facts.get("app_service_config_files") as unknown[], facts);
  const found = all[index];
  if (!found)
    return {
      list: "decision",
      why: "the registration is not at hand, is none, or is that of an earlier entry: give it with --root, or with --registration under a name of its own",
    };
  // Only those that are taken count: the settings have no holes.
  const place = all.slice(0, index).filter(Boolean).length;
  const at = (field: string, value: unknown, secret = false): Given => ({
    path: ["appservices", place, field],
    value,
    secret,
  });
  const { url, namespaces } = found;
  const settings = FIELDS.flatMap(([field, setting]) =>
    found[field] === undefined ? [] : [at(setting, found[field], SECRETS.includes(setting))],
  );
  if (isPlainObject(namespaces)) settings.push(at("namespaces", rulesOf(namespaces)));
  const lost = Object.keys(found).filter((field) => !READ.includes(field));
  const remarks = lost.length > 0 ? [`not taken of the registration: ${lost.join(", ")}`] : [];
  if (url === null || url === "" || url === undefined) settings.push(at("receives", false));
  else if (reachable(url)) settings.push(at("url", url));
  else remarks.push(`only the old machine knows its address: give appservices[${place}].url or pods`);
  return { list: "taken", settings, ...(remarks.length > 0 ? { why: remarks.join("; ") } : {}) };
}

/** Fields of a registration, and the settings that have their values. */
const FIELDS: ReadonlyArray<[field: string, setting: string]> = [
  ["id", "id"],
  ["as_token", "asToken"],
  ["hs_token", "hsToken"],
  ["sender_localpart", "senderLocalpart"],
  ["rate_limited", "rateLimited"],
  ["protocols", "protocols"],
  ["receive_ephemeral", "receiveEphemeral"],
  ["de.sorunome.msc2409.push_ephemeral", "receiveEphemeralUnstable"],
  ["org.matrix.msc3202", "encryption"],
  ["io.element.msc4190", "deviceManagement"],
  ["io.element.msc4502.scopes", "scopes"],
  ["ip_range_whitelist", "allowedNetworks"],
];
const SECRETS = ["asToken", "hsToken"];
const READ = [...FIELDS.map(([field]) => field), "url", "namespaces"];

/** Synapse takes null for none. */
const rulesOf = (namespaces: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    ["users", "aliases", "rooms"].flatMap((kind) => {
      const list = namespaces[kind];
      if (!Array.isArray(list) || list.length === 0) return [];
      return [
        [
          kind,
          list.map((n: { regex?: unknown; exclusive?: unknown }) => ({
            regex: n.regex,
            exclusive: n.exclusive ?? true,
          })),
        ],
      ];
    }),
  );

export const APPSERVICE_RULES: Rule[] = [
  {
    option: "app_service_config_files[]",
    decide: (_, facts, at) => decideRegistration(facts, at[1] as number),
  },
];
