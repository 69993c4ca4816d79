/** What users may do, how often, and where the homeserver connects to for them: parts of homeserver.yaml. Pure. */
import { RESERVED_NETWORKS } from "../../core/addresses";
import type { Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import type { Yaml } from "./homeserverYaml";
import { MOUNTS, SECRET_FILES } from "./paths";
import { FEDERATION_RATE_NAMES, FEDERATION_RATES, RATE_LIMITS, rateFacts } from "./settings/rateLimits";

/** Synapse's form of a duration. @example days(28) gives "28d" */
export const days = (n: number): string => `${n}d`;
export const rate = (per_second: number, burst_count: number): Yaml => ({ per_second, burst_count });

/** A section's members that are true; the others are Synapse's default. */
const wanted = (members: Record<string, boolean>): Yaml =>
  Object.fromEntries(Object.entries(members).filter(([, on]) => on));

/** Passwords. With a pepper the section is in a Secret (renderSecretYaml): Synapse takes it only inline. */
export function passwordSection({ sso, ldap, passwords: p }: Settings): Yaml {
  const on = sso?.passwordLogin ?? true;
  return {
    password_config: {
      enabled: on,
      localdb_enabled: on && (ldap?.localPasswords ?? true),
      ...(p.pepper === undefined ? {} : { pepper: p.pepper }),
      policy: {
        enabled: true,
        minimum_length: p.minimumLength,
        ...wanted({
          require_digit: p.requireDigit,
          require_symbol: p.requireSymbol,
          require_lowercase: p.requireLowercase,
          require_uppercase: p.requireUppercase,
        }),
      },
    },
  };
}

export const userDirectory = ({ userDirectory: d }: Settings): Yaml => ({
  user_directory: {
    enabled: d.enabled,
    search_all_users: d.searchAllUsers,
    prefer_local_users: d.preferLocalUsers,
    ...wanted({ exclude_remote_users: d.excludeRemoteUsers, show_locked_users: d.showLockedUsers }),
  },
});

type Rule = Settings["rooms"]["publicationRules"][number];
const rules = (list: readonly Rule[]): Yaml[] =>
  list.map(({ action, user, alias, room }) => ({
    action,
    ...(user === undefined ? {} : { user_id: user }),
    ...(alias === undefined ? {} : { alias }),
    ...(room === undefined ? {} : { room_id: room }),
  }));

/** The room directory, aliases, and the rooms that users join. */
export function rooms({ rooms: r, registration }: Settings): Yaml {
  const { autoJoin, limitRemote } = r;
  return {
    allow_public_rooms_without_auth: r.listWithoutLogin,
    allow_public_rooms_over_federation: r.listOverFederation,
    // Without rules Synapse lets nobody publish a room.
    ...(r.publicationRules.length > 0 ? { room_list_publication_rules: rules(r.publicationRules) } : {}),
    ...(r.aliasRules === undefined ? {} : { alias_creation_rules: rules(r.aliasRules) }),
    ...(r.aliasesByMembersOnly ? {} : { require_membership_for_aliases: false }),
    ...(r.encryption === "none"
      ? {}
      : { encryption_enabled_by_default_for_room_type: r.encryption === "all" ? "all" : "invite" }),
    ...(autoJoin
      ? {
          auto_join_rooms: autoJoin.aliases,
          autocreate_auto_join_rooms: autoJoin.create,
          autocreate_auto_join_room_preset: autoJoin.preset,
          autocreate_auto_join_rooms_federated: autoJoin.federated,
          ...(autoJoin.inviter === undefined ? {} : { auto_join_mxid_localpart: autoJoin.inviter }),
          ...(registration.allowGuests ? { auto_join_rooms_for_guests: autoJoin.guests } : {}),
        }
      : {}),
    ...(limitRemote
      ? {
          limit_remote_rooms: {
            enabled: true,
            complexity: limitRemote.complexity,
            complexity_error: limitRemote.message,
            admins_can_join: limitRemote.adminsCanJoin,
          },
        }
      : {}),
  };
}

/** Limits that are this stack's own or the settings'; Synapse's defaults are left to it. */
export function rateLimits({ rateLimits: given }: Settings, { synapse }: Plan): Yaml {
  const plans = synapse.rateLimits;
  const sections: Record<string, Yaml> = {};
  for (const name of RATE_LIMITS) {
    const { option, part, usual, ours } = rateFacts(name);
    const own = given[name];
    if (own === undefined && !ours) continue;
    const [perSecond, burst] = usual ?? [plans.messagesPerSecond, plans.messagesBurst];
    const limit = rate(own?.perSecond ?? perSecond, own?.burst ?? burst);
    sections[option] = part === undefined ? limit : { ...sections[option], [part]: limit };
  }
  return { ...sections, ...federationRate(given.federation) };
}

/** Synapse has its own default for each that is left out. */
function federationRate(f: Settings["rateLimits"]["federation"] = {}): Yaml {
  const members = FEDERATION_RATE_NAMES.flatMap((name) =>
    f[name] === undefined ? [] : [[FEDERATION_RATES[name], f[name]] as const],
  );
  return members.length > 0 ? { rc_federation: Object.fromEntries(members) } : {};
}

/** Where it connects to at the request of other servers, and for push. A list of ours takes the place of Synapse's. */
export const outgoingNetworks = ({ outgoing: o }: Settings): Yaml => ({
  ...(o.blockedNetworks.length > 0 ? { ip_range_blacklist: [...RESERVED_NETWORKS, ...o.blockedNetworks] } : {}),
  ...(o.allowedNetworks.length > 0 ? { ip_range_whitelist: o.allowedNetworks } : {}),
});

/** How long messages are kept, by default and at the choice of a room. */
export function retention({ retention: r }: Settings): Yaml {
  if (!r) return {};
  const longest = r.roomMaxDays ?? r.maxLifetimeDays;
  return {
    retention: {
      enabled: true,
      ...(r.maxLifetimeDays === undefined
        ? {}
        : { default_policy: { min_lifetime: "1d", max_lifetime: days(r.maxLifetimeDays) } }),
      ...(r.roomMinDays === undefined ? {} : { allowed_lifetime_min: days(r.roomMinDays) }),
      ...(longest === undefined ? {} : { allowed_lifetime_max: days(longest) }),
      purge_jobs: [{ interval: "1d" }],
    },
  };
}

/** Both keys come from files: Synapse counts the public one as a secret too. */
export const captcha = ({ registration: r }: Settings): Yaml =>
  r.enabled && r.captcha
    ? {
        enable_registration_captcha: true,
        recaptcha_public_key_path: `${MOUNTS.secrets}/${SECRET_FILES.captchaPublic}`,
        recaptcha_private_key_path: `${MOUNTS.secrets}/${SECRET_FILES.captchaPrivate}`,
      }
    : {};

export const serverNotices = ({ serverNotices: n }: Settings): Yaml =>
  n
    ? {
        server_notices: {
          system_mxid_localpart: n.localpart,
          system_mxid_display_name: n.displayName,
          room_name: n.roomName,
          ...(n.roomTopic === undefined ? {} : { room_topic: n.roomTopic }),
          auto_join: n.autoJoin,
        },
      }
    : {};
