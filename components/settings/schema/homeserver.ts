import { z } from "zod";
import { cronProblem, isDnsName, isMoment, isServerName } from "../syntax/text";
import { bool, cidr, dnsLabel, field, hostname, httpsUrl, int, list, port, secret, section, text } from "./fields";
import { s3Fields } from "./cluster";

export const identitySections = {
  ccu: int(1, 200_000, {
    doc: "Concurrent users: the one number that everything is sized by. Measured from 100 to 20,000; below, the smallest size is used; beyond, the plan says that it extrapolates.",
    remedy: "pulumi config set ccu 1000",
    example: 1000,
  }),
  domain: hostname({
    doc: "Base of the public host names.",
    remedy: "give a domain you own, without https:// and without trailing dot",
  }),
  serverName: text(
    {
      doc: "The `:server` part of user ids (@user:example.com). It can NEVER be changed later.",
      defaultText: "domain",
      allowed: "a server name of the Matrix specification: host[:port], in lower case",
      remedy: "give the name that user ids shall end in, usually the domain itself",
    },
    isServerName,
    "example.com",
  ).optional(),
  hostnames: section(
    {
      homeserver: hostname({ doc: "Client and federation API.", defaultText: "matrix.<domain>" }).optional(),
      web: hostname({ doc: "Element Web.", defaultText: "chat.<domain>" }).optional(),
      admin: hostname({ doc: "Admin UI.", defaultText: "admin.<domain>" }).optional(),
      rtc: hostname({ doc: "Calls: SFU signalling and its token service.", defaultText: "rtc.<domain>" }).optional(),
      turn: hostname({ doc: "TURN over TLS.", defaultText: "turn.<domain>" }).optional(),
    },
    { doc: "Public host names. Each needs a DNS record." },
  ).prefault({}),
};

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

export const homeserverSections = {
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
};

export const dataSections = {
  objectStore: field(
    z.discriminatedUnion("kind", [
      section(
        {
          kind: z.literal("minio"),
          driveGiB: int(1, 1_000_000, {
            doc: "Use so much of each drive, GiB.",
            defaultText: "the disks' size",
          }).optional(),
        },
        { doc: "MinIO on the `storage` hosts, erasure coded: one host may be lost without losing reads or writes." },
      ),
      section({ kind: z.literal("s3"), ...s3Fields }, { doc: "Any S3 that exists; no `storage` hosts are needed." }),
    ]),
    {
      doc: "Where media are kept.",
      allowed: "kind minio, or s3 with endpoint, bucket, accessKey and secretKey",
      example: { kind: "minio" },
    },
  ).prefault({ kind: "minio" }),
  backups: section(
    {
      enabled: bool({ doc: "Base backups and continuous WAL archive of PostgreSQL." }).default(true),
      target: field(
        z.discriminatedUnion("kind", [
          section(
            { kind: z.literal("object-store") },
            { doc: "A bucket of its own in the stack's object store. It does not survive the loss of the site." },
          ),
          section({ kind: z.literal("s3"), ...s3Fields }, { doc: "Any S3, best at another site." }),
        ]),
        {
          doc: "Where backups go.",
          allowed: "kind object-store, or s3 with endpoint, bucket, accessKey and secretKey",
          example: { kind: "object-store" },
        },
      ).prefault({ kind: "object-store" }),
      schedule: text(
        {
          doc: "When base backups run: SIX cron fields, seconds first, UTC.",
          allowed: "six fields: second minute hour day-of-month month day-of-week",
          remedy: 'put the second before a usual cron line: "0 0 2 * * *" is 02:00 every day',
        },
        (v) => cronProblem(v) === undefined,
        "0 0 2 * * *",
      ).default("0 0 2 * * *"),
      retentionDays: int(1, 3650, { doc: "Any moment of so many days back can be restored." }).default(30),
      archiveName: dnsLabel({
        doc: "Folder of the target that this database writes to. Change it only together with `restore`: a restored database must not write among what it came from.",
        remedy: "number them: synapse-postgres-2, synapse-postgres-3",
        example: "synapse-postgres",
      }).default("synapse-postgres"),
      restore: section(
        {
          from: dnsLabel({ doc: "The `archiveName` that the database had.", example: "synapse-postgres" }),
          targetTime: text(
            {
              doc: "The moment to go back to. Absent: the latest that is in the archive.",
              allowed: "a moment with its zone, such as 2026-11-20T14:30:00Z",
              remedy: "`date --utc +%Y-%m-%dT%H:%M:%SZ` prints the present one in this form",
            },
            isMoment,
            "2026-11-20T14:30:00Z",
          ).optional(),
        },
        {
          doc: "A database that does not exist is made from this archive instead of empty; one that exists is left alone. May stay once the restore is done.",
        },
      ).optional(),
    },
    { doc: "Backups of the database." },
  ).prefault({}),
  stopSynapse: bool({
    doc: "Run no process of Synapse; everything else goes on, clients get 503. For a restore of the database, or a copy at rest.",
  }).default(false),
};

export const callSections = {
  turn: section(
    {
      enabled: bool({ doc: "coturn on the `call` hosts, for one-to-one calls behind NAT." }).default(true),
      minPort: port({ doc: "First UDP relay port." }).default(49_152),
      maxPort: port({
        doc: "Last UDP relay port. Disjoint from the SFU's range: both share the hosts' network.",
      }).default(55_000),
      tlsPort: port({ doc: "Port of TURN over TLS." }).default(5349),
      allowedPrivateCidrs: list(cidr({ doc: "Network." }), {
        doc: "Private networks that TURN may relay to. All others are denied, so that it is no way into your network.",
      }).default([]),
    },
    { doc: "TURN." },
  ).prefault({}),
  rtc: section(
    {
      enabled: bool({ doc: "LiveKit SFU on the `call` hosts, for group calls (Element Call)." }).default(true),
      udpPortMin: port({ doc: "First UDP port of media." }).default(55_001),
      udpPortMax: port({ doc: "Last UDP port of media." }).default(60_000),
      tcpPort: port({ doc: "TCP port of media where UDP is blocked." }).default(7881),
      jwtService: bool({
        doc: "Run the token service (lk-jwt-service). False where its image cannot be had: clients then find no SFU.",
      }).default(true),
    },
    { doc: "Group calls." },
  ).prefault({}),
};

export const webSections = {
  web: section(
    {
      elementWeb: section(
        {
          enabled: bool({ doc: "Element Web at hostnames.web." }).default(true),
          brand: text({ doc: "Name that the client shows." }).default("Element"),
        },
        { doc: "The web client." },
      ).prefault({}),
      admin: section(
        {
          enabled: bool({ doc: "Admin UI at hostnames.admin." }).default(true),
          allowCidrs: list(cidr({ doc: "Network." }), { doc: "Who may reach the admin UI." }).default([
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
          ]),
          allowPublic: bool({ doc: "Permit allowCidrs that contain the whole Internet." }).default(false),
        },
        { doc: "The admin UI." },
      ).prefault({}),
      jitsiDomain: hostname({ doc: "A Jitsi to link conferences to. Absent: none." }).optional(),
      supportContact: section(
        {
          email: text(
            { doc: "E-mail address.", allowed: "an e-mail address" },
            (v) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(v),
            "admin@example.com",
          ).optional(),
          matrixId: text(
            { doc: "Matrix user id.", allowed: "a user id such as @admin:example.com" },
            (v) => /^@[^\s:]+:[^\s]+$/.test(v),
            "@admin:example.com",
          ).optional(),
          page: httpsUrl({ doc: "Page with help." }).optional(),
        },
        {
          doc: "Whom users and other operators may ask: served as /.well-known/matrix/support. Absent: nothing is served.",
        },
      ).optional(),
    },
    { doc: "Web applications." },
  ).prefault({}),
};
