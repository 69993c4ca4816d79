/** Bridges and bots: their registrations. Pure. */
import { parse } from "yaml";
import { isDnsName } from "../../components/schema/syntax/text";
import { isPlainObject } from "../../components/schema/walk";
import type { Facts, Given, Outcome, Rule } from "./rules";

/** A registration file; undefined where it is not at hand, or none. */
function registrationIn(facts: Facts, file: unknown): { text: string; fields: Record<string, unknown> } | undefined {
  const text = facts.file(String(file));
  if (text === undefined) return undefined;
  let fields: unknown;
  try {
    fields = parse(text, { version: "1.1" });
  } catch {
    return undefined;
  }
  return isPlainObject(fields) && typeof fields.id === "string" && fields.as_token ? { text, fields } : undefined;
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

function decideRegistration(file: unknown, facts: Facts, index: number): Outcome {
  const found = registrationIn(facts, file);
  if (!found)
    return {
      list: "decision",
      why: "the registration is not at hand, or is none: give it with --registration or --root",
    };
  const files = facts.get("app_service_config_files") as unknown[];
  // Only those that are taken count: the settings have no holes.
  const place = files.slice(0, index).filter((other) => registrationIn(facts, other)).length;
  const at = (field: string, value: unknown, secret = false): Given => ({
    path: ["appservices", place, field],
    value,
    secret,
  });
  const { url } = found.fields;
  const settings = [at("registration", found.text, true), at("id", found.fields.id)];
  if (found.fields["org.matrix.msc3202"] === true || found.fields["io.element.msc4190"] === true)
    settings.push(at("encryption", true));
  if (url === null || url === "" || url === undefined)
    return { list: "taken", settings: [...settings, at("receives", false)] };
  if (reachable(url)) return { list: "taken", settings: [...settings, at("url", url)] };
  return {
    list: "taken",
    settings,
    why: `only the old machine knows its address: give appservices[${place}].url or pods`,
  };
}

export const APPSERVICE_RULES: Rule[] = [
  {
    option: "app_service_config_files[]",
    decide: (value, facts, at) => decideRegistration(value, facts, at[1] as number),
  },
];
