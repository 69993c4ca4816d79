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
  const elsewhere = findings.some(({ why }) => why?.includes(`secrets/${signing}`));
  if (!elsewhere && facts.get("signing_key") === undefined && facts.get("signing_key_path") === undefined) {
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
      });
  }
  if (findings.some(({ why }) => why?.includes("secrets/importSecrets.macaroonSecretKey"))) return;
  if (facts.get("macaroon_secret_key") !== undefined || facts.get("macaroon_secret_key_path") !== undefined) return;
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

/** Adds what follows from the options, and returns what the operator should know besides. */
export function complete(mapped: Mapped, facts: Facts): string[] {
  const { draft } = mapped;
  const notes: string[] = [];
  names(mapped, notes);
  keys(mapped, facts, notes);
  providers(mapped, notes);
  media(mapped);
  // Synapse federates unless a list says with nobody.
  if (draft.get(["federation", "enabled"]) === undefined) draft.set(["federation", "enabled"], true);
  if (draft.get(["emailSmtp", "host"]) !== undefined && draft.get(["emailSmtp", "port"]) === undefined) {
    draft.set(["emailSmtp", "port"], 25);
    notes.push("email.smtp_port is not set, and Synapse then uses 25: emailSmtp.port says so.");
  }
  if (facts.get("limit_remote_rooms.enabled") === true && draft.get(["rooms", "limitRemote"]) === undefined)
    draft.set(["rooms", "limitRemote"], {});
  notes.push(...DEFAULTS.filter(([option]) => facts.get(option) === undefined).map(([, note]) => note));
  return notes;
}
