/**
 * Who writes which option of Synapse. `synapse.extra` may hold every option that is not here, and those of the kind
 * `usual`, whose value it replaces. A path stands for all that is below it. A test fails where the stack renders an
 * option that is not here; a new typed setting is one more line. Pure.
 */

import { FEDERATION_RATE_NAMES, FEDERATION_RATES, RATE_LIMITS, rateOption } from "../settings/rateLimits";

/** Who writes an option. */
export type Owner =
  /** A setting of this stack. */
  | { setting: string }
  /** The stack alone, for this reason. */
  | { why: string }
  /** The stack writes a value that suits most; another may take its place. */
  | { usual: true };

const set = (setting: string): Owner => ({ setting });
const own = (why: string): Owner => ({ why });
const usual: Owner = { usual: true };

const PROCESSES = own("the plan decides which processes there are and what each does");
const LISTENERS = own("the router, the Services and the network policies know these ports");
const DATABASE = own("it is this stack's PostgreSQL, through its poolers");
const REDIS = own("it is this stack's Redis");
const STORE = own("media are in the object store, and pods keep nothing");
const TLS = own("TLS ends at the ingress");
const CONTAINER = own("the processes run in containers, and log to their output");

/** By path, with dots. */
export const OWNERS: Record<string, Owner> = {
  // Identity.
  server_name: set("serverName"),
  public_baseurl: set("hostnames.homeserver"),
  web_client_location: set("hostnames.web"),
  serve_server_wellknown: own("the ingress serves /.well-known/matrix"),
  report_stats: own("no process may call the collector"),
  report_stats_endpoint: own("no process may call the collector"),
  enable_metrics: own("the monitoring reads the metrics of every process"),
  metrics_port: LISTENERS,
  metrics_bind_host: LISTENERS,

  // Secrets.
  signing_key: set("importSecrets.signingKey"),
  signing_key_path: set("importSecrets.signingKey"),
  old_signing_keys: set("oldSigningKeys"),
  macaroon_secret_key: set("importSecrets.macaroonSecretKey"),
  macaroon_secret_key_path: set("importSecrets.macaroonSecretKey"),
  form_secret: set("importSecrets.formSecret"),
  form_secret_path: set("importSecrets.formSecret"),
  registration_shared_secret: set("importSecrets.registrationSharedSecret"),
  registration_shared_secret_path: set("importSecrets.registrationSharedSecret"),

  // Processes, and what they listen on and talk to.
  pid_file: CONTAINER,
  daemonize: CONTAINER,
  print_pidfile: CONTAINER,
  log_config: CONTAINER,
  log_file: CONTAINER,
  no_redirect_stdio: CONTAINER,
  soft_file_limit: CONTAINER,
  manhole: own("a shell in the process, without encryption"),
  worker_manhole: own("a shell in the process, without encryption"),
  manhole_settings: own("there is no manhole"),
  listeners: LISTENERS,
  bind_port: LISTENERS,
  no_tls: TLS,
  tls_certificate_path: TLS,
  tls_private_key_path: TLS,
  database: DATABASE,
  databases: DATABASE,
  database_path: DATABASE,
  redis: REDIS,
  instance_map: PROCESSES,
  stream_writers: PROCESSES,
  pusher_instances: PROCESSES,
  start_pushers: PROCESSES,
  federation_sender_instances: PROCESSES,
  outbound_federation_restricted_to: PROCESSES,
  run_background_tasks_on: PROCESSES,
  notify_appservices_from_worker: PROCESSES,
  notify_appservices: PROCESSES,
  update_user_directory_from_worker: PROCESSES,
  update_user_directory: PROCESSES,
  media_instance_running_background_jobs: PROCESSES,
  enable_media_repo: PROCESSES,
  "auto_accept_invites.worker_to_run_on": PROCESSES,
  worker_app: PROCESSES,
  worker_name: PROCESSES,
  worker_listeners: LISTENERS,
  worker_replication_host: PROCESSES,
  worker_replication_port: PROCESSES,
  worker_replication_http_port: PROCESSES,
  worker_replication_http_tls: PROCESSES,
  worker_replication_secret: PROCESSES,
  worker_replication_secret_path: PROCESSES,
  worker_main_http_uri: PROCESSES,
  worker_daemonize: CONTAINER,
  worker_pid_file: CONTAINER,
  worker_log_config: CONTAINER,
  app_service_config_files: set("appservices"),
  matrix_authentication_service: own("the router leads logins to Synapse, and has no route to that service"),
  user_consent: set("terms"),
  "user_consent.template_dir": set("terms.page"),
  "user_consent.version": set("terms.version"),
  "user_consent.policy_name": set("terms.name"),
  "user_consent.require_at_registration": set("terms.atRegistration"),
  "user_consent.server_notice_content": set("terms.notice"),
  "user_consent.block_events_error": set("terms.refuseWithout"),
  extra_well_known_client_content: set("web.wellKnown.client"),
  default_identity_server: own("the ingress serves /.well-known/matrix"),
  event_cache_size: set("overrides.synapse.eventCacheSize"),
  "caches.global_factor": set("overrides.synapse.globalCacheFactor"),
  "caches.cache_autotuning": set("overrides.pools"),
  "caches.expire_caches": usual,
  "caches.cache_entry_ttl": usual,
  "caches.sync_response_cache_duration": usual,

  // What users may do.
  enable_registration: set("registration.enabled"),
  disable_registration: set("registration.enabled"),
  registrations_require_3pid: set("registration.requireEmail"),
  registration_requires_token: set("registration.requireToken"),
  enable_registration_without_verification: set("registration.allowOpen"),
  allow_guest_access: set("registration.allowGuests"),
  "password_config.enabled": set("sso.passwordLogin"),
  "password_config.localdb_enabled": set("ldap.localPasswords"),
  "password_config.pepper": set("passwords.pepper"),
  "password_config.policy": set("passwords"),
  oidc_providers: set("sso.oidc"),
  oidc_config: set("sso.oidc"),
  modules: set("synapse.modules"),
  spam_checker: set("synapse.modules"),
  third_party_event_rules: set("synapse.modules"),
  password_providers: set("synapse.modules"),
  ldap_config: set("ldap"),
  "presence.enabled": set("presence.enabled"),
  use_presence: set("presence.enabled"),
  "user_directory.enabled": set("userDirectory.enabled"),
  "user_directory.search_all_users": set("userDirectory.searchAllUsers"),
  "user_directory.prefer_local_users": set("userDirectory.preferLocalUsers"),
  "user_directory.exclude_remote_users": set("userDirectory.excludeRemoteUsers"),
  "user_directory.show_locked_users": set("userDirectory.showLockedUsers"),
  require_auth_for_profile_requests: usual,
  allow_public_rooms_without_auth: set("rooms.listWithoutLogin"),
  allow_public_rooms_over_federation: set("rooms.listOverFederation"),
  room_list_publication_rules: set("rooms.publicationRules"),
  alias_creation_rules: set("rooms.aliasRules"),
  require_membership_for_aliases: set("rooms.aliasesByMembersOnly"),
  encryption_enabled_by_default_for_room_type: set("rooms.encryption"),
  auto_join_rooms: set("rooms.autoJoin.aliases"),
  autocreate_auto_join_rooms: set("rooms.autoJoin.create"),
  autocreate_auto_join_room_preset: set("rooms.autoJoin.preset"),
  autocreate_auto_join_rooms_federated: set("rooms.autoJoin.federated"),
  auto_join_mxid_localpart: set("rooms.autoJoin.inviter"),
  auto_join_rooms_for_guests: set("rooms.autoJoin.guests"),
  "limit_remote_rooms.enabled": set("rooms.limitRemote"),
  "limit_remote_rooms.complexity": set("rooms.limitRemote.complexity"),
  "limit_remote_rooms.complexity_error": set("rooms.limitRemote.message"),
  "limit_remote_rooms.admins_can_join": set("rooms.limitRemote.adminsCanJoin"),
  enable_registration_captcha: set("registration.captcha"),
  recaptcha_public_key: set("registration.captcha.siteKey"),
  recaptcha_public_key_path: set("registration.captcha.siteKey"),
  recaptcha_private_key: set("registration.captcha.secretKey"),
  recaptcha_private_key_path: set("registration.captcha.secretKey"),
  "server_notices.system_mxid_localpart": set("serverNotices.localpart"),
  "server_notices.system_mxid_display_name": set("serverNotices.displayName"),
  "server_notices.room_name": set("serverNotices.roomName"),
  "server_notices.room_topic": set("serverNotices.roomTopic"),
  "server_notices.auto_join": set("serverNotices.autoJoin"),
  http_proxy: set("httpProxy.url"),
  https_proxy: set("httpProxy.url"),
  no_proxy_hosts: set("httpProxy.noProxy"),
  ip_range_blacklist: set("outgoing.blockedNetworks"),
  federation_ip_range_blacklist: set("outgoing.blockedNetworks"),
  ip_range_whitelist: set("outgoing.allowedNetworks"),
  ...Object.fromEntries(RATE_LIMITS.map((name) => [rateOption(name), set(`rateLimits.${name}`)])),
  rc_messages_per_second: set("rateLimits.messages"),
  rc_message_burst_count: set("rateLimits.messages"),
  ...Object.fromEntries(
    FEDERATION_RATE_NAMES.flatMap((name) =>
      ["rc_federation.", "federation_rc_"].map((form) => [
        `${form}${FEDERATION_RATES[name]}`,
        set(`rateLimits.federation.${name}`),
      ]),
    ),
  ),
  user_ips_max_age: usual,
  redaction_retention_period: usual,
  forgotten_room_retention_period: usual,
  "retention.enabled": set("retention"),
  "retention.default_policy.max_lifetime": set("retention.maxLifetimeDays"),
  "retention.default_policy.min_lifetime": usual,
  "retention.allowed_lifetime_min": set("retention.roomMinDays"),
  "retention.allowed_lifetime_max": set("retention.roomMaxDays"),
  "retention.purge_jobs": usual,

  // Federation.
  send_federation: set("federation.enabled"),
  federation_domain_whitelist: set("federation.domainAllowList"),
  trusted_key_servers: usual,
  suppress_key_server_warning: usual,

  // Calls.
  turn_uris: set("turn"),
  turn_shared_secret: set("turn"),
  turn_shared_secret_path: set("turn"),
  turn_username: set("turn"),
  turn_password: set("turn"),
  turn_user_lifetime: usual,
  turn_allow_guests: usual,
  matrix_rtc: set("rtc"),
  "experimental_features.msc2409_to_device_messages_enabled": set("appservices"),
  "experimental_features.msc3202_transaction_extensions": set("appservices"),
  "experimental_features.msc4502_enabled": set("appservices"),
  "experimental_features.msc4143_enabled": set("rtc.enabled"),
  "experimental_features.msc4222_enabled": set("rtc.enabled"),
  max_event_delay_duration: usual,
  rc_delayed_event_mgmt: usual,

  // E-mail.
  "email.smtp_host": set("emailSmtp.host"),
  "email.smtp_port": set("emailSmtp.port"),
  "email.smtp_user": set("emailSmtp.user"),
  "email.smtp_pass": set("emailSmtp.password"),
  "email.notif_from": set("emailSmtp.from"),
  "email.app_name": set("web.elementWeb.brand"),
  "email.client_base_url": set("hostnames.web"),
  "email.riot_base_url": set("hostnames.web"),
  "email.force_tls": set("emailSmtp.tls"),
  "email.require_transport_security": set("emailSmtp.tls"),
  "email.enable_tls": set("emailSmtp.tls"),
  "email.tlsname": set("emailSmtp.tlsName"),
  "email.enable_notifs": usual,
  "email.notif_for_new_users": usual,

  // Media.
  media_store_path: STORE,
  backup_media_store_path: STORE,
  synchronous_backup_media_store: STORE,
  enable_local_media_storage: STORE,
  media_storage_providers: set("objectStore"),
  max_upload_size: set("media.maxUploadMiB"),
  "media_retention.local_media_lifetime": set("media.localRetentionDays"),
  "media_retention.remote_media_lifetime": set("media.remoteRetentionDays"),
  url_preview_enabled: set("media.urlPreviews"),
  url_preview_ip_range_blacklist: set("outgoing.previewBlockedNetworks"),
  url_preview_ip_range_whitelist: set("outgoing.previewAllowedNetworks"),
  max_spider_size: usual,
  enable_authenticated_media: usual,
  dynamic_thumbnails: usual,
};

/** The entry for a path, or that of what is around it. */
export function ownerOf(path: readonly string[]): { at: string; owner: Owner } | undefined {
  for (let n = path.length; n > 0; n--) {
    const at = path.slice(0, n).join(".");
    if (Object.hasOwn(OWNERS, at)) return { at, owner: OWNERS[at]! };
  }
  return undefined;
}

/** The entries below a path: a value that is no section would replace them all. */
export const ownersBelow = (path: readonly string[]): Array<{ at: string; owner: Owner }> =>
  Object.entries(OWNERS)
    .filter(([at]) => at.startsWith(`${path.join(".")}.`))
    .map(([at, owner]) => ({ at, owner }));
