/**
 * The routes themselves, in the order in which they are tried: the first that matches wins.
 * Written from Synapse's docs/workers.md and checked against the servlets of 1.163.2
 * (test/router/servlets.json): what a worker does not register never reaches one.
 *
 * Patterns must mean the same to JavaScript and to HAProxy (PCRE), and pass HAProxy's configuration parser unquoted:
 * no backslash, no space, no quote, no '#'. A literal dot is `[.]`.
 */
import type { Route } from "./routingTable";

const C = "^/_matrix/client";
const ANY = "(api/v1|r0|v3|unstable)";
const V3 = "(r0|v3|unstable)";
const ROOM = `${C}/${ANY}/rooms/[^/]+`;
const ADMIN = "^/_synapse/admin";
const FED = "^/_matrix/federation";
const WRITE = ["PUT", "POST", "DELETE"] as const;
const READ = ["GET", "HEAD"] as const;

const SINGLE = "Synapse allows one writer of this stream and every other process answers with an error";
const MEDIA_ONLY = "the media repository is off in every other class";
const WORKERS = "docs/workers.md, synapse.app.generic_worker";
const WRITERS = "docs/workers.md, stream writers";
const CODE = "servlets of 1.163.2";

export const ROUTES: readonly Route[] = [
  // ------------------------------------------------------------------ media
  {
    id: "media", resource: "media", hash: "media", target: { class: "media" }, fallback: [], why: MEDIA_ONLY, doc: "docs/workers.md, synapse.app.media_repository",
    patterns: ["^/_matrix/media/", `${C}/(v1|unstable/org[.]matrix[.]msc3916)/media/`, "^/_synapse/media/"],
  },
  {
    id: "media-federation", surface: "federation", resource: "media", hash: "media", target: { class: "media" }, fallback: [], why: MEDIA_ONLY, doc: "docs/workers.md, synapse.app.media_repository",
    patterns: [`${FED}/v1/media/`],
  },
  {
    id: "media-admin", surface: "admin", resource: "media", hash: "none", target: { stream: "quarantined_media_changes" }, fallback: [], doc: "docs/workers.md, synapse.app.media_repository",
    why: "served only where the media repository runs; quarantine is asserted to be on the stream's writer",
    patterns: [
      `${ADMIN}/v1/purge_media_cache$`, `${ADMIN}/v1/room/[^/]+/media`, `${ADMIN}/v1/user/[^/]+/media`, `${ADMIN}/v1/media/`,
      `${ADMIN}/v1/quarantine_media/`, `${ADMIN}/v1/users/[^/]+/media$`,
    ],
  },
  // ------------------------------------------------------------------ sync
  {
    id: "initial-sync", resource: "client", hash: "user", target: { class: "initial-sync" }, fallback: ["synchrotron", "generic"], methods: READ, queryAbsent: "since",
    doc: "docs/workers.md, load balancing: /sync without `since`", patterns: [`${C}/${V3}/sync$`],
  },
  {
    id: "initial-sync-legacy", resource: "client", hash: "user", target: { class: "initial-sync" }, fallback: ["synchrotron", "generic"], doc: WORKERS,
    patterns: [`${C}/${ANY}/initialSync$`, `${ROOM}/initialSync$`],
  },
  {
    id: "sync", resource: "client", hash: "user", target: { class: "synchrotron" }, fallback: ["generic"], doc: WORKERS,
    patterns: [`${C}/${V3}/sync$`, `${C}/${ANY}/events$`],
  },
  {
    id: "sliding-sync", resource: "client", hash: "user", target: { class: "synchrotron" }, fallback: ["generic"], doc: `${CODE}; the docs do not list it`,
    patterns: [`${C}/unstable/org[.]matrix[.]simplified_msc3575/sync$`],
  },
  // ------------------------------------------------------------------ stream writers
  { id: "typing", resource: "client", hash: "none", target: { stream: "typing" }, fallback: [], why: SINGLE, doc: WRITERS, patterns: [`${ROOM}/typing/`] },
  { id: "to-device", resource: "client", hash: "none", target: { stream: "to_device" }, fallback: [], why: SINGLE, doc: WRITERS, patterns: [`${C}/${V3}/sendToDevice/`] },
  {
    id: "account-data-write", resource: "client", hash: "none", target: { stream: "account_data" }, fallback: [], why: SINGLE, methods: WRITE, doc: WRITERS,
    patterns: [`${C}/(r0|v3|unstable|unstable/org[.]matrix[.]msc3391)/user/[^/]+/(rooms/[^/]+/)?(account_data|tags)(/|$)`],
  },
  {
    id: "account-data-read", resource: "client", hash: "none", target: { class: "generic" }, fallback: ["main"], methods: READ, doc: WORKERS,
    patterns: [`${C}/(r0|v3|unstable|unstable/org[.]matrix[.]msc3391)/user/[^/]+/(rooms/[^/]+/)?(account_data|tags)(/|$)`],
  },
  {
    id: "receipts", resource: "client", hash: "user", target: { stream: "receipts" }, fallback: [], doc: WRITERS,
    why: "a process that is no writer of the stream answers with an error", patterns: [`${C}/${V3}/rooms/[^/]+/(receipt/|read_markers$)`],
  },
  { id: "presence-write", resource: "client", hash: "none", target: { stream: "presence" }, fallback: [], why: SINGLE, methods: WRITE, doc: WRITERS, patterns: [`${C}/${ANY}/presence/`] },
  { id: "presence-read", resource: "client", hash: "none", target: { class: "generic" }, fallback: ["main"], methods: READ, doc: WORKERS, patterns: [`${C}/${ANY}/presence/`] },
  { id: "push-rules-write", resource: "client", hash: "none", target: { stream: "push_rules" }, fallback: [], why: SINGLE, methods: WRITE, doc: WRITERS, patterns: [`${C}/${ANY}/pushrules/`] },
  { id: "push-rules-read", resource: "client", hash: "none", target: { class: "generic" }, fallback: ["main"], methods: READ, doc: WORKERS, patterns: [`${C}/${ANY}/pushrules/`] },
  {
    id: "thread-subscriptions-write", resource: "client", hash: "user", target: { stream: "thread_subscriptions" }, fallback: [], methods: WRITE, doc: `${CODE}; the docs do not list it`,
    why: "a process that is no writer of the stream answers with an error",
    patterns: [`${C}/unstable/io[.]element[.]msc4306/rooms/[^/]+/thread/[^/]+/subscription$`],
  },
  {
    id: "thread-subscriptions-read", resource: "client", hash: "none", target: { class: "generic" }, fallback: ["main"], methods: READ, doc: `${CODE}; the docs do not list it`,
    patterns: [`${C}/unstable/io[.]element[.]msc4306/rooms/[^/]+/thread/[^/]+/subscription$`, `${C}/unstable/io[.]element[.]msc4308/thread_subscriptions$`],
  },
  {
    id: "device-lists", resource: "client", hash: "user", target: { stream: "device_lists" }, fallback: ["generic", "main"], doc: `${WRITERS}: any worker forwards to a writer`,
    patterns: [`${C}/${V3}/delete_devices$`, `${C}/${ANY}/devices(/|$)`, `${C}/${V3}/keys/upload(/|$)`, `${C}/${ANY}/keys/(device_signing|signatures)/upload$`],
  },
  // ------------------------------------------------------------------ one process only
  {
    id: "sso", resource: "client", hash: "none", target: { class: "main" }, fallback: [], doc: "docs/workers.md: all SSO logins go to a single process",
    why: "an SSO login keeps its state in the process that began it",
    patterns: [`${C}/${ANY}/login/sso/redirect`, `${C}/${ANY}/login/cas/ticket$`, "^/_synapse/client/(pick_idp|pick_username|new_user_consent|sso_register|oidc|saml2)(/|$)"],
  },
  {
    id: "main-only", resource: "client", hash: "none", target: { class: "main" }, fallback: [], doc: `${CODE}: registered by the main process only`, why: "no worker serves it",
    patterns: [
      `${C}/${ANY}/logout(/all)?$`, `${C}/${ANY}/pushers(/set|/remove)?$`, `${C}/${V3}/auth/[^/]+/fallback/web$`, `${C}/${V3}/(tokenrefresh|refresh)$`, `${C}/v1/refresh$`,
      `${C}/(v1/login/get_token|unstable/org[.]matrix[.]msc3882/login/token)$`, `${ROOM}/(report|forget|upgrade)(/|$)`, `${C}/v3/users/[^/]+/report$`,
      `${C}/${V3}/user/[^/]+/openid/request_token$`, `${C}/${V3}/thirdparty/`, `${C}/${ANY}/admin/whois/`, `${C}/${V3}/account_validity/`, `${C}/(v1|unstable)/mutual_rooms$`,
      `${C}/${V3}/account/password`, `${C}/${V3}/account/3pid/`, `${C}/${V3}/register/(email|msisdn)/requestToken$`, `${C}/unstable/(add_threepid|registration)/`,
      `${C}/${ANY}/directory/list/`,
    ],
  },
  {
    id: "delayed-events-update", resource: "client", hash: "none", target: { class: "main" }, fallback: [], methods: WRITE, doc: `${CODE}: cancel and send are the main process's`, why: "no worker serves it",
    patterns: [`${C}/unstable/org[.]matrix[.]msc4140/delayed_events/[^/]+(/cancel|/send)?$`],
  },
  // ------------------------------------------------------------------ federation
  {
    id: "openid-userinfo", resource: "openid", hash: "none", target: { class: "generic" }, fallback: ["main"], doc: `${CODE}; needed by lk-jwt-service and widgets, with federation off too`,
    patterns: [`${FED}/v1/openid/userinfo$`],
  },
  {
    id: "federation-transactions", surface: "federation", resource: "federation", hash: "origin", target: { class: "federation-reader" }, fallback: ["main"],
    doc: "docs/workers.md: transactions of one origin go to one process", patterns: [`${FED}/v1/send/`],
  },
  {
    id: "federation", surface: "federation", resource: "federation", hash: "origin", target: { class: "federation-reader" }, fallback: ["main"],
    doc: `${WORKERS}, and ${CODE} for user/keys, 3pid/onbind and complexity`, patterns: [`${FED}/`],
  },
  {
    id: "server-keys", surface: "federation", resource: "federation", hash: "none", target: { class: "federation-reader" }, fallback: ["main"],
    doc: `${WORKERS} (key/v2/query), ${CODE} (key/v2/server)`, patterns: ["^/_matrix/key/v2/(query|server)"],
  },
  // ------------------------------------------------------------------ rooms, by room
  {
    id: "room-events", resource: "client", hash: "room", target: { class: "generic" }, fallback: ["main"], doc: `${WORKERS}, event sending by room id`,
    patterns: [`${ROOM}/(redact|send|state)/`, `${ROOM}/(join|invite|leave|ban|unban|kick)(/[^/]+)?$`, `${C}/${ANY}/(join|knock)/`],
  },
  {
    id: "room-pagination", resource: "client", hash: "room", target: { class: "generic" }, fallback: ["main"], doc: `${WORKERS}, pagination of a room on one instance`,
    patterns: [`${ROOM}/messages$`],
  },
  {
    id: "room-reads", resource: "client", hash: "room", target: { class: "generic" }, fallback: ["main"], doc: WORKERS,
    patterns: [
      `${ROOM}/(joined_members|members|state)$`, `${ROOM}/(context|event)/`, `${C}/${V3}/rooms/[^/]+/aliases$`, `${C}/v1/rooms/[^/]+/(hierarchy|threads|timestamp_to_event)$`,
      `${C}/(v1|unstable)/rooms/[^/]+/relations/`,
    ],
  },
  // ------------------------------------------------------------------ everything else that any worker serves
  {
    id: "generic", resource: "client", hash: "none", target: { class: "generic" }, fallback: ["main"], doc: WORKERS,
    patterns: [
      `${C}/${ANY}/(createRoom(/[^/]+)?|publicRooms|joined_rooms|search|voip/turnServer)$`, `${C}/versions$`, `${C}/${ANY}/events/[^/]+$`, `${C}/${V3}/(capabilities|notifications|password_policy)$`,
      `${C}/${V3}/account/(3pid|whoami|deactivate)$`, `${C}/${ANY}/profile/`, `${C}/${ANY}/directory/room/`, `${C}/${V3}/user/[^/]+/filter(/|$)`,
      `${C}/v1/room_summary/`, `${C}/unstable/[^/]+/rooms/[^/]+/aliases$`, `${C}/unstable/im[.]nheko[.]summary/`, `${C}/unstable/org[.]matrix[.]msc4143/rtc/transports$`, `${C}/(v1|unstable)/appservice/[^/]+/ping$`,
    ],
  },
  {
    id: "encryption", resource: "client", hash: "none", target: { class: "generic" }, fallback: ["main"], doc: WORKERS,
    patterns: [`${C}/${V3}/keys/(query|changes|claim)$`, `${C}/${V3}/room_keys/`],
  },
  {
    id: "registration-login", resource: "client", hash: "none", target: { class: "generic" }, fallback: ["main"], doc: WORKERS,
    patterns: [`${C}/${ANY}/login$`, `${C}/${V3}/register(/available)?$`, `${C}/(v1|unstable)/register/m[.]login[.]registration_token/validity$`],
  },
  { id: "user-directory", resource: "client", hash: "none", target: { class: "generic" }, fallback: ["main"], doc: WORKERS, patterns: [`${C}/${V3}/user_directory/search$`] },
  {
    id: "delayed-events-read", resource: "client", hash: "none", target: { class: "generic" }, fallback: ["main"], methods: READ, doc: WORKERS,
    patterns: [`${C}/unstable/org[.]matrix[.]msc4140/delayed_events(/[^/]+)?$`],
  },
  {
    id: "delayed-events-restart", resource: "client", hash: "none", target: { class: "generic" }, fallback: ["main"], methods: ["POST"], doc: `${CODE}: the only delayed-event update that workers serve`,
    patterns: [`${C}/unstable/org[.]matrix[.]msc4140/delayed_events/[^/]+/restart$`],
  },
  { id: "admin-rooms", surface: "admin", resource: "client", hash: "none", target: { class: "generic" }, fallback: ["main"], doc: WORKERS, patterns: [`${ADMIN}/v1/rooms/[^/]+$`] },
  {
    id: "admin", surface: "admin", resource: "client", hash: "none", target: { class: "main" }, fallback: [], doc: `${CODE}: the admin API is the main process's`, why: "no worker serves it",
    patterns: [`${ADMIN}/`],
  },
  {
    id: "default", resource: "client", hash: "none", target: { class: "main" }, fallback: [], doc: "docs/workers.md: what is not listed belongs to the main process", why: "no worker serves it",
    patterns: ["^/_matrix/client/", "^/_matrix/static/", "^/_synapse/client/", "^/[.]well-known/", "^/health$", "^/$"],
  },
];
