/** Settings of Synapse: what users may do, media, retention, and the sizes of its processes. Pure. */
import { z } from "zod";
import { WORKER_CLASSES } from "../../domain/workerClasses";
import { bool, decimal, field, httpsUrl, int, list, oneOf, secret, section, text, recordOf } from "../../schema/fields";
import { cpu, memoryMiB, replicas } from "../../schema/sizes";
import { isServerName } from "../../schema/syntax/text";
import { extraSettings } from "./extra/settings";
import type { SettingsInput } from "../../settings/schema";
import { appserviceSettings } from "./appservices/settings";
import { ldapSettings } from "./settings/ldap";
import { emailSettings } from "./settings/email";
import { noticeSettings } from "./settings/notices";
import { outgoingSettings } from "./settings/outgoing";
import { passwordSettings } from "./settings/passwords";
import { rateLimitSettings } from "./settings/rateLimits";
import { retentionSettings } from "./settings/retention";
import { roomSettings } from "./settings/rooms";
import { termsSettings } from "./settings/terms";

const oidcProvider = section(
  {
    id: text(
      {
        doc: "Short name in URLs. Users' accounts are linked to it, so never change it.",
        allowed: "lower-case letters, digits, '-' and '_'",
      },
      (v) => /^[a-z0-9][a-z0-9_-]{0,63}$/.test(v),
    ),
    name: text({ doc: "Name on the login button." }),
    issuer: httpsUrl({ doc: "Issuer; discovery reads <issuer>/.well-known/openid-configuration." }),
    clientId: text({ doc: "Client id at the provider." }),
    clientSecret: secret({ doc: "Client secret at the provider." }),
    scopes: list(text({ doc: "Scope." }), { doc: "Scopes to ask for; `openid` is among them." }).default([
      "openid",
      "profile",
      "email",
    ]),
    localpart: oneOf(["username", "email", "ask"], {
      doc: "Where a new user's name comes from (the part of the user id before the colon, which never changes afterwards): `username` is the claim preferred_username, or the e-mail address where there is none; `email` is the e-mail address; of an address it takes what stands before the @. `ask`: the user chooses it. If the name is taken, a number is added. Absent: `username`, unless there is a `localpartTemplate`.",
    }).optional(),
    localpartTemplate: text({
      doc: "Jinja template of a new user's name in place of `localpart`, with the claims in `user`. Characters that a user id cannot have are escaped: `{{ user.preferred_username }}` makes alice=40corp.example of alice@corp.example.",
    }).optional(),
    confirmLocalpart: bool({
      doc: "New users see the name first and may change it.",
    }).default(false),
    displayNameTemplate: text({
      doc: "Jinja template of a new user's display name.",
    }).default("{{ user.name }}"),
    emailTemplate: text({
      doc: "Jinja template of the e-mail address that a new account gets: `{{ user.email }}` where the provider has checked it. Absent: none.",
    }).optional(),
    subjectClaim: text({
      doc: "Claim by which the provider names a user for ever; accounts are linked to it, so never change it.",
    }).default("sub"),
    allowExistingUsers: bool({
      doc: "A first login takes over the account that has its name already. Only with a provider at which nobody can choose the name: whoever is named alice there is alice here.",
    }).default(false),
  },
  { doc: "An OpenID Connect provider. Callback: https://<hostnames.homeserver>/_synapse/client/oidc/callback." },
);

/** Sections of the stack's settings that belong to Synapse. */
export const synapseSettings = {
  ...extraSettings,
  federation: section(
    {
      enabled: bool({ doc: "Exchange messages with other homeservers." }).default(false),
      domainAllowList: list(text({ doc: "Server name.", allowed: "a server name" }, isServerName), {
        doc: "Federate only with these servers. Absent: with all.",
      }).optional(),
    },
    { doc: "Federation." },
  ).prefault({}),
  registration: section(
    {
      enabled: bool({ doc: "People may create accounts themselves. False: the administrator creates them." }).default(
        false,
      ),
      requireEmail: bool({ doc: "Registration requires a confirmed e-mail address. Needs `emailSmtp`." }).default(
        false,
      ),
      requireToken: bool({ doc: "Registration requires a token, which the administrator gives out." }).default(false),
      allowOpen: bool({
        doc: "Permit registration with neither e-mail nor token. Such servers are found and filled with spam accounts within days.",
      }).default(false),
      captcha: section(
        {
          siteKey: text({ doc: "Site key, which every client sees." }),
          secretKey: secret({ doc: "Secret key." }),
        },
        {
          doc: "Registration asks for a reCAPTCHA v2 of Google (checkbox). Whoever registers loads it from www.recaptcha.net. Absent: none.",
        },
      ).optional(),
      allowGuests: bool({ doc: "Guests without an account may read rooms that permit it." }).default(false),
    },
    { doc: "Registration." },
  ).prefault({}),
  presence: section(
    {
      enabled: field(z.boolean(), {
        doc: "Show who is online. Its cost grows with the square of the room sizes.",
        allowed: "true or false",
        example: false,
        defaultText: "true up to 5,000 ccu, false above",
      }).optional(),
    },
    { doc: "Presence." },
  ).prefault({}),
  ...passwordSettings,
  sso: section(
    {
      oidc: list(oidcProvider, { doc: "OpenID Connect providers." }).default([]),
      passwordLogin: bool({ doc: "Password login remains possible beside SSO." }).default(true),
    },
    { doc: "Single sign-on. Absent: passwords only." },
  ).optional(),
  ...ldapSettings,
  ...roomSettings,
  ...rateLimitSettings,
  ...outgoingSettings,
  media: section(
    {
      maxUploadMiB: int(1, 10_240, {
        doc: "Largest upload, MiB. The limits of the ingress, the router and Synapse, and the sizes of the media processes' volumes follow from it; `cacheGiB` has to go with it. Ten GiB need an object store that takes 40 MB/s: after five minutes the client is answered 504.",
      }).default(100),
      remoteRetentionDays: int(0, 36_500, {
        doc: "Media of other servers that were not accessed for this many days leave the cache. 0 keeps them for ever.",
      }).default(90),
      localRetentionDays: int(0, 36_500, {
        doc: "Own users' media that were not accessed for this many days are DELETED. 0 keeps them for ever.",
      }).default(0),
      urlPreviews: bool({ doc: "Fetch previews of linked pages. Private networks are never fetched from." }).default(
        false,
      ),
      cacheGiB: int(1, 10_000, {
        doc: "Bound of each media process's local cache, GiB. The media themselves are in the object store. Uploads and their spool need as much again on the application hosts' system disks, and another half until the cache is trimmed.",
      }).default(10),
    },
    { doc: "Media." },
  ).prefault({}),
  ...retentionSettings,
  ...noticeSettings,
  ...termsSettings,
  ...emailSettings,
  ...appserviceSettings,
  stopSynapse: bool({
    doc: "Run no process of Synapse; everything else goes on, and clients get 503. For a restore of the database, or a copy at rest.",
  }).default(false),
};

const pool = section(
  {
    replicas: replicas(1, "Processes."),
    maxReplicas: replicas(1, "Most processes that the autoscaler makes, where the class has one."),
    cpu: cpu(),
    memoryMiB: memoryMiB(128),
    cpMax: int(2, 1000, { doc: "Largest database connection pool of each process." }).optional(),
  },
  { doc: "Sizes of one class." },
);

/** What `overrides` may say about Synapse. */
export const synapseOverrides = {
  pools: section(
    recordOf(WORKER_CLASSES, () => pool.optional()),
    {
      doc: `Synapse, by class of process: ${WORKER_CLASSES.join(", ")}.`,
    },
  ).prefault({}),
  synapse: section(
    {
      globalCacheFactor: decimal(0.1, 100, {
        doc: "Synapse's `caches.global_factor`: multiplies the size of its caches.",
      }).optional(),
      eventCacheSize: text(
        { doc: "Synapse's `event_cache_size`, events.", allowed: "a number, with K or M: 10K" },
        (v) => /^[1-9]\d*[KM]?$/.test(v),
        "10K",
      ).optional(),
      logLevel: oneOf(["DEBUG", "INFO", "WARNING", "ERROR"], {
        doc: "Log level. DEBUG slows every process and logs what users do.",
      }).optional(),
    },
    { doc: "Synapse as a whole." },
  ).prefault({}),
};

/** Sizes of one class that the settings give. */
export type PoolOverride = z.output<typeof pool>;

/** Settings of Synapse after defaults that depend on others. */
export interface SynapseCompleted {
  /** Never absent: see PRESENCE_MAX_CCU. */
  presence: { enabled: boolean };
  media: Omit<SettingsInput["media"], "remoteRetentionDays" | "localRetentionDays"> & {
    /** Remote media not accessed for so many days are deleted from the cache. @default kept for ever */
    remoteRetentionDays?: number;
    /** Local media not accessed for so many days are deleted. @default kept for ever */
    localRetentionDays?: number;
  };
}

/** Above this number of users presence is off by default: its cost grows with the square of the room sizes. */
export const PRESENCE_MAX_CCU = 5000;

/** Fills in the defaults that depend on other settings. */
export const completeSynapse = (input: SettingsInput): SynapseCompleted => ({
  presence: { enabled: input.presence.enabled ?? input.ccu <= PRESENCE_MAX_CCU },
  media: completeMedia(input.media),
});

/** 0 days means for ever: the key is left out. */
const completeMedia = (media: SettingsInput["media"]): SynapseCompleted["media"] => ({
  maxUploadMiB: media.maxUploadMiB,
  urlPreviews: media.urlPreviews,
  cacheGiB: media.cacheGiB,
  ...(media.remoteRetentionDays > 0 ? { remoteRetentionDays: media.remoteRetentionDays } : {}),
  ...(media.localRetentionDays > 0 ? { localRetentionDays: media.localRetentionDays } : {}),
});
