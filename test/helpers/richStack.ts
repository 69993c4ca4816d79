/** A stack in which every setting has something to act on, and the company in which a setting matters. */
import { exampleConfig } from "../../cli/exampleStack";
import { exampleHostKey, SECRET_PLACEHOLDER } from "../../components/settings";
import { WITHOUT_OPERATORS } from "../../lab/common/tiers";
import { peers } from "./dataCentres";
import { certificate, EMAIL, OIDC, S3 } from "./example";

export type Config = Record<string, any>;

const NAMES = ["example.org", "*.example.org"];
const GIVEN = certificate(NAMES, "2020-01-01", "2120-01-01");

/**
 * Small, so that it is rendered in a moment: no operators, no monitoring, hosts that are prepared already.
 *
 * @param options Which option of a section, by its path: `{ tls: "acme" }`
 */
export async function rich(options: Record<string, string> = {}, ccu = 100): Promise<Config> {
  const config: Config = structuredClone({ ...exampleConfig(ccu), ...WITHOUT_OPERATORS });
  const tls: Record<string, Config> = {
    "own-ca": { mode: "own-ca" },
    acme: { mode: "acme", email: "admin@example.org" },
    given: { mode: "given", ...(await GIVEN) },
    issuer: { mode: "issuer", clusterIssuer: "letsencrypt" },
  };
  // The first host has everything of its own, the last takes all it can from the sections for all hosts.
  const { hosts } = config;
  const bastion = { host: "192.0.2.1", hostKey: exampleHostKey("bastion") };
  Object.assign(hosts[0], {
    disks: [{ id: "/dev/disk/by-id/wwn-1", use: "local", sizeGiB: 100 }],
    ssh: { user: "debian", port: 2222, hostKey: exampleHostKey("first"), bastion },
  });
  const { zone: _zone, ssh: _ssh, cpu, memoryGiB, ...last } = hosts.at(-1);
  hosts.splice(-1, 1, { ...last, hostKey: exampleHostKey("last") });
  return {
    ...config,
    hostDefaults: { cpu, memoryGiB },
    ssh: { port: 2223, bastion },
    prepareHosts: false,
    web: {
      elementWeb: { config: { default_theme: "dark" } },
      wellKnown: { client: { "org.example.a": 1 }, server: { "org.example.b": 2 } },
    },
    hostAliases: [{ address: "192.0.2.90", names: ["sso.example.net"] }],
    tls: tls[options.tls ?? "own-ca"],
    objectStore: options.objectStore === "s3" ? { ...S3 } : { kind: "minio" },
    backups: {
      target: options["backups.target"] === "s3" ? { ...S3, bucket: "backups" } : { kind: "object-store" },
      archiveName: "synapse-postgres-2",
      acceptNoOffsite: true,
    },
    federation: { enabled: true },
    registration: { enabled: true, requireEmail: true, captcha: { siteKey: "site-key", secretKey: "captcha-key" } },
    sso: {
      oidc: [{ ...OIDC }],
    },
    ldap: {
      uris: ["ldap://192.0.2.85"],
      base: "ou=people,dc=corp,dc=example",
      bindDn: "cn=matrix,dc=corp,dc=example",
      bindPassword: "ldap-password",
      filter: "(objectClass=person)",
      activeDirectory: true,
      defaultDomain: "corp.example",
    },
    rooms: {
      publicationRules: [{ action: "allow" }],
      aliasRules: [{ action: "allow" }],
      // Not with terms, which some situations add.
      autoJoin: { aliases: ["#welcome:example.org"], inviter: "admin", create: false },
    },
    media: { urlPreviews: true, localRetentionDays: 400 },
    retention: { maxLifetimeDays: 365 },
    emailSmtp: { ...EMAIL },
    synapse: {
      extra: { enable_search: false },
      modules: [{ module: "my_module.Checker", config: { strict: true }, workers: ["main"] }],
      connections: [{ host: "192.0.2.80", port: 8080 }],
    },
    appservices: [
      {
        id: "irc",
        pods: { namespace: "bridges", labels: { app: "irc" }, port: 9898, service: "irc" },
        senderLocalpart: "ircbot",
        namespaces: {
          users: [{ regex: "@irc_.*:example\\.org" }],
          aliases: [{ regex: "#irc_.*:example\\.org" }],
          rooms: [{ regex: "!irc.*", exclusive: false }],
        },
        receiveEphemeral: true,
      },
    ],
    turn: { minPort: 49_200, maxPort: 54_000 },
    rtc: { udpPortMin: 55_100, udpPortMax: 59_000 },
    oldSigningKeys: [
      {
        id: "ed25519:a_old",
        key: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        expiredAt: "2026-01-01T00:00:00Z",
      },
    ],
    monitoring: { enabled: false, alertWebhook: "https://alerts.example.org/hook" },
  };
}

type Situation = (config: Config) => Config;
const within =
  (section: string, more: Config): Situation =>
  (c) => ({ ...c, [section]: { ...c[section], ...more } });

/** The one appservice with other fields; undefined leaves one out. */
const appservice =
  (more: Config): Situation =>
  (c) => ({ ...c, appservices: [{ ...c.appservices[0], ...more }] });
const WHOLE = {
  senderLocalpart: undefined,
  namespaces: undefined,
  receiveEphemeral: undefined,
};

/** The one that founded and serves, of two. The other comes first: what is changed in a list is its first member. */
const amongCentres: Situation = (c) => {
  const [dc1, dc2] = peers();
  return {
    ...c,
    backups: {},
    trustedAuthorities: SECRET_PLACEHOLDER,
    cluster: { ...c.cluster, install: { ...c.cluster?.install, certManager: true, barmanPlugin: true } },
    dataCentre: { self: "dc1", foundedBy: "dc1", primary: "dc1", acceptMediaLoss: true, peers: [dc2, dc1] },
  };
};

const prepared: Situation = (c) => ({ ...c, prepareHosts: true });
const watched = within("monitoring", { enabled: true });
/** With its operators; an issuer that exists has a cert-manager of its own. */
const operated: Situation = (c) => ({
  ...c,
  cluster: { ...c.cluster, install: c.tls.mode === "issuer" ? { certManager: false } : {} },
});
const alone: Situation = (c) => c;

/** By the name of a setting: the company in which it matters, where it does not in the small stack alone. */
const COMPANY: Array<[name: RegExp, situation: Situation]> = [
  [/^dataCentre\.|^importSecrets\.replicationPassword/, amongCentres],
  [/^(hosts|hostDefaults|ssh|firewall|prepareHosts)\b/, prepared],
  // Hosts with room for more than the least.
  [/^overrides\.((postgres|redis)\.instances|turn|rtc|web)/, (c) => ({ ...c, hosts: exampleConfig(20_000).hosts })],
  [/^monitoring\.existing\b/, within("monitoring", { enabled: true, prometheus: "existing" })],
  [/^(overrides\.)?monitoring\b/, watched],
  // The growth of media is in an alert.
  [/^activity\./, watched],
  [/^cluster\.install\.(?!ingressController)/, (c) => watched(operated(c))],
  [
    /^cluster\.ipFamilies/,
    within("cluster", {
      podCidrs: ["10.244.0.0/16", "fd00:1::/56"],
      serviceCidrs: ["10.96.0.0/12", "fd00:2::/112"],
    }),
  ],
  [/^(domain|serverName)$/, appservice({ namespaces: undefined })],
  [
    /^ldap\.mode/,
    within("ldap", {
      bindDn: undefined,
      bindPassword: undefined,
      filter: undefined,
      activeDirectory: undefined,
      defaultDomain: undefined,
    }),
  ],
  [/^ldap\.activeDirectory/, within("ldap", { defaultDomain: undefined })],
  [/^registration\.enabled/, within("registration", { captcha: undefined, requireEmail: true })],
  [/^appservices\[\]\.url/, appservice({ pods: undefined, url: "https://bridge.example.net" })],
  [/^appservices\[\]\.registration$/, appservice({ ...WHOLE, registration: "[encrypted by pulumi]" })],
  [/^appservices\[\]\.registrationSecret/, appservice({ ...WHOLE, registrationSecret: { name: "irc" } })],
  [/privateAuthority$/, (c) => ({ ...c, trustedAuthorities: "[encrypted by pulumi]" })],
  [/^ingress\.proxyProtocol/, within("ingress", { trustedProxies: ["10.9.0.0/16"] })],
  [/^cluster\.ingressNamespace/, within("cluster", { install: { ingressController: false } })],
  [
    /^database\.importFrom\./,
    within("database", {
      importFrom: { host: "old.example.org", majorVersion: 16, password: "[encrypted by pulumi]" },
    }),
  ],
  [
    /^tls\(acme\)\.dns01\./,
    (c) => ({
      ...operated(c),
      tls: {
        ...c.tls,
        dns01: {
          solver: { digitalocean: { tokenSecretRef: { name: "matrix-ha-acme-dns01", key: "api-token" } } },
          credentials: { "api-token": "[encrypted by pulumi]" },
        },
      },
    }),
  ],
  // Logins by LDAP are logins with a password.
  [/^sso\.passwordLogin$/, ({ ldap: _, ...c }) => c],
  [
    /^terms\./,
    (c) => ({
      ...c,
      serverNotices: {},
      terms: {
        version: "1",
        page: "<p>Be kind.</p>",
        notice: "Read %(consent_uri)s",
        refuseWithout: "See %(consent_uri)s",
      },
    }),
  ],
  [
    /^httpProxy\./,
    (c) => ({
      ...c,
      httpProxy: {
        url: "http://192.0.2.91:3128",
        user: "matrix",
        password: "[encrypted by pulumi]",
        noProxy: ["sso.example.net"],
      },
    }),
  ],
  [/^backups\.restore\./, within("backups", { restore: { from: "synapse-postgres" } })],
  [/^registration\.requireEmail/, within("registration", { requireToken: true })],
  [/^rooms\.autoJoin\.guests/, within("registration", { allowGuests: true })],
  [/^savedKeys/, (c) => ({ ...c, deletionProtection: false })],
  [
    /^storage\./,
    (c) => ({
      ...c,
      storage: { database: { name: "fast" }, objectStore: { name: "large" }, general: { name: "usual" } },
    }),
  ],
];

export const situationOf = (name: string): Situation => COMPANY.find(([pattern]) => pattern.test(name))?.[1] ?? alone;
export const EVERYTHING_ON: Situation = (c) => watched(operated(prepared(c)));

/** An authority of the operator's own, whose key and certificate the settings want together. */
export async function withAuthority(config: Config): Promise<Config> {
  const { certificate: caCertificate, privateKey: caPrivateKey } = await certificate(
    ["ca"],
    "2020-01-01",
    "2120-01-01",
    true,
  );
  return { ...config, importSecrets: { caCertificate, caPrivateKey } };
}
