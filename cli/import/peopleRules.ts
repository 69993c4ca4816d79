/** What users may do, and how they log in. Pure. */
import { isPlainObject } from "../../components/schema/walk";
import { asksLdap } from "./ldapRules";
import {
  asIs,
  But,
  Not,
  decide,
  drop,
  replace,
  each,
  replaced,
  dropped,
  take,
  takeSecret,
  takeSecretFile,
  undecided,
  missingFile,
  type Converter,
  type Facts,
  type Outcome,
  type Rule,
} from "./rules";
import { days } from "./values";

const thirdParties: Converter = (value) => {
  const kinds = Array.isArray(value) ? value.map(String) : [];
  if (kinds.length === 0) return drop("it is empty");
  if (kinds.length === 1 && kinds[0] === "email") return true;
  return decide("the stack can ask for an e-mail address only: set registration.requireEmail, or leave it");
};

/** Without passwords and without a provider nobody could log in, and the stack refuses that. */
function hasProvider(facts: Facts): boolean {
  const providers = facts.get("oidc_providers");
  return (Array.isArray(providers) && providers.length > 0) || Boolean(facts.get("oidc_config"));
}

/** A value that is neither on nor off, such as only_for_reauth: no login opens that was closed. */
function reauthOnly(facts: Facts): Outcome {
  const closed = hasProvider(facts);
  const now = closed
    ? "sso.passwordLogin is false, and passwords confirm nothing any more"
    : "passwords are on, since there is no OpenID Connect provider";
  return {
    list: "decision",
    settings: closed ? [{ path: ["sso", "passwordLogin"], value: false, secret: false }] : [],
    why: `passwords confirmed actions, but nobody logged in with one, and the stack has no such state: ${now}`,
  };
}

const passwordLogin: Converter = (value, facts) => {
  if (value !== false) return replace("passwords are on by default");
  return hasProvider(facts)
    ? false
    : decide("passwords are off and there is no OpenID Connect provider: without either nobody could log in");
};

/** A rule of passwords counts in Synapse only where the policy is in force. */
const ofPolicy: Converter = (value, facts) =>
  facts.get("password_config.policy.enabled") === true ? value : drop("no policy was in force");

const localdb: Converter = (value, facts) =>
  value !== false || facts.get("password_config.enabled") === false
    ? replace("it follows from sso.passwordLogin")
    : decide("passwords are checked by a module alone: see modules and password_providers");

/** Rules of a provider, wherever its section stands. @param to Its place in the settings */
function providerRules(from: string, to: string): Rule[] {
  const mapping = `${from}.user_mapping_provider`;
  return [
    take(`${from}.issuer`, `${to}.issuer`),
    take(`${from}.client_id`, `${to}.clientId`),
    takeSecret(`${from}.client_secret`, `${to}.clientSecret`),
    takeSecretFile(`${from}.client_secret_path`, `${to}.clientSecret`),
    take(`${from}.scopes`, `${to}.scopes`),
    take(`${from}.allow_existing_users`, `${to}.allowExistingUsers`),
    take(`${mapping}.config.subject_claim`, `${to}.subjectClaim`),
    take(`${mapping}.config.localpart_template`, `${to}.localpartTemplate`),
    take(`${mapping}.config.display_name_template`, `${to}.displayNameTemplate`),
    take(`${mapping}.config.email_template`, `${to}.emailTemplate`),
    take(`${mapping}.config.confirm_localpart`, `${to}.confirmLocalpart`),
    {
      option: `${mapping}.module`,
      decide: (value) =>
        /OidcMappingProvider$/.test(String(value)) && /^synapse\./.test(String(value))
          ? { list: "replaced", why: "it is Synapse's own mapper, which the stack uses" }
          : {
              list: "decision",
              why: "a mapper of its own: the stack has Synapse's own, whose templates may do the same",
            },
    },
    {
      option: `${from}.discover`,
      decide: (value) =>
        value === false
          ? {
              list: "decision",
              why: "the stack reads the provider's addresses from its discovery document, and this provider is set up without",
            }
          : { list: "replaced", why: "the stack always reads the discovery document" },
    },
    ...each(
      replaced,
      ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"]
        .map((k) => `${from}.${k}`)
        .join(" "),
      "the provider's discovery document names it",
    ),
    ...each(dropped, `${from}.idp_icon ${from}.idp_brand`, "login buttons have names only"),
    ...each(
      undecided,
      [
        "skip_verification",
        "client_auth_method",
        "client_secret_jwt_key",
        "pkce_method",
        "user_profile_method",
        "id_token_signing_alg_values_supported",
        "backchannel_logout_enabled",
        "backchannel_logout_ignore_sub",
        "attribute_requirements",
        "enable_registration",
        "redirect_uri",
        "additional_authorization_parameters",
        "passthrough_authorization_parameters",
      ]
        .map((k) => `${from}.${k}`)
        .join(" "),
      "sso.oidc has no setting for it: see whether the provider works without",
    ),
    ...each(
      undecided,
      ["subject_template", "picture_claim", "picture_template", "extra_attributes"]
        .map((k) => `${mapping}.config.${k}`)
        .join(" "),
      "sso.oidc has no setting for it",
    ),
  ];
}

/** Options of `retention` that are days, in the order of their settings. */
const RETENTION = ["default_policy.max_lifetime", "allowed_lifetime_min", "allowed_lifetime_max"];

const captchaIsOn = (facts: Facts): boolean =>
  facts.get("enable_registration_captcha") === true && facts.get("enable_registration") === true;
/** A text that stands in a file of the old machine. */
const textOf = (file: unknown, facts: Facts, setting: string): unknown =>
  facts.file(String(file))?.trim() ?? missingFile(setting);

export const PEOPLE_RULES: Rule[] = [
  take("enable_registration", "registration.enabled"),
  take("registrations_require_3pid", "registration.requireEmail", thirdParties),
  take("registration_requires_token", "registration.requireToken"),
  take("enable_registration_without_verification", "registration.allowOpen", (value, facts) =>
    value !== true
      ? replace("open registration is off by default")
      : facts.get("enable_registration") === true
        ? true
        : drop("registration is closed"),
  ),
  take("allow_guest_access", "registration.allowGuests"),
  take("presence.enabled", "presence.enabled"),
  take("use_presence", "presence.enabled"),

  {
    option: "password_config.enabled",
    decide: (value, facts, at) =>
      typeof value === "boolean"
        ? take("password_config.enabled", "sso.passwordLogin", passwordLogin).decide(value, facts, at)
        : reauthOnly(facts),
  },
  {
    option: "password_config.localdb_enabled",
    decide: (value, facts, at) => {
      const [to, convert]: [string, Converter] =
        asksLdap(facts) && facts.get("password_config.enabled") !== false
          ? ["ldap.localPasswords", asIs]
          : ["sso.passwordLogin", localdb];
      return take("password_config.localdb_enabled", to, convert).decide(value, facts, at);
    },
  },
  takeSecret("password_config.pepper", "passwords.pepper"),
  take("password_config.policy.enabled", "passwords.minimumLength", (value) =>
    value === true ? replace("the stack's policy is always in force") : new But(1, "no policy was in force"),
  ),
  take("password_config.policy.minimum_length", "passwords.minimumLength", ofPolicy),
  take("password_config.policy.require_digit", "passwords.requireDigit", ofPolicy),
  take("password_config.policy.require_symbol", "passwords.requireSymbol", ofPolicy),
  take("password_config.policy.require_lowercase", "passwords.requireLowercase", ofPolicy),
  take("password_config.policy.require_uppercase", "passwords.requireUppercase", ofPolicy),

  take("oidc_providers[].idp_id", "sso.oidc[].id"),
  take("oidc_providers[].idp_name", "sso.oidc[].name"),
  ...providerRules("oidc_providers[]", "sso.oidc[]"),
  {
    option: "oidc_config",
    decide: (value, facts) => {
      if (!isPlainObject(value) || value.enabled !== true) return { list: "dropped", why: "it is off" };
      const providers = facts.get("oidc_providers");
      return Array.isArray(providers) && providers.length > 0
        ? { list: "decision", why: "the former form beside oidc_providers: add it to sso.oidc as the id `oidc`" }
        : undefined;
    },
  },
  // The former form of one provider. Its accounts are linked to the name `oidc`, unless it says another.
  take("oidc_config.enabled", "sso.oidc[].id", (value) =>
    value === true ? new But("oidc", "accounts are linked to this name") : drop("it is off"),
  ),
  take("oidc_config.idp_id", "sso.oidc[].id"),
  take("oidc_config.idp_name", "sso.oidc[].name"),
  ...providerRules("oidc_config", "sso.oidc[]"),

  take("user_directory.enabled", "userDirectory.enabled"),
  take("user_directory.search_all_users", "userDirectory.searchAllUsers"),
  take("user_directory.prefer_local_users", "userDirectory.preferLocalUsers"),
  take("user_directory.exclude_remote_users", "userDirectory.excludeRemoteUsers"),
  take("user_directory.show_locked_users", "userDirectory.showLockedUsers"),

  take("require_membership_for_aliases", "rooms.aliasesByMembersOnly"),
  take("allow_public_rooms_without_auth", "rooms.listWithoutLogin"),
  take("allow_public_rooms_over_federation", "rooms.listOverFederation"),
  take(
    "encryption_enabled_by_default_for_room_type",
    "rooms.encryption",
    // Unquoted, off is false in YAML 1.1, and Synapse takes that too.
    (value) =>
      ({ off: "none", false: "none", invite: "private", all: "all" })[String(value)] ??
      decide("it is none of off, invite and all"),
  ),
  take("room_list_publication_rules", "rooms.publicationRules", (value) => roomRules(value)),
  {
    option: "alias_creation_rules",
    decide: (value) => {
      const rules = roomRules(value);
      const setting = (given: unknown) => [{ path: ["rooms", "aliasRules"], value: given, secret: false }];
      return rules instanceof Not
        ? { list: rules.list, settings: setting([]), why: `${rules.why}: until it is one, nobody may give an alias` }
        : { list: "taken", settings: setting(rules) };
    },
  },
  take("auto_join_rooms", "rooms.autoJoin.aliases", (value) =>
    Array.isArray(value) && value.length > 0 ? value : drop("it is empty"),
  ),
  ...(
    [
      ["autocreate_auto_join_rooms", "create"],
      ["autocreate_auto_join_rooms_federated", "federated"],
      ["autocreate_auto_join_room_preset", "preset"],
      ["auto_join_mxid_localpart", "inviter"],
      ["auto_join_rooms_for_guests", "guests"],
    ] as const
  ).map(([option, field]) =>
    take(option, `rooms.autoJoin.${field}`, (value, facts) => {
      const rooms = facts.get("auto_join_rooms");
      return Array.isArray(rooms) && rooms.length > 0 ? value : drop("no rooms are joined automatically");
    }),
  ),
  take("limit_remote_rooms.enabled", "rooms.limitRemote.complexity", (value, facts) => {
    if (value !== true) return drop("it is off");
    return facts.get("limit_remote_rooms.complexity") === undefined
      ? new But(1, "it is Synapse's default")
      : replace("the section rooms.limitRemote says it");
  }),
  ...(
    [
      ["complexity", "complexity"],
      ["complexity_error", "message"],
      ["admins_can_join", "adminsCanJoin"],
    ] as const
  ).map(([option, field]) =>
    take(`limit_remote_rooms.${option}`, `rooms.limitRemote.${field}`, (value, facts) =>
      facts.get("limit_remote_rooms.enabled") === true ? value : drop("limit_remote_rooms is off"),
    ),
  ),

  take("retention.enabled", "retention.maxLifetimeDays", (value, facts) => {
    if (value !== true) return drop("it is off");
    return RETENTION.some((option) => facts.get(`retention.${option}`) !== undefined)
      ? replace("the section retention says it")
      : decide("rooms may have lifetimes of any length: give their bounds, retention.roomMinDays and roomMaxDays");
  }),
  ...(["maxLifetimeDays", "roomMinDays", "roomMaxDays"] as const).map((setting, i) =>
    take(`retention.${RETENTION[i]}`, `retention.${setting}`, (value, facts, at) =>
      facts.get("retention.enabled") === true ? days(value, facts, at) : drop("retention is off"),
    ),
  ),
  // Where retention is on, synapse.extra takes them.
  ...["retention.default_policy.min_lifetime", "retention.purge_jobs"].map((option): Rule => ({
    option,
    decide: (_, facts) =>
      facts.get("retention.enabled") === true ? undefined : { list: "dropped", why: "retention is off" },
  })),
  take("enable_registration_captcha", "registration.captcha.siteKey", (value, facts) =>
    captchaIsOn(facts) ? replace("the section registration.captcha says it") : drop("it is off, or registration is"),
  ),
  ...(["siteKey", "secretKey"] as const).flatMap((setting, i) => {
    const [option, to] = [["recaptcha_public_key", "recaptcha_private_key"][i]!, `registration.captcha.${setting}`];
    const on = ({ decide: rule, ...rest }: Rule): Rule => ({
      ...rest,
      decide: (value, facts, at) =>
        captchaIsOn(facts) ? rule(value, facts, at) : { list: "dropped", why: "the captcha is off" },
    });
    return setting === "siteKey"
      ? [on(take(option, to)), on(take(`${option}_path`, to, (file, facts) => textOf(file, facts, to)))]
      : [on(takeSecret(option, to)), on(takeSecretFile(`${option}_path`, to))];
  }),
  take("server_notices.system_mxid_localpart", "serverNotices.localpart"),
  take("server_notices.system_mxid_display_name", "serverNotices.displayName"),
  take("server_notices.room_name", "serverNotices.roomName"),
  take("server_notices.room_topic", "serverNotices.roomTopic"),
  take("server_notices.auto_join", "serverNotices.autoJoin"),
  ...each(
    undecided,
    "server_notices.system_mxid_avatar_url server_notices.room_avatar_url",
    "the stack sets no pictures: an administrator gives them to the account and the room",
  ),
];

/** The settings have the same rules under other names: room_id is room, user_id is user. */
function roomRules(value: unknown): unknown {
  if (!Array.isArray(value) || !value.every(isPlainObject)) return decide("it is no list of rules");
  return value.map(({ user_id, alias, room_id, action }) => ({
    action: action ?? "allow",
    ...(user_id !== undefined ? { user: user_id } : {}),
    ...(alias !== undefined ? { alias } : {}),
    ...(room_id !== undefined ? { room: room_id } : {}),
  }));
}
