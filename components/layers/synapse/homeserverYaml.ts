/**
 * The configuration that all Synapse processes share. Pure: no secret is in it, only the paths of the files that
 * hold them. Keys are those of Synapse 1.163; an unknown one would be ignored in silence, so a test compares them
 * with the list that Synapse reads (test/synapse/known-keys.json).
 */
import { yamlText } from "../../core/yaml";
import { NAMESPACES, PORTS, SERVICES, serviceFqdn } from "../../core/names";
import { namedBy } from "../../domain/workerClasses";
import type { NamingOption } from "../../domain/workerFacts";
import type { OidcProvider, Settings } from "../../settings/types";
import type { Plan } from "../../sizing/types";
import { appserviceFeatures, appserviceOptions } from "./appservices/registration";
import { instanceHost, instanceNames, isWriter, poolOf, replicationPort, streamWriters } from "./instances";
import {
  captcha,
  outgoingNetworks,
  passwordSection,
  rate,
  rateLimits,
  retention,
  rooms,
  serverNotices,
  userDirectory,
} from "./peopleYaml";
import { ldapIsSecret, ldapModule } from "./ldapYaml";
import { smtpTls, type SmtpTls } from "./settings/email";
import { termsOption } from "./terms";
import { MOUNTS, SECRET_FILES, SHARED_FILES, oidcSecretFile, pythonName } from "./paths";

/** What the shared configuration is made from. */
export interface HomeserverInput {
  settings: Settings;
  plan: Plan;
  /** TURN URIs for clients, one per call host and transport; used where TURN is on. */
  turnUris: readonly string[];
  /** URL of lk-jwt-service as clients reach it; used where RTC is on. @example "https://rtc.example.org" */
  rtcServiceUrl: string;
}

export { days } from "./peopleYaml";

/** A section of a configuration file, before it is written as YAML. */
export type Yaml = Record<string, unknown>;

/**
 * The `database` section of a class, with the bounds of its connection pool. The password comes from PGPASSWORD:
 * Synapse has no path option for it. `application_name` would win over PGAPPNAME (pod.ts, scripts/only_one.py).
 */
export function databaseSection(clusterDomain: string, cpMin: number, cpMax: number): Yaml {
  return {
    name: "psycopg2",
    args: {
      user: "synapse",
      dbname: "synapse",
      host: serviceFqdn(SERVICES.pooler, NAMESPACES.matrix, clusterDomain),
      port: PORTS.postgres,
      cp_min: cpMin,
      cp_max: cpMax,
      connect_timeout: 5,
      // A connection to a lost node is given up after 40 s idle, or 15 s with something unacknowledged.
      keepalives_idle: 10,
      keepalives_interval: 10,
      keepalives_count: 3,
      tcp_user_timeout: 15000,
    },
  };
}

function identity({ settings: s }: HomeserverInput): Yaml {
  return {
    server_name: s.serverName,
    public_baseurl: `https://${s.hostnames.homeserver}/`,
    report_stats: false,
    pid_file: `${MOUNTS.tmp}/synapse.pid`,
    serve_server_wellknown: false,
    ...(s.web.elementWeb.enabled ? { web_client_location: `https://${s.hostnames.web}/` } : {}),
    enable_metrics: true,
    user_ips_max_age: "28d",
    redaction_retention_period: "7d",
    forgotten_room_retention_period: "28d",
    ...retention(s),
  };
}

function secrets({ settings: s }: HomeserverInput): Yaml {
  const path = (file: string): string => `${MOUNTS.secrets}/${file}`;
  return {
    signing_key_path: path(SECRET_FILES.signingKey),
    ...(s.oldSigningKeys.length > 0
      ? {
          old_signing_keys: Object.fromEntries(
            s.oldSigningKeys.map((k) => [k.id, { key: k.key, expired_ts: Date.parse(k.expiredAt) }]),
          ),
        }
      : {}),
    macaroon_secret_key_path: path(SECRET_FILES.macaroon),
    form_secret_path: path(SECRET_FILES.form),
    registration_shared_secret_path: path(SECRET_FILES.registration),
    worker_replication_secret_path: path(SECRET_FILES.replication),
  };
}

function processes({ settings: s, plan }: HomeserverInput): Yaml {
  const domain = s.cluster.domain;
  const map: Yaml = {};
  for (const pool of plan.synapse.pools) {
    if (!isWriter(plan, pool.class)) continue;
    instanceNames(plan, pool.class).forEach((name, i) => {
      map[pool.class === "main" ? "main" : name] = {
        host: instanceHost(pool.class, i, domain),
        port: replicationPort(plan, pool.class),
      };
    });
  }
  const named = (option: NamingOption): string[] => {
    const cls = namedBy(option).find((c) => poolOf(plan, c));
    return cls ? instanceNames(plan, cls) : [];
  };
  const pushers = named("pusher_instances");
  const background = named("run_background_tasks_on")[0];
  const appservices = named("notify_appservices_from_worker")[0];
  const directory = named("update_user_directory_from_worker")[0] ?? background;
  const media = named("media_instance_running_background_jobs")[0];
  const senders = s.federation.enabled ? named("federation_sender_instances") : [];
  return {
    instance_map: map,
    stream_writers: streamWriters(plan),
    ...(pushers.length > 0 ? { pusher_instances: pushers } : {}),
    ...(background ? { run_background_tasks_on: background } : {}),
    ...(appservices ? { notify_appservices_from_worker: appservices } : {}),
    ...(directory ? { update_user_directory_from_worker: directory } : {}),
    ...(media ? { enable_media_repo: false, media_instance_running_background_jobs: media } : {}),
    ...(senders.length > 0 ? { federation_sender_instances: senders } : {}),
    redis: {
      enabled: true,
      host: serviceFqdn(SERVICES.redisSynapseMaster, NAMESPACES.matrix, domain),
      port: PORTS.redis,
      dbid: 0,
      password_path: `${MOUNTS.secrets}/${SECRET_FILES.redis}`,
    },
  };
}

function people({ settings: s, plan }: HomeserverInput): Yaml {
  const r = s.registration;
  return {
    enable_registration: r.enabled,
    allow_guest_access: r.allowGuests,
    ...(r.enabled && r.requireEmail ? { registrations_require_3pid: ["email"] } : {}),
    ...(r.enabled && r.requireToken ? { registration_requires_token: true } : {}),
    ...captcha(s),
    // Synapse starts with none of them only when it is told that this is meant.
    ...(r.enabled && !r.requireEmail && !r.requireToken && !r.captcha
      ? { enable_registration_without_verification: true }
      : {}),
    ...(s.passwords.pepper === undefined ? passwordSection(s) : {}),
    ...(s.sso && s.sso.oidc.length > 0
      ? {
          oidc_providers: s.sso.oidc.map((p) => ({
            idp_id: p.id,
            idp_name: p.name,
            issuer: p.issuer,
            client_id: p.clientId,
            client_secret_path: `${MOUNTS.secrets}/${oidcSecretFile(p.id)}`,
            scopes: p.scopes,
            user_mapping_provider: { config: userMapping(p) },
            ...(p.allowExistingUsers ? { allow_existing_users: true } : {}),
          })),
        }
      : {}),
    presence: { enabled: s.presence.enabled },
    ...userDirectory(s),
    require_auth_for_profile_requests: true,
    ...rooms(s),
    ...rateLimits(s, plan),
    ...outgoingNetworks(s),
    ...serverNotices(s),
    ...termsOption(s),
  };
}

/**
 * Templates of new users' names, by where they come from. Of an address (Entra's preferred_username is one, Google has
 * only that) the domain is left out, which the user id would carry for ever.
 */
const NAMES = {
  username: "{{ (user.preferred_username or user.email or '').split('@')[0] }}",
  email: "{{ (user.email or '').split('@')[0] }}",
  ask: undefined,
} as const;

/** What Synapse's own mapper makes of a provider's claims. */
function userMapping(p: OidcProvider): Yaml {
  const name = p.localpartTemplate ?? NAMES[p.localpart ?? "username"];
  return {
    subject_claim: p.subjectClaim,
    ...(name === undefined ? {} : { localpart_template: name }),
    ...(p.confirmLocalpart ? { confirm_localpart: true } : {}),
    display_name_template: p.displayNameTemplate,
    ...(p.emailTemplate === undefined ? {} : { email_template: p.emailTemplate }),
  };
}

function federation({ settings: s }: HomeserverInput): Yaml {
  if (!s.federation.enabled)
    return {
      send_federation: false,
      federation_domain_whitelist: [],
      trusted_key_servers: [],
      suppress_key_server_warning: true,
    };
  return {
    ...(s.federation.domainAllowList ? { federation_domain_whitelist: s.federation.domainAllowList } : {}),
    trusted_key_servers: s.federation.domainAllowList ? [] : [{ server_name: "matrix.org" }],
    suppress_key_server_warning: true,
  };
}

function calls({ settings: s, turnUris, rtcServiceUrl }: HomeserverInput): Yaml {
  const features = appserviceFeatures(s);
  return {
    ...(s.turn.enabled
      ? {
          turn_uris: turnUris,
          turn_shared_secret_path: `${MOUNTS.secrets}/${SECRET_FILES.turn}`,
          turn_user_lifetime: "1h",
          turn_allow_guests: false,
        }
      : {}),
    ...(s.rtc.enabled
      ? {
          // What Element Call asks of a homeserver: RTC transports, delayed events, `state_after` in sync.
          experimental_features: { msc4143_enabled: true, msc4222_enabled: true, ...features },
          ...((s.rtc.jwtService ?? true)
            ? { matrix_rtc: { transports: [{ type: "livekit", livekit_service_url: rtcServiceUrl }] } }
            : {}),
          max_event_delay_duration: "24h",
          rc_delayed_event_mgmt: rate(1, 20),
        }
      : Object.keys(features).length > 0
        ? { experimental_features: features }
        : {}),
  };
}

/** The shared configuration as an object. */
export function homeserverConfig(input: HomeserverInput): Yaml {
  return {
    ...identity(input),
    ...secrets(input),
    ...processes(input),
    ...people(input),
    ...federation(input),
    ...calls(input),
    ...appserviceOptions(input.settings),
    event_cache_size: input.plan.synapse.eventCacheSize,
    modules: ldapIsSecret(input.settings)
      ? ownModules(input.settings)
      : [...ownModules(input.settings), ...ldapModule(input.settings)],
  };
}

/** Modules that every process has. */
const ownModules = (settings: Settings): Yaml[] => [
  { module: pythonName(SHARED_FILES.only, "OnlyOne"), config: {} },
  { module: pythonName(SHARED_FILES.sessions, "FreshSessions"), config: {} },
  ...(settings.appservices.length > 0
    ? [{ module: pythonName(SHARED_FILES.appservices, "AppserviceQueue"), config: {} }]
    : []),
];

/** The shared configuration as YAML. */
export const renderHomeserverYaml = (input: HomeserverInput): string => yamlText(homeserverConfig(input));

/**
 * What Synapse takes only inline though it is secret: the SMTP password, and the pepper; and the module that asks an
 * LDAP directory with a password, with those before it, since a file that is read later replaces the whole list. The
 * file is a Secret; its name, `email.yaml`, is that of its first content. Undefined where there is none of them.
 */
export function renderSecretYaml(settings: Settings): string | undefined {
  const sections = {
    ...(settings.emailSmtp ? emailSection(settings, settings.emailSmtp) : {}),
    ...(settings.passwords.pepper === undefined ? {} : passwordSection(settings)),
    ...(ldapIsSecret(settings) ? { modules: [...ownModules(settings), ...ldapModule(settings)] } : {}),
  };
  return Object.keys(sections).length > 0 ? yamlText(sections) : undefined;
}

/**
 * Synapse's options for each kind of TLS (synapse/handlers/send_email.py). A certificate that is offered is checked in
 * each: there is no option that accepts any.
 */
const SMTP_OPTIONS: Record<SmtpTls, Yaml> = {
  required: { require_transport_security: true },
  implicit: { force_tls: true },
  opportunistic: { require_transport_security: false },
  off: { require_transport_security: false, enable_tls: false },
};

/**
 * A sender with a name of its own keeps it: Synapse refuses brackets within brackets. It puts the brand in place of
 * %(app)s, as Python formats texts, so any other % is doubled.
 */
function senderOf(from: string): string {
  const literal = from.replace(/%(?!\(app\)s)/g, "%%");
  return literal.includes("<") ? literal : `%(app)s <${literal}>`;
}

function emailSection(settings: Settings, e: NonNullable<Settings["emailSmtp"]>): Yaml {
  return {
    email: {
      smtp_host: e.host,
      smtp_port: e.port,
      ...(e.user !== undefined ? { smtp_user: e.user } : {}),
      ...(e.password !== undefined ? { smtp_pass: e.password } : {}),
      ...SMTP_OPTIONS[smtpTls(e)],
      ...(e.tlsName === undefined ? {} : { tlsname: e.tlsName }),
      notif_from: senderOf(e.from),
      app_name: settings.web.elementWeb.brand,
      enable_notifs: true,
      notif_for_new_users: true,
      ...(settings.web.elementWeb.enabled ? { client_base_url: `https://${settings.hostnames.web}/` } : {}),
    },
  };
}
