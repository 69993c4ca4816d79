/** How often users, addresses and other servers may do what; Synapse answers 429 beyond it. Pure. */
import { decimal, int, recordOf, section } from "../../../schema/fields";

/** A limit of Synapse. */
interface LimitFacts {
  /** Its place in Synapse's configuration: an option, and a part of it where it has parts. */
  option: string;
  part?: string;
  /** What is counted, and per what. */
  of: string;
  /**
   * Actions a second, and at once: what this stack sets, or else Synapse's own default (synapse/config/ratelimiting.py
   * of 1.163.2). Absent: the plan's.
   */
  usual?: [perSecond: number, burst: number];
  /** Whether this stack writes it in any case, because its value is not Synapse's. @default false */
  ours?: boolean;
}

/** Every limit with a rate and a burst. */
const FACTS = {
  messages: { option: "rc_message", of: "Messages and other events of a user", ours: true },
  registration: { option: "rc_registration", of: "Registrations from an address", usual: [0.17, 3] },
  registrationToken: {
    option: "rc_registration_token_validity",
    of: "Tries of a registration token from an address",
    usual: [0.1, 5],
  },
  // Whole offices share an address; guessing passwords is held up by the limits per account.
  loginByAddress: { option: "rc_login", part: "address", of: "Logins from an address", usual: [5, 100], ours: true },
  loginByAccount: { option: "rc_login", part: "account", of: "Logins to an account", usual: [0.1, 10], ours: true },
  loginFailed: {
    option: "rc_login",
    part: "failed_attempts",
    of: "Failed logins to an account",
    usual: [0.17, 5],
    ours: true,
  },
  joinsLocal: {
    option: "rc_joins",
    part: "local",
    of: "Joins of a user to rooms that this server is in",
    usual: [0.5, 20],
    ours: true,
  },
  joinsRemote: {
    option: "rc_joins",
    part: "remote",
    of: "Joins of a user to rooms that it is not in yet",
    usual: [0.05, 20],
    ours: true,
  },
  joinsPerRoom: { option: "rc_joins_per_room", of: "Joins to a room", usual: [1, 10] },
  invitesPerRoom: { option: "rc_invites", part: "per_room", of: "Invitations to a room", usual: [0.5, 20], ours: true },
  invitesPerUser: { option: "rc_invites", part: "per_user", of: "Invitations of a user", usual: [0.1, 20], ours: true },
  invitesPerIssuer: {
    option: "rc_invites",
    part: "per_issuer",
    of: "Invitations by a user",
    usual: [0.5, 20],
    ours: true,
  },
  invitesByEmail: {
    option: "rc_third_party_invite",
    of: "Invitations by e-mail address, by a user",
    usual: [0.0025, 5],
  },
  addressConfirmation: {
    option: "rc_3pid_validation",
    of: "Confirmations of an e-mail address, and password resets",
    usual: [0.003, 5],
  },
  roomCreation: { option: "rc_room_creation", of: "Rooms that a user makes", usual: [0.016, 10] },
  mediaCreation: { option: "rc_media_create", of: "Uploads that a user begins", usual: [10, 50] },
  reports: { option: "rc_reports", of: "Reports by a user", usual: [1, 5] },
  userSearch: { option: "rc_user_directory", of: "Searches for users by a user", usual: [0.016, 200] },
  profiles: { option: "rc_profile", of: "Requests for profiles by a user", usual: [1, 500] },
  presence: { option: "rc_presence", part: "per_user", of: "Presence updates of a user", usual: [0.1, 1] },
  adminRedactions: {
    option: "rc_admin_redaction",
    of: "Redactions by a room's moderators; as other messages unless set",
    usual: [0.17, 3],
  },
} as const satisfies Record<string, LimitFacts>;

export type RateLimit = keyof typeof FACTS;
/** What the settings say about a limit. */
export interface RateOverride {
  perSecond?: number;
  burst?: number;
}

export const RATE_LIMITS = Object.keys(FACTS) as RateLimit[];
export const rateFacts = (limit: RateLimit): LimitFacts => FACTS[limit];
/** Its place in Synapse's configuration. @example rateOption("joinsLocal") is "rc_joins.local" */
export function rateOption(limit: RateLimit): string {
  const { option, part } = rateFacts(limit);
  return part === undefined ? option : `${option}.${part}`;
}
/** What `rateLimits.federation` may say, and the options of Synapse's rc_federation. */
export const FEDERATION_RATES = {
  windowMs: "window_size",
  sleepLimit: "sleep_limit",
  sleepMs: "sleep_delay",
  rejectLimit: "reject_limit",
  concurrent: "concurrent",
} as const;
export const FEDERATION_RATE_NAMES = Object.keys(FEDERATION_RATES) as Array<keyof typeof FEDERATION_RATES>;

const limitOf = (name: RateLimit) => {
  const { of, usual } = rateFacts(name);
  const words = (i: 0 | 1): string => (usual ? String(usual[i]) : "the plan's");
  return section(
    {
      perSecond: decimal(0.0001, 1_000_000, {
        doc: `${of}, a second, in the long run.`,
        defaultText: words(0),
      }).optional(),
      burst: int(1, 1_000_000, { doc: `${of}, at once.`, defaultText: words(1) }).optional(),
    },
    { doc: `${of}.` },
  ).optional();
};

const milliseconds = (doc: string, usual: number) => int(1, 3_600_000, { doc, defaultText: String(usual) }).optional();

export const rateLimitSettings = {
  rateLimits: section(
    {
      ...recordOf(RATE_LIMITS, limitOf),
      federation: section(
        {
          windowMs: milliseconds("Window in which requests are counted, milliseconds.", 1000),
          sleepLimit: int(1, 1_000_000, {
            doc: "Requests of a server in a window; further ones are delayed.",
            defaultText: "10",
          }).optional(),
          sleepMs: milliseconds("That delay, milliseconds.", 500),
          rejectLimit: int(1, 1_000_000, {
            doc: "Requests of a server that wait; further ones are refused.",
            defaultText: "50",
          }).optional(),
          concurrent: int(1, 10_000, {
            doc: "Requests of a server that each process works on at the same time.",
            defaultText: "3",
          }).optional(),
        },
        { doc: "Requests of other servers." },
      ).optional(),
    },
    {
      doc: "How often who may do what, where the defaults do not fit; beyond it Synapse answers 429 and clients wait. Each process counts for itself.",
    },
  ).prefault({}),
};
