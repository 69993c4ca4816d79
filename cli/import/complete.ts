/** What the old configuration says by what it leaves out: Synapse's defaults where the stack's differ. Pure. */
import { isDnsName } from "../../components/schema/syntax/text";
import { isPlainObject } from "../../components/schema/walk";
import type { Mapped } from "./map";
import type { Facts } from "./rules";

/** A default of Synapse that the stack does not share, and that nothing in the old configuration speaks about. */
const DEFAULTS: ReadonlyArray<[option: string, note: string]> = [
  [
    "media_retention",
    "Synapse keeps media of other servers for ever; the stack deletes those that nobody asked for in 90 days (media.remoteRetentionDays).",
  ],
  ["presence", "Presence is on in Synapse; in the stack it is on up to 5,000 users (presence.enabled)."],
  ["rc_message", "A user may send 0.2 messages a second in Synapse; in the stack the plan decides it."],
  [
    "user_directory",
    "Synapse lists users of other servers among its own in a search; the stack lists its own first (userDirectory).",
  ],
];

function names({ draft }: Mapped, notes: string[]): void {
  const { settings } = draft;
  if (typeof settings.serverName !== "string") return;
  const base = settings.serverName.replace(/:\d+$/, "");
  const homeserver = draft.get(["hostnames", "homeserver"]);
  const parent = typeof homeserver === "string" && /^matrix\.(.+)$/.exec(homeserver)?.[1];
  const domain = parent || (isDnsName(base, 2) ? base : undefined);
  if (domain !== undefined) draft.set(["domain"], domain);
  if (homeserver === undefined)
    notes.push(
      `public_baseurl is not set, so clients may be set to https://${base}/: the stack serves hostnames.homeserver, and https://${base}/.well-known/matrix/client leads there.`,
    );
}

/** Synapse falls back in this order (synapse/config/key.py). */
function keys({ draft, findings }: Mapped, facts: Facts, notes: string[]): void {
  const signing = "importSecrets.signingKey";
  // A chart's values may say in which Secret it is.
  const elsewhere = findings.some(({ awaits }) => awaits === signing);
  // A null is as good as nothing.
  if (!elsewhere && (facts.get("signing_key") ?? facts.get("signing_key_path") ?? undefined) === undefined) {
    const file = `${String(facts.get("server_name"))}.signing.key`;
    const text = facts.file(file);
    const option = `${file} (signing_key_path is not set)`;
    if (text !== undefined) {
      draft.setSecret(["importSecrets", "signingKey"], text.trim().split("\n")[0]!);
      findings.push({ option, list: "taken", setting: signing });
    } else
      findings.push({
        option,
        list: "decision",
        why: `the file is not at hand: put its text into secrets/${signing} before you run secrets.sh`,
        awaits: signing,
      });
  }
  if (findings.some(({ awaits }) => awaits === "importSecrets.macaroonSecretKey")) return;
  // An empty text is none to Synapse.
  if (facts.get("macaroon_secret_key") || facts.get("macaroon_secret_key_path")) return;
  const registration = draft.secret("importSecrets.registrationSharedSecret");
  if (registration !== undefined) {
    draft.setSecret(["importSecrets", "macaroonSecretKey"], registration);
    notes.push(
      "macaroon_secret_key is not set, and Synapse then uses registration_shared_secret: importSecrets.macaroonSecretKey has that value.",
    );
  } else
    notes.push(
      "macaroon_secret_key is not set, and Synapse derives it from the signing key, in a form that no text has: guests are logged out, links to unsubscribe from e-mail end.",
    );
}

/** A provider without these asks its users for a name, and for nothing but their id. */
function providers({ draft }: Mapped, notes: string[]): void {
  const oidc = draft.get(["sso", "oidc"]);
  if (!Array.isArray(oidc)) return;
  oidc.forEach((provider, i) => {
    if (!isPlainObject(provider)) return;
    if (provider.localpartTemplate === undefined) draft.set(["sso", "oidc", i, "localpart"], "ask");
    if (provider.scopes === undefined) draft.set(["sso", "oidc", i, "scopes"], ["openid"]);
    if (provider.name === undefined) draft.set(["sso", "oidc", i, "name"], "OIDC");
    if (provider.displayNameTemplate === undefined)
      notes.push(`sso.oidc[${i}] had no template of display names: new users now get the claim \`name\`.`);
  });
}

function media({ draft }: Mapped): void {
  if (draft.get(["objectStore", "kind"]) !== "s3" || draft.get(["objectStore", "endpoint"]) !== undefined) return;
  const region = draft.get(["objectStore", "region"]) ?? "us-east-1";
  draft.set(["objectStore", "endpoint"], `https://s3.${String(region)}.amazonaws.com`);
}

const WITHOUT_DATABASE = {
  file: "without it, Synapse uses SQLite, which cannot be moved: run Synapse's synapse_port_db on the old server, let it run with PostgreSQL, and import again (docs/move-in.md, SQLite)",
  chart:
    "without it, the chart runs its own PostgreSQL: make it reachable for the new cluster, and set database.importFrom",
};

/** Says where the data are, if the old configuration does not. */
function database({ findings }: Mapped, facts: Facts, from: "file" | "chart"): void {
  const given = ["database", "databases", "database_path"].some((option) => (facts.get(option) ?? null) !== null);
  const nowhere = facts.get("database.name") === "psycopg2" && !isPlainObject(facts.get("database.args"));
  if (!given) findings.push({ option: "database (not set)", list: "decision", why: WITHOUT_DATABASE[from] });
  else if (nowhere)
    findings.push({
      option: "database.args (not set)",
      list: "decision",
      why: "PostgreSQL is at a place that the configuration does not name: set database.importFrom",
    });
}

/** Synapse has no policy unless it is switched on, and bounds rooms only where they have bounds. */
function people({ draft, findings }: Mapped, facts: Facts, notes: string[]): void {
  if (draft.get(["passwords", "minimumLength"]) === undefined) {
    draft.set(["passwords", "minimumLength"], 1);
    notes.push(
      facts.get("password_config.policy.enabled") === true
        ? "The policy of passwords had no minimum length: passwords.minimumLength is 1, and 8 is the stack's default."
        : "No policy of passwords was in force: passwords.minimumLength is 1, and 8 is the stack's default.",
    );
  }
  if (
    draft.get(["retention", "maxLifetimeDays"]) !== undefined &&
    draft.get(["retention", "roomMaxDays"]) === undefined
  ) {
    draft.set(["retention", "roomMaxDays"], 36_500);
    notes.push(
      "retention.allowed_lifetime_max is not set, and rooms may then choose to keep messages longer than the default: retention.roomMaxDays is 36500 (a hundred years); without it the stack holds them to maxLifetimeDays.",
    );
  }
  const forgotten = "forgotten_room_retention_period";
  if (facts.get(forgotten) !== undefined) return;
  draft.set(["synapse", "extra", forgotten], null);
  findings.push({
    option: `${forgotten} (not set)`,
    list: "taken",
    setting: `synapse.extra.${forgotten}`,
    why: "Synapse keeps rooms that everybody has left and forgotten; the stack by itself deletes them after 28 days",
  });
}

/** How Synapse secures the connection, and at which port, where nothing says it (synapse/config/emailconfig.py). */
function email({ draft }: Mapped, facts: Facts, notes: string[]): void {
  if (draft.get(["emailSmtp", "host"]) === undefined) return;
  if (draft.get(["emailSmtp", "tls"]) === undefined) {
    draft.set(["emailSmtp", "tls"], "opportunistic");
    notes.push(
      "Nothing requires TLS to the e-mail server, and Synapse then uses it only where the server offers it: emailSmtp.tls is opportunistic; `required` is safer.",
    );
  }
  if (facts.get("email.enable_notifs") === undefined)
    notes.push(
      "email.enable_notifs is not set, and Synapse then sends no notifications by e-mail; the stack sends them: synapse.extra.email.enable_notifs: false keeps them off.",
    );
  if (draft.get(["emailSmtp", "port"]) !== undefined) return;
  const port = facts.get("email.force_tls") === true ? 465 : 25;
  draft.set(["emailSmtp", "port"], port);
  notes.push(`email.smtp_port is not set, and Synapse then uses ${port}: emailSmtp.port says so.`);
}

/**
 * Adds what follows from the options, and returns what the operator should know besides.
 *
 * @param from What the configuration was read from: what an absent database means depends on it.
 */
export function complete(mapped: Mapped, facts: Facts, from: "file" | "chart"): string[] {
  const { draft } = mapped;
  const notes: string[] = [];
  names(mapped, notes);
  keys(mapped, facts, notes);
  providers(mapped, notes);
  media(mapped);
  database(mapped, facts, from);
  people(mapped, facts, notes);
  email(mapped, facts, notes);
  // Synapse federates unless a list says with nobody.
  if (draft.get(["federation", "enabled"]) === undefined) draft.set(["federation", "enabled"], true);
  if (facts.get("limit_remote_rooms.enabled") === true && draft.get(["rooms", "limitRemote"]) === undefined)
    draft.set(["rooms", "limitRemote"], {});
  notes.push(...DEFAULTS.filter(([option]) => facts.get(option) === undefined).map(([, note]) => note));
  return notes;
}
