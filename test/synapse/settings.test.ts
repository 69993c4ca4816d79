/**
 * What may be written about Synapse: defaults, the least and the most of each number, and which texts are taken. Each
 * accepted value stands beside the nearest that is refused.
 */
import assert from "node:assert/strict";
import { z } from "zod";
import { completeSynapse, synapseOverrides, synapseSettings } from "../../components/layers/synapse/settings";
import type { SettingsInput } from "../../components/settings/schema";

const SETTINGS = z.strictObject(synapseSettings);
const OVERRIDES = z.strictObject(synapseOverrides);

interface Field {
  path: string;
  schema: z.ZodType;
  meta: { doc?: string; allowed?: string; remedy?: string; defaultText?: string; example?: unknown; secret?: boolean };
}
/** Every field below a section, by its path; elements of lists as `path[]`. */
function fieldsOf(schema: z.ZodType, path = ""): Field[] {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault)
    inner = inner.unwrap() as z.ZodType;
  const here: Field[] = path ? [{ path, schema: inner, meta: (inner.meta() ?? {}) as Field["meta"] }] : [];
  if (inner instanceof z.ZodObject)
    return [
      ...here,
      ...Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, field]) =>
        fieldsOf(field, path ? `${path}.${key}` : key),
      ),
    ];
  if (inner instanceof z.ZodArray) return [...here, ...fieldsOf(inner.element as z.ZodType, `${path}[]`)];
  return here;
}
const FIELDS = [...fieldsOf(SETTINGS), ...fieldsOf(OVERRIDES)];
const field = (path: string): Field => {
  const found = FIELDS.find((f) => f.path === path);
  assert.ok(found, `no setting ${path}`);
  return found;
};
const takes = (path: string, value: unknown): boolean => field(path).schema.safeParse(value).success;

/** The setting, what it takes, and the nearest that it does not. */
const VALUES: Array<[path: string, accepted: unknown[], refused: unknown[]]> = [
  ["federation.enabled", [true, false], ["true", 1]],
  ["federation.domainAllowList[]", ["a.example", "a.example:8448"], ["https://a.example", ""]],
  ["registration.allowOpen", [true, false], ["yes"]],
  ["presence.enabled", [true, false], ["true"]],
  [
    "sso.oidc[].id",
    ["a", "9", "corp-a_1", "a".repeat(64)],
    ["", "-a", "_a", "Corp", "a.b", "a b", "a\n", " a", "a".repeat(65)],
  ],
  ["sso.oidc[].name", ["Corp"], ["", " "]],
  [
    "sso.oidc[].issuer",
    ["https://sso.example.net/realms/a"],
    ["http://sso.example.net", "https://u:p@sso.example.net"],
  ],
  ["sso.oidc[].clientId", ["matrix"], [""]],
  ["sso.oidc[].clientSecret", ["x"], ["", "x "]],
  ["sso.oidc[].scopes[]", ["openid"], [""]],
  ["sso.oidc[].localpart", ["username", "email", "ask"], ["upn", ""]],
  ["sso.oidc[].localpartTemplate", ["{{ user.nick }}"], [""]],
  ["sso.oidc[].confirmLocalpart", [true, false], ["yes"]],
  ["sso.oidc[].displayNameTemplate", ["{{ user.nick }}"], [""]],
  ["sso.oidc[].emailTemplate", ["{{ user.email }}"], [""]],
  ["sso.oidc[].subjectClaim", ["oid"], [""]],
  ["sso.oidc[].allowExistingUsers", [true, false], ["yes"]],
  [
    "ldap.uris[]",
    ["ldaps://ldap.example.com", "ldap://ldap:3389", "ldaps://192.0.2.1:636", "ldap://[2001:db8::1]:389/"],
    [
      "ldap.example.com",
      "http://ldap.example.com",
      "ldapi://%2Frun%2Fldapi",
      "ldaps://",
      "ldaps://a:0",
      "ldaps://a:65536",
      "ldaps://[ldap]",
      "ldaps://a/dc=example",
      "ldaps://u:p@a",
    ],
  ],
  ["ldap.base", ["dc=example,dc=com", "ou=People and Bots, o=A"], ["example.com", "dc=", "", "dc=a,"]],
  ["ldap.mode", ["search", "simple"], ["bind", ""]],
  ["ldap.bindPassword", ["x"], ["", "x "]],
  ["ldap.filter", ["(a=b)", "(&(a=b)(!(c=d)))"], ["a=b", "(a=b", "(a=b))", "(a=b)(c=d)", "()", ")(", ""]],
  ["ldap.attributes.uid", ["uid", "sAMAccountName", "x-1"], ["", "1a", "u id", "a=b"]],
  ["ldap.defaultDomain", ["corp.example.com"], ["CORP", "corp"]],
  // Whatever the existing Synapse has, of any length.
  ["passwords.pepper", ["x", "a pepper: of 'any' kind".repeat(9)], ["", "x ", "x\n"]],
  ["passwords.minimumLength", [1, 72], [0, 73]],
  ["passwords.requireDigit", [true, false], ["yes"]],
  ["userDirectory.searchAllUsers", [true, false], ["all"]],
  ["rooms.publicationRules[].action", ["allow", "deny"], ["permit"]],
  ["rooms.publicationRules[].user", ["*", "@*:example.com"], ["", "a b"]],
  ["rooms.aliasRules[].alias", ["#team-*:example.com"], [""]],
  ["rooms.encryption", ["none", "private", "all"], ["off", "invite", false]],
  [
    "rooms.autoJoin.aliases[]",
    ["#welcome:example.com", "#a/b:example.com:8448", "#Ü:[2001:db8::1]"],
    [
      "welcome",
      "#welcome",
      "welcome:example.com",
      "#wel come:example.com",
      "!id:example.com",
      `#${"a".repeat(255)}:b.c`,
    ],
  ],
  ["rooms.autoJoin.preset", ["public_chat", "private_chat", "trusted_private_chat"], ["public"]],
  ["rooms.autoJoin.inviter", ["admin", "a.b_c-d=/+"], ["@admin:example.com", "Admin", ""]],
  ["rooms.limitRemote.complexity", [0.1, 1000], [0, 1001]],
  ["rateLimits.messages.perSecond", [0.0001, 1_000_000], [0, 1_000_001]],
  ["rateLimits.messages.burst", [1, 1_000_000], [0, 1_000_001, 1.5]],
  ["rateLimits.federation.windowMs", [1, 3_600_000], [0, 3_600_001]],
  ["outgoing.allowedNetworks[]", ["10.0.0.0/8", "fd00::/8"], ["10.0.0.1", "10.0.0.1/8", "any"]],
  // Ten GiB take 5 minutes at 40 MB/s, the time in which a media process must answer.
  ["media.maxUploadMiB", [1, 10_240], [0, 10_241, 1.5]],
  // A hundred years; 0 is for ever.
  ["media.remoteRetentionDays", [0, 36_500], [-1, 36_501]],
  ["media.localRetentionDays", [0, 36_500], [-1, 36_501]],
  ["media.cacheGiB", [1, 10_000], [0, 10_001]],
  ["retention.maxLifetimeDays", [1, 36_500], [0, 36_501]],
  ["retention.roomMinDays", [1, 36_500], [0, 36_501]],
  ["retention.roomMaxDays", [1, 36_500], [0, 36_501]],
  ["registration.captcha.siteKey", ["6Lxx"], [""]],
  ["registration.captcha.secretKey", ["6Lxx"], ["", "x "]],
  ["serverNotices.localpart", ["notices"], ["@notices:example.com", "Notices", ""]],
  [
    "emailSmtp.host",
    ["smtp.example.com", "192.0.2.1", "2001:DB8::1"],
    ["", "a b", "https://smtp.example.com", "smtp.example.com:587"],
  ],
  ["emailSmtp.port", [1, 65_535], [0, 65_536]],
  ["emailSmtp.tls", ["required", "implicit", "opportunistic", "off"], ["starttls", false]],
  ["emailSmtp.tlsName", ["smtp.example.com"], ["smtp", "192.0.2.1"]],
  ["emailSmtp.user", ["matrix"], [""]],
  ["emailSmtp.password", ["x"], ["", " x"]],
  [
    "emailSmtp.from",
    [
      "a@example.com",
      "<a@example.com>",
      "Chat of Example <a@example.com>",
      "no-reply.1+x@Example.com",
      "a@localhost",
      "St. Gallen (Chat) 50% <a@example.com>",
      '"Corp, Inc." <a@example.com>',
    ],
    [
      "",
      "@example.com",
      "a@",
      "example.com",
      "a b@example.com",
      "a@example.com b",
      "a@b@c",
      "Chat a@example.com",
      "a@example.com>",
      "Chat <a@example.com",
      "Chat <a b@example.com>",
      "Chat <a@example.com> b",
      "Chat <@example.com>",
      "Chat <a@>",
      "Chat <a@b@c>",
      // Nothing that could name a mailbox before the @, or a host behind it.
      ".@example.com",
      "-@example.com",
      "a.@example.com",
      ".a@example.com",
      "a..b@example.com",
      "a@b..c",
      "a@-b.c",
      // Python reads only what is before the comma as the address.
      "Corp, Inc. <a@example.com>",
      "Chat: Corp <a@example.com>",
      "Chat; Corp <a@example.com>",
      "Chat [Corp] <a@example.com>",
      "Chat (Corp <a@example.com>",
      "Chat <b> <a@example.com>",
      // A header of the operator's own making.
      "Chat\r\nBcc: x <a@example.com>",
    ],
  ],
  // MAX_REPLICAS: event persisters have a port for each possible number of them.
  ["pools.generic.replicas", [1, 500], [0, 501]],
  ["pools.generic.maxReplicas", [1, 500], [0, 501]],
  ["pools.generic.cpu", [0.01], [0]],
  ["pools.generic.memoryMiB", [128], [127]],
  // One connection would let a process wait for itself.
  ["pools.generic.cpMax", [2, 1000], [1, 1001]],
  ["synapse.globalCacheFactor", [0.1, 100], [0.09, 101]],
  ["synapse.eventCacheSize", ["1", "250", "10K", "2M"], ["0", "05", "10k", "K", "10KB", "x10K", "1.5K"]],
  ["synapse.logLevel", ["DEBUG", "INFO", "WARNING", "ERROR"], ["info", "TRACE", ""]],
];

describe("settings of Synapse", () => {
  it("have defaults with which nobody but the administrator lets people in", () => {
    assert.deepEqual(SETTINGS.parse({}), {
      appservices: [],
      federation: { enabled: false },
      registration: {
        enabled: false,
        requireEmail: false,
        requireToken: false,
        allowOpen: false,
        allowGuests: false,
      },
      passwords: {
        minimumLength: 8,
        requireDigit: false,
        requireSymbol: false,
        requireLowercase: false,
        requireUppercase: false,
      },
      userDirectory: {
        enabled: true,
        searchAllUsers: false,
        preferLocalUsers: true,
        excludeRemoteUsers: false,
        showLockedUsers: false,
      },
      rooms: {
        // Synapse lets nobody publish a room without a rule.
        publicationRules: [],
        aliasesByMembersOnly: true,
        listWithoutLogin: false,
        listOverFederation: false,
        encryption: "none",
      },
      rateLimits: {},
      outgoing: {
        allowedNetworks: [],
        blockedNetworks: [],
        previewAllowedNetworks: [],
        previewBlockedNetworks: [],
      },
      presence: {},
      media: {
        maxUploadMiB: 100,
        remoteRetentionDays: 90,
        // Own users' media are not deleted unless somebody asks for it.
        localRetentionDays: 0,
        urlPreviews: false,
        cacheGiB: 10,
      },
      stopSynapse: false,
      synapse: { connections: [], modules: [] },
    });
    assert.deepEqual(SETTINGS.parse({ sso: {} }).sso, { oidc: [], passwordLogin: true });
    const { id, name, issuer } = { id: "corp", name: "Corp", issuer: "https://sso.example.net" };
    const provider = { id, name, issuer, clientId: "matrix", clientSecret: "secret" };
    assert.deepEqual(SETTINGS.parse({ sso: { oidc: [provider] } }).sso!.oidc, [
      {
        ...provider,
        scopes: ["openid", "profile", "email"],
        confirmLocalpart: false,
        displayNameTemplate: "{{ user.name }}",
        subjectClaim: "sub",
        allowExistingUsers: false,
      },
    ]);
    // Submission with STARTTLS (RFC 6409).
    assert.equal(SETTINGS.parse({ emailSmtp: { host: "a.example", from: "a@b.c" } }).emailSmtp!.port, 587);
    assert.deepEqual(OVERRIDES.parse({}), { pools: {}, synapse: {} });
  });

  for (const [path, accepted, refused] of VALUES)
    it(`${path} takes ${accepted
      .map((v) => JSON.stringify(v))
      .join(", ")
      .slice(0, 60)}, and nothing beyond`, () => {
      for (const value of accepted) assert.ok(takes(path, value), `refuses ${JSON.stringify(value)}`);
      for (const value of refused) assert.ok(!takes(path, value), `takes ${JSON.stringify(value)}`);
    });

  it("refuse what nothing reads", () => {
    for (const path of [
      "federation",
      "registration",
      "presence",
      "media",
      "retention",
      "emailSmtp",
      "sso",
      "passwords",
      "userDirectory",
      "rooms",
      "rateLimits",
      "outgoing",
      "serverNotices",
    ])
      assert.equal(
        (field(path).schema as z.ZodObject).safeParse({ nosuch: 1 }).error?.issues.at(-1)?.code,
        "unrecognized_keys",
        path,
      );
    assert.ok(!OVERRIDES.safeParse({ pools: { nosuch: {} } }).success);
    assert.ok(!OVERRIDES.safeParse({ pools: { main: { nosuch: 1 } } }).success);
    assert.ok(!SETTINGS.safeParse({ emailSmtp: { host: "a.example" } }).success, "mail without a sender");
  });

  it("are each explained in whole sentences, with a valid example", () => {
    assert.ok(FIELDS.length > 100, `${FIELDS.length}`);
    for (const { path, schema, meta } of FIELDS) {
      assert.match(meta.doc ?? "", /^[A-Z`].*[.]$/, path);
      if (meta.example !== undefined)
        assert.ok(schema.safeParse(meta.example).success, `${path}: its example is wrong`);
      if (!(schema instanceof z.ZodObject)) assert.ok(meta.allowed, `${path} does not say what is allowed`);
    }
    assert.deepEqual(
      FIELDS.filter((f) => f.meta.secret).map((f) => f.path),
      [
        "registration.captcha.secretKey",
        "passwords.pepper",
        "sso.oidc[].clientSecret",
        "ldap.bindPassword",
        "emailSmtp.password",
        "appservices[].asToken",
        "appservices[].hsToken",
        "appservices[].registration",
      ],
      "never printed",
    );
  });

  it("say what is allowed where a rule does not tell, and what to do", () => {
    const allowed = (path: string): unknown => field(path).meta.allowed;
    assert.equal(allowed("sso.oidc[].id"), "lower-case letters, digits, '-' and '_'");
    assert.equal(allowed("federation.domainAllowList[]"), "a server name");
    assert.equal(allowed("presence.enabled"), "true or false");
    assert.equal(allowed("emailSmtp.host"), "a DNS name or address");
    assert.equal(
      allowed("emailSmtp.from"),
      "`Name <address@example.com>` or an address; a name with one of , ; : @ [ ] stands in quotes",
    );
    assert.equal(allowed("synapse.eventCacheSize"), "a number, with K or M: 10K");
    assert.equal(allowed("synapse.logLevel"), "one of DEBUG, INFO, WARNING, ERROR");
    assert.equal(
      field("retention.maxLifetimeDays").meta.remedy,
      "give the number of days, or remove the section `retention` to keep messages for ever",
    );
    assert.equal(field("presence.enabled").meta.defaultText, "true up to 5,000 ccu, false above");
    assert.equal(field("presence.enabled").meta.example, false);
    assert.match(field("pools").meta.doc!, /by class of process: main, synchrotron, initial-sync, generic, event-pers/);
  });

  const complete = (more: { ccu?: number; presence?: boolean; remote?: number; local?: number }) =>
    completeSynapse({
      ...SETTINGS.parse({
        presence: more.presence === undefined ? {} : { enabled: more.presence },
        media: { remoteRetentionDays: more.remote ?? 0, localRetentionDays: more.local ?? 0 },
      }),
      ccu: more.ccu ?? 1000,
    } as unknown as SettingsInput);

  it("show who is online up to 5,000 users, and as they say above and below", () => {
    const shown = (ccu: number, presence?: boolean): boolean => complete({ ccu, presence }).presence.enabled;
    assert.deepEqual([shown(5000), shown(5001)], [true, false]);
    assert.deepEqual([shown(5000, false), shown(5001, true)], [false, true]);
  });

  it("keep media for ever for 0 days", () => {
    const rest = { maxUploadMiB: 100, urlPreviews: false, cacheGiB: 10 };
    assert.deepEqual(complete({}).media, rest);
    assert.deepEqual(complete({ remote: 1 }).media, { ...rest, remoteRetentionDays: 1 });
    assert.deepEqual(complete({ local: 1 }).media, { ...rest, localRetentionDays: 1 });
  });
});
