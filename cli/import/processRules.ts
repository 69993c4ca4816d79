/** Processes, database, modules, and what Synapse has given up. Pure. */
import { isPlainObject } from "../../components/schema/walk";
import type { Path } from "./finding";
import { isLdap, ldapOutcome } from "./ldapRules";
import {
  asIs,
  But,
  decide,
  dropped,
  each,
  replace,
  replaced,
  replacedRest,
  take,
  takeSecret,
  Not,
  drop,
  missingFile,
  placeOf,
  secretText,
  undecided,
  type Converter,
  type Facts,
  type Rule,
} from "./rules";
import { reachableHost } from "./values";

const CONTAINER = "the processes run in containers, and log to their output";
const PLAN = "the plan decides which processes there are and what each of them does";
const PORTS = "the router, the Services and the network policies know the ports";
const CACHES = "the plan sizes the caches (overrides.synapse changes it)";

/** Only where the database is PostgreSQL: a file of SQLite cannot be read over the network. */
const ofPostgres =
  (convert: Converter): Converter =>
  (value, facts, at) =>
    facts.get("database.name") === "psycopg2"
      ? convert(value, facts, at)
      : replace("there is PostgreSQL instead of SQLite");

const FIELD = String.raw`((?:\\.|[^:\\])*)`;
const PGPASS_LINE = new RegExp(`^${[FIELD, FIELD, FIELD, FIELD, "(.*)"].join(":")}$`);

/**
 * Host, port, database, user and password of a line of a password file, with \: and \\ for : and \ (PostgreSQL, libpq,
 * "The Password File"). The password is the rest of the line: in it, a : need not be escaped.
 */
const fieldsOf = (line: string): string[] =>
  (PGPASS_LINE.exec(line) ?? []).slice(1).map((field) => field.replace(/\\(.)/g, "$1"));

/** The first line that fits the connection counts. */
const fromPassfile: Converter = (value, facts, at) => {
  const setting = "database.importFrom.password";
  if (facts.get("database.args.password") !== undefined) return drop("database.args.password counts");
  const text = facts.file(String(value));
  if (text === undefined) return missingFile(placeOf(setting, at));
  const of = (arg: string): unknown => facts.get(`database.args.${arg}`);
  const host = String(of("host") ?? "localhost");
  const wanted = [
    host.startsWith("/") ? "localhost" : host,
    String(of("port") ?? 5432),
    String(of("dbname") ?? of("database") ?? of("user")),
    String(of("user")),
  ];
  const line = text
    .split(/\r?\n/)
    .filter((l) => l.trim() !== "" && !l.startsWith("#"))
    .map(fieldsOf)
    .find((fields) => wanted.every((part, i) => fields[i] === "*" || fields[i] === part));
  return line
    ? secretText(line[4])
    : new Not(
        "decision",
        `no line of the password file fits the connection: put the password into secrets/${setting} before you run secrets.sh`,
        setting,
      );
};

const DATABASE: Rule[] = [
  {
    option: "database.name",
    decide: (value) =>
      value === "psycopg2"
        ? { list: "replaced", why: "PostgreSQL by CloudNativePG; database.importFrom reads the old one once" }
        : {
            list: "decision",
            why: "SQLite cannot be moved: run Synapse's synapse_port_db on the old server, let it run with PostgreSQL, and import again (docs/move-in.md)",
          },
  },
  undecided(
    "database_path",
    "SQLite cannot be moved: run Synapse's synapse_port_db on the old server (docs/move-in.md)",
  ),
  undecided("databases", "the data are in several databases: bring them together on the old server first"),
  take("database.args.host", "database.importFrom.host", ofPostgres(reachableHost)),
  take(
    "database.args.port",
    "database.importFrom.port",
    ofPostgres((v) => Number(v)),
  ),
  take("database.args.user", "database.importFrom.user", ofPostgres(asIs)),
  takeSecret("database.args.password", "database.importFrom.password", ofPostgres(secretText)),
  takeSecret("database.args.passfile", "database.importFrom.password", ofPostgres(fromPassfile)),
  take("database.args.dbname", "database.importFrom.database", ofPostgres(asIs)),
  take("database.args.database", "database.importFrom.database", ofPostgres(asIs)),
  take(
    "database.args.sslmode",
    "database.importFrom.sslMode",
    ofPostgres((v) =>
      ["disable", "require"].includes(String(v))
        ? v
        : ["allow", "prefer"].includes(String(v))
          ? new But("require", "`disable` where the old server has no TLS")
          : decide(
              "the import does not check the certificate: `require` encrypts only. Is the network between the two trusted?",
            ),
    ),
  ),
  ...each(
    undecided,
    "database.args.sslrootcert database.args.sslcert database.args.sslkey",
    "the import checks no certificate and shows none",
  ),
  replacedRest("database.args", "pools and time limits of connections are the plan's"),
  dropped(
    "database.allow_unsafe_locale",
    "the new database has the locale C; the import reads and writes each row, so its indexes are built anew",
  ),
  replaced("database.txn_limit", "connections go through PgBouncer"),
];

const PROCESSES: Rule[] = [
  ...each(
    replaced,
    "pid_file daemonize print_pidfile log_config log_file no_redirect_stdio verbose soft_file_limit gc_thresholds gc_min_interval worker_pid_file worker_daemonize worker_log_config",
    CONTAINER,
  ),
  ...each(
    replaced,
    "listeners worker_listeners bind_port bind_host unsecure_port metrics_port metrics_bind_host",
    PORTS,
  ),
  ...each(
    replaced,
    "instance_map stream_writers pusher_instances start_pushers federation_sender_instances outbound_federation_restricted_to run_background_tasks_on notify_appservices_from_worker notify_appservices update_user_directory update_user_directory_from_worker media_instance_running_background_jobs worker_app worker_name worker_replication_host worker_replication_port worker_replication_http_port worker_replication_http_tls worker_main_http_uri worker_manhole",
    PLAN,
  ),
  ...each(
    replaced,
    "worker_replication_secret worker_replication_secret_path",
    "the processes get a new secret: none of the old ones goes on",
  ),
  replaced("redis", "Redis with Sentinel; nothing is kept in the old one"),
  ...each(
    replaced,
    "event_cache_size caches.global_factor caches.event_cache_size caches.per_cache_factors caches.cache_autotuning caches.expiry_time caches.track_memory_usage cache_factor",
    CACHES,
  ),
  ...each(
    replaced,
    "no_tls tls_certificate_path tls_private_key_path",
    "TLS ends at the ingress (settings tls; `mode: given` takes this certificate along)",
  ),
  ...each(replaced, "enable_metrics metrics_flags", "the monitoring of the stack reads every process"),
  ...each(replaced, "report_stats report_stats_endpoint", "no process reports to matrix.org"),
  ...each(dropped, "manhole manhole_settings", "a shell inside the process, without encryption: there is none"),
];

/** Where Synapse does today what a module was for. */
const BUILT_IN: Record<string, string> = {
  "synapse_auto_accept_invite.InviteAutoAccepter": "synapse.extra.auto_accept_invites",
};
const module = (value: unknown): string => (isPlainObject(value) ? String(value.module) : "");

/** The entry of `modules` that a rule's option is of. */
const entryAt = (facts: Facts, at: Path): unknown => (facts.get("modules") as unknown[] | undefined)?.[Number(at[1])];
const LDAP = "it is what ldap is made of, and the image of the stack has it";

const MODULES: Rule[] = [
  {
    option: "ldap_config",
    decide: (value, facts) =>
      isPlainObject(value) && value.enabled === true
        ? ldapOutcome(value, facts)
        : { list: "dropped", why: "it is off" },
  },
  {
    option: "modules[].module",
    decide: (value, facts, at) => {
      if (isLdap(entryAt(facts, at))) return { list: "replaced", why: LDAP };
      const builtIn = BUILT_IN[String(value)];
      return {
        list: "decision",
        why: builtIn
          ? `Synapse does this itself now: write ${builtIn} instead`
          : `the image of the stack has not the package of ${String(value)}: add it to synapse.modules, with its packages`,
      };
    },
  },
  {
    option: "modules[].config",
    decide: (value, facts, at) =>
      isLdap(entryAt(facts, at))
        ? ldapOutcome(value, facts)
        : {
            list: "decision",
            why: "it goes with its module into synapse.modules; values that are secret with `pulumi config set --secret`",
          },
  },
  {
    option: "password_providers[]",
    decide: (value, facts) =>
      isLdap(value)
        ? ldapOutcome((value as { config?: unknown }).config, facts)
        : {
            list: "decision",
            why: `the image of the stack has not the package of ${module(value)}, and this list is the former form: add it to synapse.modules, with its packages`,
          },
  },
  ...each(
    undecided,
    "spam_checker third_party_event_rules",
    "a module in the former form: add it to synapse.modules, with its packages",
  ),
];

/** Options that the code of Synapse names no more. */
export const GONE =
  "acme tls_fingerprints web_client enable_group_creation group_creation_prefix expire_access_token trusted_third_party_id_servers enable_legacy_metrics start_pushers_from_main tls_dh_params_path account_validity.renew_by_email_enabled email.trust_identity_server_for_password_resets verify_keys experimental_features.spaces_enabled experimental_features.msc2403_enabled experimental_features.groups_enabled";
const GIVEN_UP: Rule[] = [
  ...each(dropped, GONE, "Synapse no longer has it"),
  dropped(
    "trust_identity_server_for_password_resets",
    "Synapse no longer does it, and does not start where it is true",
  ),
];

export const PROCESS_RULES: Rule[] = [...DATABASE, ...PROCESSES, ...MODULES, ...GIVEN_UP];
