/** The module for logins by an LDAP directory: the setting `ldap`. Pure. */
import { isPlainObject } from "../../components/schema/walk";
import type { Path } from "./finding";
import { missingFile, secretText, Not, type Facts, type Given, type Outcome } from "./rules";

type Config = Record<string, unknown>;

const SETTING = "ldap.bindPassword";
/** Names of the module's classes: in `modules`, in `password_providers`, and before it was a package of its own. */
const CLASSES = /^(ldap_auth_provider\.LdapAuthProvider(Module)?|synapse\.util\.ldap_auth_provider\.LdapAuthProvider)$/;

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
/** An entry of `modules` or `password_providers` that is the module. */
export const isLdap = (entry: unknown): boolean => isPlainObject(entry) && CLASSES.test(String(entry.module));

/** Every configuration of the module, in the order in which Synapse reads them (config/password_auth_providers.py). */
function configs(facts: Facts): unknown[] {
  const old = facts.get("ldap_config");
  return [
    ...(isPlainObject(old) && old.enabled === true ? [old] : []),
    ...["password_providers", "modules"]
      .flatMap((option) => listOf(facts.get(option)))
      .filter(isLdap)
      .map((entry) => (entry as Config).config),
  ];
}
export const asksLdap = (facts: Facts): boolean => configs(facts).length > 0;

/** Servers as the module takes them: one text or several, a host alone is ldap://. */
const uris = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).map((uri) => {
    const text = String(uri ?? "").trim();
    return /^[a-z]+:\/\//i.test(text) ? text.replace(/^[a-z]+/i, (scheme) => scheme.toLowerCase()) : `ldap://${text}`;
  });

/** The password, or why it is not at hand; undefined where the module has none. */
function passwordOf(config: Config, facts: Facts): unknown {
  if (config.bind_password !== undefined) return secretText(config.bind_password);
  if (config.bind_password_file === undefined) return undefined;
  const text = facts.file(String(config.bind_password_file));
  return text === undefined ? missingFile(SETTING) : secretText(text.trim());
}

/** What is to be decided of the way to the servers. */
function openQuestions(config: Config, servers: readonly string[]): { inClear?: true; open: string[] } {
  const inClear = servers.every((uri) => uri.startsWith("ldap://")) && config.start_tls !== true;
  const unchecked = config.validate_cert === false || config.tls_options !== undefined;
  return {
    ...(inClear ? { inClear } : {}),
    open: [
      ...(inClear
        ? ["passwords go to the directory in clear, as before: remove ldap.inClear where it knows StartTLS"]
        : []),
      ...(unchecked
        ? [
            "the stack always checks the directory's certificate, by public authorities and trustedAuthorities: list its authority there",
          ]
        : []),
    ],
  };
}

/** How users are found. */
function search(config: Config): Config {
  const searches = config.bind_dn !== undefined || config.mode === "search";
  const domain = config.default_domain;
  return {
    ...(searches ? { bindDn: config.bind_dn, filter: config.filter || undefined } : { mode: "simple" }),
    ...(config.active_directory === true
      ? { activeDirectory: true, defaultDomain: typeof domain === "string" ? domain.toLowerCase() : undefined }
      : {}),
  };
}

/** The settings that are no secret. */
function settingsOf(config: Config, servers: readonly string[], inClear?: true): Given[] {
  const attributes: Config = isPlainObject(config.attributes) ? config.attributes : {};
  const { uid, name, mail } = attributes;
  const values: Array<[Path, unknown]> = [
    ...Object.entries({ uris: servers, base: config.base, inClear, ...search(config) }).map(
      ([key, value]): [Path, unknown] => [[key], value],
    ),
    ...Object.entries({ uid, name, mail }).map(([key, value]): [Path, unknown] => [["attributes", key], value]),
  ];
  return values
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([path, value]) => ({ path: ["ldap", ...path], value, secret: false }));
}

/** What becomes of the module's configuration. */
export function ldapOutcome(value: unknown, facts: Facts): Outcome {
  if (!isPlainObject(value)) return { list: "decision", why: "it has no configuration: set ldap" };
  if (JSON.stringify(configs(facts)[0]) !== JSON.stringify(value))
    return { list: "decision", why: "the stack asks one directory, and the first is in ldap: join the two" };
  const servers = uris(value.uri);
  const { inClear, open } = openQuestions(value, servers);
  const password = value.bind_dn === undefined ? undefined : passwordOf(value, facts);
  const missing = password instanceof Not ? password : undefined;
  const why = [...open, ...(missing ? [missing.why] : [])].join("; ");
  return {
    list: why === "" ? "taken" : "decision",
    settings: [
      { path: ["ldap"], value: undefined, secret: false },
      ...settingsOf(value, servers, inClear),
      ...(password === undefined || missing ? [] : [{ path: ["ldap", "bindPassword"], value: password, secret: true }]),
    ],
    ...(why === "" ? {} : { why }),
    ...(missing?.awaits === undefined ? {} : { awaits: missing.awaits }),
  };
}
