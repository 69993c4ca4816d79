/** What may be written about Synapse: what users may do, media, retention, and the sizes of its processes. Pure. */
import { z } from "zod";
import { WORKER_CLASSES } from "../../domain/workerClasses";
import {
  bool,
  decimal,
  field,
  httpsUrl,
  int,
  list,
  oneOf,
  port,
  secret,
  section,
  text,
  recordOf,
} from "../../schema/fields";
import { cpu, memoryMiB, replicas } from "../../schema/sizes";
import { isDnsName, isServerName } from "../../schema/syntax/text";
import type { SettingsInput } from "../../settings/schema";

const oidcProvider = section(
  {
    id: text(
      {
        doc: "Short name in URLs; users' links to this provider hang on it, so it never changes.",
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
  },
  { doc: "An OpenID Connect provider. Callback: https://<hostnames.homeserver>/_synapse/client/oidc/callback." },
);

export const synapseSettings = {
  federation: section(
    {
      enabled: bool({ doc: "Exchange with other homeservers." }).default(false),
      domainAllowList: list(text({ doc: "Server name.", allowed: "a server name" }, isServerName), {
        doc: "Only with these servers. Absent: with all.",
      }).optional(),
    },
    { doc: "Federation." },
  ).prefault({}),
  registration: section(
    {
      enabled: bool({ doc: "People may make accounts themselves. False: the administrator makes them." }).default(
        false,
      ),
      requireEmail: bool({ doc: "A confirmed e-mail address is needed. Needs `emailSmtp`." }).default(false),
      requireToken: bool({ doc: "A registration token, which the administrator gives out, is needed." }).default(false),
      allowOpen: bool({
        doc: "Permit registration with neither e-mail nor token. Such servers are found and filled with spam accounts within days.",
      }).default(false),
      allowGuests: bool({ doc: "Guests without account may read rooms that permit it." }).default(false),
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
  sso: section(
    {
      oidc: list(oidcProvider, { doc: "OpenID Connect providers." }).default([]),
      passwordLogin: bool({ doc: "Password login stays possible beside SSO." }).default(true),
    },
    { doc: "Single sign-on. Absent: passwords only." },
  ).optional(),
  media: section(
    {
      maxUploadMiB: int(1, 10_240, { doc: "Largest upload, MiB." }).default(100),
      remoteRetentionDays: int(0, 36_500, {
        doc: "Media of other servers, not accessed for so many days, leave the cache. 0 keeps them for ever.",
      }).default(90),
      localRetentionDays: int(0, 36_500, {
        doc: "Own users' media, not accessed for so many days, are DELETED. 0 keeps them for ever.",
      }).default(0),
      urlPreviews: bool({ doc: "Fetch previews of linked pages. Private networks are never fetched from." }).default(
        false,
      ),
      cacheGiB: int(1, 10_000, {
        doc: "Bound of each media process's local cache, GiB. The media themselves are in the object store.",
      }).default(10),
    },
    { doc: "Media." },
  ).prefault({}),
  retention: section(
    {
      maxLifetimeDays: int(1, 36_500, {
        doc: "Messages older than so many days are deleted, in all rooms.",
        remedy: "give the days, or remove the section `retention` to keep messages for ever",
      }),
    },
    { doc: "Message retention. Absent: messages are kept for ever." },
  ).optional(),
  emailSmtp: section(
    {
      host: text(
        { doc: "SMTP server.", allowed: "a DNS name or address" },
        (v) => isDnsName(v) || /^[0-9a-f.:]+$/i.test(v),
        "smtp.example.com",
      ),
      port: port({ doc: "Port; TLS is required." }).default(587),
      user: text({ doc: "User." }).optional(),
      password: secret({ doc: "Password." }).optional(),
      from: text(
        { doc: "Sender.", allowed: "`Name <address@example.com>` or an address" },
        (v) => /^([^<>\r\n]*<[^\s@<>]+@[^\s@<>]+>|[^\s@<>]+@[^\s@<>]+)$/.test(v),
        "a@example.com",
      ),
    },
    { doc: "Outgoing e-mail: password resets, confirmations, notifications. Absent: none is sent." },
  ).optional(),
  stopSynapse: bool({
    doc: "Run no process of Synapse; everything else goes on, clients get 503. For a restore of the database, or a copy at rest.",
  }).default(false),
};

const pool = section(
  {
    replicas: replicas(1, "Processes."),
    maxReplicas: replicas(1, "Bound of the autoscaler, where the class has one."),
    cpu: cpu(),
    memoryMiB: memoryMiB(128),
    cpMax: int(2, 1000, { doc: "Largest database connection pool of each process." }).optional(),
  },
  { doc: "Sizes of one class." },
);

export const synapseOverrides = {
  pools: section(
    recordOf(WORKER_CLASSES, () => pool.optional()),
    {
      doc: `Synapse, by class of process: ${WORKER_CLASSES.join(", ")}.`,
    },
  ).prefault({}),
  synapse: section(
    {
      globalCacheFactor: decimal(0.1, 100, { doc: "caches.global_factor." }).optional(),
      eventCacheSize: text(
        { doc: "event_cache_size.", allowed: "a number, with K or M: 10K" },
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

/** Sizes of one class that are given by hand. */
export type PoolOverride = z.output<typeof pool>;

export interface SynapseCompleted {
  presence: { enabled: boolean };
  media: Omit<SettingsInput["media"], "remoteRetentionDays" | "localRetentionDays"> & {
    /** Remote media not accessed for so long are deleted from cache. Days; absent keeps for ever. */
    remoteRetentionDays?: number;
    /** Local media not accessed for so long are deleted. Days; absent keeps for ever. */
    localRetentionDays?: number;
  };
}

/** Above this number presence is off unless set: its cost grows with the square of the room sizes. */
export const PRESENCE_MAX_CCU = 5000;

export const completeSynapse = (input: SettingsInput): SynapseCompleted => ({
  presence: { enabled: input.presence.enabled ?? input.ccu <= PRESENCE_MAX_CCU },
  media: completeMedia(input.media),
});

/** 0 days keep for ever. */
const completeMedia = (media: SettingsInput["media"]): SynapseCompleted["media"] => ({
  maxUploadMiB: media.maxUploadMiB,
  urlPreviews: media.urlPreviews,
  cacheGiB: media.cacheGiB,
  ...(media.remoteRetentionDays > 0 ? { remoteRetentionDays: media.remoteRetentionDays } : {}),
  ...(media.localRetentionDays > 0 ? { localRetentionDays: media.localRetentionDays } : {}),
});
