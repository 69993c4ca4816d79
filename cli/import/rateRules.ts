/** How often who may do what. Pure. */
import { each, replaced, dropped, take, type Rule } from "./rules";

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

export const RATE_RULES: Rule[] = [
  ...Object.entries(LIMITS).flatMap(([option, limit]) => [
    take(`${option}.per_second`, `rateLimits.${limit}.perSecond`),
    take(`${option}.burst_count`, `rateLimits.${limit}.burst`),
  ]),
  ...Object.entries(FEDERATION).map(([option, name]) =>
    take(`rc_federation.${option}`, `rateLimits.federation.${name}`),
  ),
  replaced("rc_delayed_event_mgmt", "group calls decide it"),
  ...each(
    dropped,
    "rc_messages_per_second rc_message_burst_count federation_rc_window_size federation_rc_sleep_limit federation_rc_sleep_delay federation_rc_reject_limit federation_rc_concurrent",
    "the former form, which Synapse 1.163 no longer reads; today's are rc_message and rc_federation, settings rateLimits",
  ),
];
