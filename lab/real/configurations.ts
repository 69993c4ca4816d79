/** The stacks that the real programs read: every size, and every option that changes a configuration. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { MockResourceArgs } from "@pulumi/pulumi/runtime";
import { evaluate } from "../../cli/evaluate";
import { deterministic } from "../../cli/generated";
import { RATE_LIMITS } from "../../components/layers/synapse/settings/rateLimits";
import { resolveSettings } from "../../components/settings";
import { plan } from "../../components/plan";
import { subjectOf } from "../../policy";
import type { Subject } from "../../policy/types";
import { SIZES, tier } from "../common/tiers";
import { countOnce } from "./counts";

export interface Configuration {
  name: string;
  config: Record<string, unknown>;
}

const SSO = {
  oidc: [
    {
      id: "kc",
      name: "Keycloak",
      issuer: "https://id.example.org/realms/x",
      clientId: "synapse",
      clientSecret: "oidc-client-secret",
    },
  ],
  passwordLogin: false,
};
const SMTP = {
  host: "smtp.example.org",
  port: 587,
  user: "mailer",
  password: "smtp-password-value",
  from: "Matrix <noreply@example.org>",
};

let pair: { certificate: string; privateKey: string } | undefined;
/** One real certificate and key, for every name of the example stack. */
export function certificate(): { certificate: string; privateKey: string } {
  if (pair) return pair;
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "cert-"));
  const names = ["example.org", "*.example.org"].map((n) => `DNS:${n}`).join(",");
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "365",
      "-subj",
      "/CN=example.org",
      "-addext",
      `subjectAltName=${names}`,
      "-keyout",
      `${dir}/key.pem`,
      "-out",
      `${dir}/cert.pem`,
    ],
    { stdio: "ignore" },
  );
  pair = {
    certificate: fs.readFileSync(`${dir}/cert.pem`, "utf8"),
    privateKey: fs.readFileSync(`${dir}/key.pem`, "utf8"),
  };
  fs.rmSync(dir, { recursive: true });
  return pair;
}

const option = (
  name: string,
  more: Record<string, unknown>,
  options: { federation?: boolean; s3?: boolean } = {},
): Configuration => ({ name: `1000 CCU, ${name}`, config: tier(1000, { ...options, more }).config });

/** A public key of RFC 8032 (7.1, test 1). */
const OLD_KEYS = [
  { id: "ed25519:a_old", key: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo", expiredAt: "2026-01-01T00:00:00Z" },
];

/** What users may do, and where the homeserver connects to: every setting with another value than its default. */
const PEOPLE = {
  passwords: {
    pepper: "pepper-value",
    minimumLength: 12,
    requireDigit: true,
    requireSymbol: true,
    requireLowercase: true,
    requireUppercase: true,
  },
  userDirectory: { searchAllUsers: true, preferLocalUsers: false, excludeRemoteUsers: true, showLockedUsers: true },
  rooms: {
    publicationRules: [{ action: "allow", user: "@*:example.org", alias: "#team-*", room: "*" }],
    aliasRules: [{ action: "deny", alias: "#staff*" }, { action: "allow" }],
    aliasesByMembersOnly: false,
    listWithoutLogin: true,
    encryption: "private",
    autoJoin: {
      aliases: ["#welcome:example.org"],
      preset: "private_chat",
      inviter: "admin",
      federated: false,
      guests: false,
    },
  },
  rateLimits: {
    ...Object.fromEntries(RATE_LIMITS.map((limit) => [limit, { perSecond: 7, burst: 70 }])),
    federation: { windowMs: 500, sleepLimit: 20, sleepMs: 250, rejectLimit: 100, concurrent: 6 },
  },
  outgoing: {
    allowedNetworks: ["10.77.0.0/16"],
    blockedNetworks: ["8.8.8.0/24"],
    previewAllowedNetworks: ["10.78.0.0/16", "fd00:78::/64"],
    previewBlockedNetworks: ["8.8.4.0/24"],
  },
  media: { urlPreviews: true },
};

/** Everything that is off by default, at once. */
const ALL = {
  presence: { enabled: true },
  sso: { ...SSO, passwordLogin: true },
  emailSmtp: SMTP,
  registration: { enabled: true, requireEmail: true, allowGuests: true },
  retention: { maxLifetimeDays: 365 },
  media: { urlPreviews: true, localRetentionDays: 400 },
  oldSigningKeys: OLD_KEYS,
};

export const CONFIGURATIONS: Configuration[] = [
  ...SIZES.map((n) => tier(n)),
  ...SIZES.map((n): Configuration => ({
    name: `${n} CCU, federation, external S3 and every option`,
    config: tier(n, { federation: true, s3: true, more: ALL }).config,
  })),
  option("federation with listed servers only", {
    federation: { enabled: true, domainAllowList: ["partner.example"] },
  }),
  option("external S3", {}, { s3: true }),
  option("presence on", { presence: { enabled: true } }),
  option("presence off", { presence: { enabled: false } }),
  option("SSO only", { sso: SSO }),
  option("guests", { registration: { allowGuests: true } }),
  option("registration by e-mail", { registration: { enabled: true, requireEmail: true }, emailSmtp: SMTP }),
  option("registration by token", { registration: { enabled: true, requireToken: true } }),
  option("all that users may do", {
    ...PEOPLE,
    registration: { enabled: true, requireToken: true, allowGuests: true },
  }),
  option("a captcha, notices, retention by room", {
    registration: { enabled: true, captcha: { siteKey: "site-key", secretKey: "captcha-key" } },
    serverNotices: { roomTopic: "What the administrators say" },
    retention: { roomMinDays: 7, roomMaxDays: 365 },
  }),
  option("rooms of other servers", {
    federation: { enabled: true },
    rooms: { listOverFederation: true, encryption: "all", limitRemote: { complexity: 2, adminsCanJoin: true } },
  }),
  ...(["required", "implicit", "opportunistic", "off"] as const).map((tls) =>
    option(`e-mail, TLS ${tls}`, {
      emailSmtp: { ...SMTP, port: 2525, tls, ...(tls === "off" ? {} : { tlsName: "relay.example.org" }) },
    }),
  ),
  option("certificates by ACME", { tls: { mode: "acme", email: "ops@example.org" } }),
  option("a given certificate", { tls: { mode: "given", ...certificate() } }),
  option("no monitoring", { monitoring: { enabled: false } }),
  option("a Prometheus that exists", { monitoring: { prometheus: "existing", selectorLabels: { release: "prom" } } }),
  option("no calls", { turn: { enabled: false }, rtc: { enabled: false } }),
];

/** Deterministic as elsewhere, but certificates and keys are real: programs read them. */
function generator(r: MockResourceArgs): Record<string, any> {
  if (r.type === "tls:index/privateKey:PrivateKey")
    return { privateKeyPem: certificate().privateKey, publicKeyPem: "" };
  if (/^tls:index\/(selfSigned|locallySigned)Cert:/.test(r.type)) return { certPem: certificate().certificate };
  return deterministic(r);
}

const done = new Map<string, Promise<Subject>>();
export function subjectFor(c: Configuration): Promise<Subject> {
  countOnce("configurations of the stack", c.name);
  const known = done.get(c.name);
  if (known) return known;
  const fresh = (async () => {
    const { settings, errors } = resolveSettings(c.config, "test");
    if (!settings) throw new Error(`${c.name}: ${JSON.stringify(errors, null, 1)}`);
    return subjectOf(await evaluate({ stack: "test", config: c.config, generator }), settings, plan(settings));
  })();
  done.set(c.name, fresh);
  return fresh;
}
export const domain = (s: Subject): string => s.settings.cluster.domain;
export const byName = (name: string): Configuration => CONFIGURATIONS.find((c) => c.name === name)!;
export const SIZE_CONFIGURATIONS = CONFIGURATIONS.slice(0, SIZES.length);
