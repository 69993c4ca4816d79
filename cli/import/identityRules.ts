/** Who the server is: names, keys, and what other servers and clients know it by. Pure. */
import { isServerName } from "../../components/schema/syntax/text";
import { isSigningKey } from "../../components/schema/syntax/keys";
import { isPlainObject } from "../../components/schema/walk";
import {
  But,
  decide,
  drop,
  each,
  replaced,
  take,
  takeSecret,
  takeSecretFile,
  missingFile,
  undecided,
  type Converter,
  type Rule,
} from "./rules";
import { httpsHost } from "./values";

/** Keys of /.well-known/matrix/client that the stack writes. */
const STACK_KEYS = ["m.homeserver", "org.matrix.msc4143.rtc_foci", "im.vector.riot.jitsi"];

const signingKey = (text: string): unknown => {
  const lines = text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.trim().split(/\s+/).join(" "));
  if (!isSigningKey(lines[0]!)) return decide("it is not a signing key: `ed25519 NAME BASE64`");
  return lines.length > 1
    ? new But(
        lines[0],
        "the first line, with which the server signs; add the public halves of the others to oldSigningKeys",
      )
    : lines[0];
};

const oldKeys: Converter = (value) => {
  if (!isPlainObject(value)) return decide("it is not a section of keys");
  const keys = Object.entries(value).map(([id, key]) => {
    const { key: half, expired_ts: expired } = (isPlainObject(key) ? key : {}) as Record<string, unknown>;
    return { id, key: half, expiredAt: Number.isFinite(Number(expired)) ? moment(Number(expired)) : "" };
  });
  return keys.length > 0 ? keys : drop("it is empty");
};
/** Without fractions: settings take whole seconds. */
const moment = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");

const serverName: Converter = (value) =>
  isServerName(String(value))
    ? String(value)
    : decide("it is not a server name in lower case, which other servers and this stack need; it can never be changed");

/** The stack serves it: it has to be below the domain, for which the operator has certificates and DNS records. */
const webClient: Converter = (value, facts, at) => {
  const host = httpsHost(value, facts, at);
  if (typeof host !== "string") return host;
  const base = String(facts.get("server_name")).replace(/:\d+$/, "");
  const homeserver = httpsHost(facts.get("public_baseurl"), facts, at);
  const parent = typeof homeserver === "string" ? /^matrix\.(.+)$/.exec(homeserver)?.[1] : undefined;
  const domain = parent ?? base;
  return host === domain || host.endsWith(`.${domain}`)
    ? host
    : decide(`it is not in the domain ${domain}: the stack serves a web client of its own at hostnames.web`);
};

export const IDENTITY_RULES: Rule[] = [
  take("server_name", "serverName", serverName),
  take("public_baseurl", "hostnames.homeserver", httpsHost),
  take("web_client_location", "hostnames.web", webClient),
  takeSecret("signing_key", "importSecrets.signingKey", (value) => signingKey(String(value))),
  takeSecret("signing_key_path", "importSecrets.signingKey", (value, facts) => {
    const text = facts.file(String(value));
    return text === undefined ? missingFile("importSecrets.signingKey") : signingKey(text);
  }),
  take("old_signing_keys", "oldSigningKeys", oldKeys),
  takeSecret("macaroon_secret_key", "importSecrets.macaroonSecretKey"),
  takeSecretFile("macaroon_secret_key_path", "importSecrets.macaroonSecretKey"),
  takeSecret("form_secret", "importSecrets.formSecret"),
  takeSecretFile("form_secret_path", "importSecrets.formSecret"),
  takeSecret("registration_shared_secret", "importSecrets.registrationSharedSecret"),
  takeSecretFile("registration_shared_secret_path", "importSecrets.registrationSharedSecret"),
  // Synapse still adds them to trusted_key_servers (synapse/config/key.py).
  undecided(
    "perspectives",
    "the former form of trusted_key_servers: write its servers into synapse.extra.trusted_key_servers",
  ),
  replaced("serve_server_wellknown", "the ingress serves /.well-known/matrix at the domain"),
  {
    option: "extra_well_known_client_content",
    decide: (value) => {
      if (!isPlainObject(value)) return { list: "decision", why: "it is not a section" };
      const mine = Object.entries(value).filter(([key]) => !STACK_KEYS.includes(key));
      const left = Object.keys(value).filter((key) => STACK_KEYS.includes(key));
      return {
        list: "taken",
        settings: mine.map(([key, inner]) => ({
          path: ["web", "wellKnown", "client", key],
          value: inner,
          secret: false,
        })),
        ...(left.length > 0 ? { why: `without ${left.join(", ")}, which follow from rtc and web.jitsiDomain` } : {}),
      };
    },
  },
  ...each(
    undecided,
    "matrix_authentication_service experimental_features.msc3861",
    "logins are at the Matrix Authentication Service, which this stack does not run: it has to be reachable for the moved server, or its accounts go back to Synapse first",
  ),
];
