/** How often who may do what. Pure. */
import { drop, take, type Rule } from "./rules";

/** Synapse's limits by the names of `rateLimits`. */
const LIMITS: Record<string, string> = {
  rc_message: "messages",
  rc_registration: "registration",
  rc_registration_token_validity: "registrationToken",
  "rc_login.address": "loginByAddress",
  "rc_login.account": "loginByAccount",
  "rc_login.failed_attempts": "loginFailed",
  "rc_joins.local": "joinsLocal",
  "rc_joins.remote": "joinsRemote",
  rc_joins_per_room: "joinsPerRoom",
  "rc_invites.per_room": "invitesPerRoom",
  "rc_invites.per_user": "invitesPerUser",
  "rc_invites.per_issuer": "invitesPerIssuer",
  rc_third_party_invite: "invitesByEmail",
  rc_3pid_validation: "addressConfirmation",
  rc_room_creation: "roomCreation",
  rc_media_create: "mediaCreation",
  rc_reports: "reports",
  rc_user_directory: "userSearch",
  rc_profile: "profiles",
  "rc_presence.per_user": "presence",
  rc_admin_redaction: "adminRedactions",
};
const FEDERATION: Record<string, string> = {
  window_size: "windowMs",
  sleep_limit: "sleepLimit",
  sleep_delay: "sleepMs",
  reject_limit: "rejectLimit",
  concurrent: "concurrent",
};

const former = (option: string, today: string, setting: string): Rule =>
  take(option, setting, (value, facts) =>
    facts.get(today) === undefined ? value : drop(`the former form, which Synapse reads only without ${today}`),
  );

export const RATE_RULES: Rule[] = [
  ...Object.entries(LIMITS).flatMap(([option, limit]) => [
    take(`${option}.per_second`, `rateLimits.${limit}.perSecond`),
    take(`${option}.burst_count`, `rateLimits.${limit}.burst`),
  ]),
  ...Object.entries(FEDERATION).map(([option, name]) =>
    take(`rc_federation.${option}`, `rateLimits.federation.${name}`),
  ),
  // The former forms, which Synapse reads only without today's (synapse/config/ratelimiting.py).
  former("rc_messages_per_second", "rc_message", "rateLimits.messages.perSecond"),
  former("rc_message_burst_count", "rc_message", "rateLimits.messages.burst"),
  ...Object.entries(FEDERATION).map(([option, name]) =>
    former(`federation_rc_${option}`, "rc_federation", `rateLimits.federation.${name}`),
  ),
];
