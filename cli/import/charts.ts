/** The Helm charts for Synapse that are in wide use. Pure. */
import type { Chart } from "./chart";
import { isPlainObject } from "../../components/schema/walk";

const PODS = "pods, their sizes and their placement follow from `ccu` and `hosts`";
const INGRESS = "the stack's own entrance (settings hostnames, ingress, tls)";
const WORKERS = "the plan decides which processes there are and what each of them does";
const REDIS = "Redis with Sentinel; nothing is kept in the old one";
const MEDIA = "media are in an object store: docs/move-in.md copies them";
const IMAGES = "the stack has images of its own (settings images)";
const OWN_DATABASE = "PostgreSQL by CloudNativePG";

const MAS =
  "logins are at the Matrix Authentication Service, which this stack does not run: it has to be reachable for the moved server, or its accounts go back to Synapse first";

/** ananace's chart matrix-synapse. */
export const ANANACE: Chart = {
  name: "matrix-synapse",
  is: (values) => isPlainObject(values.config) || isPlainObject(values.extraConfig) || isPlainObject(values.signingkey),
  options: [
    ["serverName", "server_name"],
    ["publicServerName", "public_baseurl", (host) => `https://${String(host)}/`],
    ["config.publicBaseurl", "public_baseurl"],
    ["config.reportStats", "report_stats"],
    ["config.turnUris", "turn_uris"],
    ["config.turnSecret", "turn_shared_secret"],
    ["config.enableRegistration", "enable_registration"],
    ["config.registrationSharedSecret", "registration_shared_secret"],
    ["config.macaroonSecretKey", "macaroon_secret_key"],
    ["config.trustedKeyServers", "trusted_key_servers"],
    ["config.recaptcha.publicKey", "recaptcha_public_key"],
    ["config.recaptcha.privateKey", "recaptcha_private_key"],
    ["externalPostgresql.host", "database.args.host"],
    ["externalPostgresql.port", "database.args.port"],
    ["externalPostgresql.username", "database.args.user"],
    ["externalPostgresql.password", "database.args.password"],
    ["externalPostgresql.database", "database.args.database"],
    ["externalPostgresql.sslmode", "database.args.sslmode"],
    ["extraConfig", ""],
    ["extraSecrets", ""],
  ],
  inSecrets: [
    [/^signingkey\.existingSecret$/, "importSecrets.signingKey"],
    [/^externalPostgresql\.existingSecret$/, "database.importFrom.password"],
  ],
  others: [
    [
      /^(signingkey|externalPostgresql)\.existingSecret\w*Key$/,
      "replaced",
      "it is the key of the Secret that existingSecret names",
    ],
    [/^signingkey(\.|$)/, "replaced", "importSecrets.signingKey has the key that the chart's job made"],
    [/^externalPostgresql\.extraArgs/, "replaced", "pools and time limits of connections are the plan's"],
    [
      /^postgresql\.auth\./,
      "decision",
      "the chart's own PostgreSQL: make it reachable for the new cluster, and give database.importFrom",
    ],
    [/^postgresql(\.|$)/, "replaced", OWN_DATABASE],
    [/^(redis|externalRedis)(\.|$)/, "replaced", REDIS],
    [/^workers(\.|$)/, "replaced", WORKERS],
    [
      /^(synapse|serviceAccount|service|volumePermissions|nameOverride|fullnameOverride|argoCD)(\.|$)/,
      "replaced",
      PODS,
    ],
    [/^(ingress|gateway|wellknown)(\.|$)/, "replaced", INGRESS],
    [/^(image)(\.|$)/, "replaced", IMAGES],
    [/^persistence(\.|$)/, "replaced", MEDIA],
    [
      /^(config\.(logLevel|bindAddresses|extraListeners|extraMainListenerTypes|useStructuredLogging)|extraLoggers)(\.|$)/,
      "replaced",
      "the processes run in containers, and log to their output",
    ],
  ],
};

/** Element's chart matrix-stack. */
export const ESS: Chart = {
  name: "matrix-stack",
  is: (values) => isPlainObject(values.synapse) && values.config === undefined && values.extraConfig === undefined,
  options: [
    ["serverName", "server_name"],
    ["synapse.ingress.host", "public_baseurl", (host) => `https://${String(host)}/`],
    ["elementWeb.ingress.host", "web_client_location", (host) => `https://${String(host)}/`],
    ["synapse.postgres.host", "database.args.host"],
    ["synapse.postgres.port", "database.args.port"],
    ["synapse.postgres.user", "database.args.user"],
    ["synapse.postgres.database", "database.args.dbname"],
    ["synapse.postgres.sslMode", "database.args.sslmode"],
    ["synapse.postgres.password.value", "database.args.password"],
    ["synapse.media.maxUploadSize", "max_upload_size"],
    ["synapse.signingKey.value", "signing_key"],
    ["synapse.macaroon.value", "macaroon_secret_key"],
    ["synapse.registrationSharedSecret.value", "registration_shared_secret"],
  ],
  settings: [
    ["elementAdmin.ingress.host", "hostnames.admin"],
    ["matrixRTC.ingress.host", "hostnames.rtc"],
    ["matrixRTC.enabled", "rtc.enabled"],
    ["elementWeb.enabled", "web.elementWeb.enabled"],
    ["elementAdmin.enabled", "web.admin.enabled"],
  ],
  byDefault: [["matrixAuthenticationService", MAS]],
  texts: /^synapse\.additional[.[].+\.config$/,
  inSecrets: [
    [/^synapse\.signingKey\.secret$/, "importSecrets.signingKey"],
    [/^synapse\.macaroon\.secret$/, "importSecrets.macaroonSecretKey"],
    [/^synapse\.registrationSharedSecret\.secret$/, "importSecrets.registrationSharedSecret"],
    [/^synapse\.postgres\.password\.secret$/, "database.importFrom.password"],
  ],
  others: [
    [/^synapse\..*\.secretKey$/, "replaced", "it is the key of the Secret beside it"],
    [
      /^synapse\.additional\./,
      "decision",
      "the text is in a Secret of Kubernetes: give it as a file with --homeserver",
    ],
    [
      /^synapse\.appservices/,
      "decision",
      "the registrations are in Secrets or ConfigMaps of Kubernetes: write each to a file and give it with --registration",
    ],
    [/^synapse\.media\./, "replaced", MEDIA],
    [/^synapse\.redis(\.|$)/, "replaced", REDIS],
    [/^synapse\.workers(\.|$)/, "replaced", WORKERS],
    [/^synapse\.ingress(\.|$)/, "replaced", INGRESS],
    [/^synapse\.logging(\.|$)/, "replaced", "the processes log to their output (overrides.synapse.logLevel)"],
    [/^synapse\.enabled$/, "replaced", "the stack is the homeserver"],
    [
      /^synapse\.(image|extra\w+|checkConfigHook|replicas|labels|resources|\w*[sS]ecurityContext|hostAliases|nodeSelector|affinity|tolerations|topologySpreadConstraints|serviceAccount|serviceMonitors|\w+Probe|priorityClassName|schedulerName|runtimeClassName)(\.|$)/,
      "replaced",
      PODS,
    ],
    [/^matrixAuthenticationService(\.|$)/, "decision", MAS],
    [/^hookshot(\.|$)/, "decision", "a bridge: run it beside the stack, and give its registration with --registration"],
    [
      /^postgres(\.|$)/,
      "decision",
      "the chart's own PostgreSQL: make it reachable for the new cluster, and give database.importFrom",
    ],
    [/^redis(\.|$)/, "replaced", REDIS],
    [/^(ingress|wellKnownDelegation|certManager|haproxy)(\.|$)/, "replaced", INGRESS],
    [
      /^(elementWeb|elementAdmin|matrixRTC)\.additional/,
      "decision",
      "see which settings of `web` and `rtc` say the same",
    ],
    [/^(elementWeb|elementAdmin|matrixRTC)\./, "replaced", "the stack brings its own"],
    [/^(image|matrixTools)(\.|$)/, "replaced", IMAGES],
    [
      /^(labels|storage|tolerations|topologySpreadConstraints|priorityClassName|schedulerName|runtimeClassName|affinity|clusterDomain|networking|initSecrets|deploymentMarkers)(\.|$)/,
      "replaced",
      PODS,
    ],
  ],
};

export const CHARTS: readonly Chart[] = [ESS, ANANACE];
