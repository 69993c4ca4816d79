/**
 * What the homeserver's settings may not say together: each mistake gets one error with what was given, what is allowed
 * and what to do, and the nearest settings that are no mistake get none.
 */
import assert from "node:assert/strict";
import { Report } from "../../components/schema/report";
import { checkHomeserver } from "../../components/layers/synapse/checks";
import type { OidcProvider, Settings, SettingsError } from "../../components/settings/types";
import { fixtureSettings } from "../fixtures/plan";
import { oidcProvider } from "../helpers/example";

type Change = (s: Settings) => void;

/** @param wrong Paths that have an error already */
function errorsOf(change: Change, wrong: string[] = []): SettingsError[] {
  const settings = fixtureSettings();
  change(settings);
  const report = new Report();
  for (const path of wrong) report.add({ path, given: "x", allowed: "x", remedy: "x" });
  checkHomeserver({ settings, report, input: settings as never, now: new Date(0) });
  return report.errors.slice(wrong.length);
}

const EMAIL = { host: "mail.example.net", port: 587, from: "a@example.org" };
const provider = (id: string, scopes = ["openid", "profile"]): OidcProvider => oidcProvider({ id, name: id, scopes });
/** A provider that asks for all that names may come from. */
const naming = (id: string, more: Partial<OidcProvider>): OidcProvider => oidcProvider({ id, ...more });
const registration =
  (more: Partial<Settings["registration"]>, email?: Settings["emailSmtp"]): Change =>
  (s) => {
    Object.assign(s.registration, more);
    if (email) s.emailSmtp = email;
  };
const mail = (more: Partial<NonNullable<Settings["emailSmtp"]>>): Change => registration({}, { ...EMAIL, ...more });
const sso =
  (oidc: OidcProvider[], passwordLogin = true): Change =>
  (s) => {
    s.sso = { oidc, passwordLogin };
  };
const federation =
  (enabled: boolean, domainAllowList?: string[]): Change =>
  (s) => {
    s.federation = { enabled, ...(domainAllowList ? { domainAllowList } : {}) };
  };
/** Days that media are kept, and messages. */
const kept =
  (localRetentionDays?: number, maxLifetimeDays?: number): Change =>
  (s) => {
    if (localRetentionDays !== undefined) s.media.localRetentionDays = localRetentionDays;
    if (maxLifetimeDays !== undefined) s.retention = { maxLifetimeDays };
  };
const named =
  (hostnames: Partial<Settings["hostnames"]>): Change =>
  (s) => {
    Object.assign(s.hostnames, hostnames);
  };
const uploads =
  (maxUploadMiB: number, cacheGiB: number): Change =>
  (s) => {
    Object.assign(s.media, { maxUploadMiB, cacheGiB });
  };
const pools =
  (given: Settings["overrides"]["pools"], more: Change = () => undefined): Change =>
  (s) => {
    s.overrides.pools = given;
    more(s);
  };
const users =
  (ccu: number): Change =>
  (s) => {
    s.ccu = ccu;
  };

interface Case {
  what: string;
  change: Change;
  error: SettingsError;
  /** The nearest settings that are accepted, by what they are. */
  accepted: Record<string, Change>;
  /** Other settings whose own error makes this one needless. */
  derivedFrom?: string[];
}

const PRESENT =
  "main, synchrotron, initial-sync, generic, event-persister, media, ephemeral, account, receipts, device-lists, pusher, background, user-directory";
const absent = (path: string, remedy: string, present = PRESENT): SettingsError => ({
  path,
  given: "sizes of a class that this deployment does not have",
  allowed: `a class of this deployment: ${present}`,
  remedy,
});
const second = (path: string, given: string, why: string): SettingsError => ({
  path,
  given,
  allowed: `1: Synapse refuses a second process of this class (${why})`,
  remedy: "leave it out; give the one process more cpu and memoryMiB instead",
});
const notScaled = (path: string, given: string): SettingsError => ({
  path,
  given,
  allowed: "only for autoscaled classes (synchrotron, initial-sync, generic, federation-reader)",
  remedy: "set replicas instead",
});
const atServerName = (name: string, remedy: string): SettingsError => ({
  path: `hostnames.${name}`,
  given: '"example.org", the server name',
  allowed: "another name: /.well-known/matrix is served at the server name",
  remedy,
});

const CASES: Case[] = [
  {
    what: "registration that anyone may use",
    change: registration({ enabled: true }),
    error: {
      path: "registration.enabled",
      given: "true, with neither requireEmail nor requireToken",
      allowed:
        "registration that asks for an e-mail address or a token: open servers are found by scanners and filled with spam accounts within days, and other servers then block yours",
      remedy:
        "set registration.requireToken: true (or requireEmail: true with emailSmtp); or registration.allowOpen: true if an open server is what you want, for example in a closed network",
    },
    accepted: {
      "for a token": registration({ enabled: true, requireToken: true }),
      "for an e-mail address": registration({ enabled: true, requireEmail: true }, EMAIL),
      "where that is meant": registration({ enabled: true, allowOpen: true }),
      "that is off": registration({ enabled: false }),
    },
  },
  {
    what: "confirmed addresses without a mail server",
    change: registration({ enabled: true, requireEmail: true }),
    error: {
      path: "registration.requireEmail",
      given: "true, without emailSmtp",
      allowed: "true only where e-mail can be sent",
      remedy: "fill in emailSmtp, or use registration.requireToken",
    },
    accepted: {
      "with one": registration({ enabled: true, requireEmail: true }, EMAIL),
      "while registration is off": registration({ enabled: false, requireEmail: true }),
    },
    derivedFrom: ["emailSmtp"],
  },
  ...(["requireToken", "requireEmail"] as const).map((proof): Case => ({
    what: `an open server with ${proof}`,
    change: registration({ enabled: true, allowOpen: true, [proof]: true }, EMAIL),
    error: {
      path: "registration.allowOpen",
      given: "true, with requireEmail or requireToken",
      allowed: "one or the other",
      remedy: "remove registration.allowOpen",
    },
    accepted: { "that alone": registration({ enabled: true, [proof]: true }, EMAIL) },
  })),
  {
    what: "a mail server's user without a password",
    change: mail({ user: "matrix" }),
    error: {
      path: "emailSmtp.password",
      given: "nothing",
      allowed: "user and password, or neither",
      remedy: "add emailSmtp.password",
    },
    accepted: { both: mail({ user: "matrix", password: "secret" }), neither: mail({}) },
  },
  {
    what: "a mail server's password without a user",
    change: mail({ password: "secret" }),
    error: {
      path: "emailSmtp.user",
      given: "nothing",
      allowed: "user and password, or neither",
      remedy: "add emailSmtp.user",
    },
    accepted: {},
  },
  {
    what: "two providers of one id",
    change: sso([provider("a"), provider("b"), provider("b")]),
    error: {
      path: "sso.oidc[2].id",
      given: '"b", as sso.oidc[1] is',
      allowed: "an id of its own for each provider",
      remedy: "rename the newer one: users' accounts are linked to the id",
    },
    accepted: { "of three ids": sso([provider("a"), provider("b"), provider("c")]) },
    derivedFrom: ["sso.oidc[1].id"],
  },
  {
    what: "a provider that is not asked for openid",
    change: sso([provider("a"), provider("b", ["profile", "email"])]),
    error: {
      path: "sso.oidc[1].scopes",
      given: "profile, email",
      allowed: "a list with openid: without it the provider answers as plain OAuth",
      remedy: "add openid, or leave scopes out",
    },
    accepted: { "one that is asked for it alone": sso([provider("a"), provider("b", ["openid"])]) },
  },
  {
    what: "a provider that is asked for nothing",
    change: sso([provider("a", [])]),
    error: {
      path: "sso.oidc[0].scopes",
      given: "an empty list",
      allowed: "a list with openid: without it the provider answers as plain OAuth",
      remedy: "add openid, or leave scopes out",
    },
    accepted: {},
  },
  {
    what: "two sources of new users' names",
    change: sso([provider("a"), naming("b", { localpart: "email", localpartTemplate: "{{ user.nick }}" })]),
    error: {
      path: "sso.oidc[1].localpartTemplate",
      given: "a template, beside localpart: email",
      allowed: "one of the two",
      remedy: "remove sso.oidc[1].localpart, or the template",
    },
    accepted: {
      "a template": sso([naming("b", { localpartTemplate: "{{ user.nick }}" })]),
      "a word": sso([naming("b", { localpart: "email" })]),
    },
  },
  {
    what: "names that users choose and confirm",
    change: sso([naming("a", { localpart: "ask", confirmLocalpart: true })]),
    error: {
      path: "sso.oidc[0].confirmLocalpart",
      given: "true, beside localpart: ask",
      allowed: "true where the provider names its users: here they choose the name themselves",
      remedy: "remove sso.oidc[0].confirmLocalpart",
    },
    accepted: {
      "chosen ones": sso([naming("a", { localpart: "ask" })]),
      "confirmed ones": sso([naming("a", { localpart: "username", confirmLocalpart: true })]),
    },
  },
  {
    what: "names from addresses that are not asked for",
    change: sso([naming("a", { localpart: "email", scopes: ["openid", "profile"] })]),
    error: {
      path: "sso.oidc[0].localpart",
      given: "email, while the scopes are openid, profile",
      allowed: "email with the scope email: without it the provider sends no address",
      remedy: "add email to sso.oidc[0].scopes",
    },
    accepted: { "other names": sso([naming("a", { localpart: "username", scopes: ["openid", "profile"] })]) },
    derivedFrom: ["sso.oidc[0].scopes"],
  },
  {
    what: "no way to log in",
    change: sso([], false),
    error: {
      path: "sso.passwordLogin",
      given: "false, without any provider in sso.oidc",
      allowed: "false only where a provider is left to log in with",
      remedy: "add a provider to sso.oidc, or leave passwordLogin true",
    },
    accepted: { "a provider": sso([provider("a")], false), "a password": sso([], true) },
    derivedFrom: ["sso.oidc"],
  },
  {
    what: "servers to federate with while federation is off",
    change: federation(false, ["a.example", "b.example"]),
    error: {
      path: "federation.domainAllowList",
      given: "2 servers, while federation.enabled is false",
      allowed: "a list only where federation is on",
      remedy: "set federation.enabled: true, or remove the list",
    },
    accepted: { "while it is on": federation(true, ["a.example", "b.example"]), none: federation(false) },
  },
  {
    what: "this server among those to federate with",
    change: federation(true, ["a.example", "example.org"]),
    error: {
      path: "federation.domainAllowList[1]",
      given: '"example.org", this server itself',
      allowed: "other servers",
      remedy: "remove it",
    },
    accepted: { "another one": federation(true, ["a.example", "matrix.example.org"]) },
    derivedFrom: ["serverName", "domain"],
  },
  {
    what: "media that go before the messages that show them",
    change: kept(364, 365),
    error: {
      path: "media.localRetentionDays",
      given: "364, while messages are kept 365 days (retention.maxLifetimeDays)",
      allowed: "at least as long as the messages that show the media",
      remedy: "set it to 365 or more, or to 0",
    },
    accepted: {
      "that go with them": kept(365, 365),
      "that stay for ever": kept(undefined, 365),
      "while messages stay for ever": kept(364),
    },
    derivedFrom: ["retention"],
  },
  {
    what: "the web client at the server name",
    change: named({ web: "example.org" }),
    error: atServerName("web", "use chat.example.org"),
    accepted: { "below it": named({ web: "web.example.org" }) },
    derivedFrom: ["serverName", "domain"],
  },
  {
    what: "the admin UI at the server name",
    change: named({ admin: "example.org" }),
    error: atServerName("admin", "use admin.example.org"),
    accepted: {},
  },
  {
    what: "calls at the server name",
    change: named({ rtc: "example.org" }),
    error: atServerName("rtc", "use rtc.example.org"),
    accepted: { "the homeserver itself": named({ homeserver: "example.org" }) },
  },
  {
    // Half of 64 GiB holds eight uploads of 4 GiB: one from each of four routers, and from the four that they replace.
    what: "a cache without room for uploads",
    change: uploads(4096, 63),
    error: {
      path: "media.cacheGiB",
      given: "63, with uploads of up to 4,096 MiB (media.maxUploadMiB)",
      allowed:
        "at least 64: half of it has room for an upload of the largest size from each router, and from each that is just being replaced: they are on a media process's disk until the object store has them",
      remedy:
        "set media.cacheGiB: 64 where the application hosts' system disks have room for three times that, or lower media.maxUploadMiB",
    },
    accepted: { "with just that": uploads(4096, 64), "for smaller ones": uploads(4032, 63) },
    derivedFrom: ["media.maxUploadMiB"],
  },
  {
    what: "sizes of federation readers while federation is off",
    change: pools({ "federation-reader": { replicas: 2 } }),
    error: absent("overrides.pools.federation-reader", "set federation.enabled to true, or remove the override"),
    accepted: { "while it is on": pools({ "federation-reader": { replicas: 2 } }, federation(true)) },
    derivedFrom: ["ccu", "federation", "presence"],
  },
  {
    what: "sizes of a class of larger stacks",
    change: pools({ "to-device": { cpu: 1 } }, users(4999)),
    error: absent("overrides.pools.to-device", 'the class exists from 5000 users on; below, override "account"'),
    accepted: { "in one of them": pools({ "to-device": { cpu: 1 } }, users(5000)) },
  },
  {
    what: "sizes of the writer of presence where presence is off",
    change: pools({ presence: { cpu: 1 } }, (s) => {
      s.ccu = 5000;
      s.presence.enabled = false;
    }),
    error: absent(
      "overrides.pools.presence",
      'the class exists from 5000 users on with presence.enabled; below, override "ephemeral"',
      PRESENT.replace("ephemeral, ", "ephemeral, to-device, "),
    ),
    accepted: { "where it is on": pools({ presence: { cpu: 1 } }, users(5000)) },
  },
  {
    what: "a second main process",
    change: pools({ main: { replicas: 2 } }),
    error: second("overrides.pools.main.replicas", "2", "there is one main process by design"),
    accepted: { one: pools({ main: { replicas: 1, maxReplicas: 1 } }), "its size": pools({ main: { cpu: 2 } }) },
  },
  {
    what: "a main process that scales",
    change: pools({ main: { maxReplicas: 2 } }),
    error: second("overrides.pools.main.maxReplicas", "2", "there is one main process by design"),
    accepted: {},
  },
  {
    // 1,000 users have two event persisters (components/domain/workers.ts).
    what: "an autoscaler for event persisters, whom others know by number",
    change: pools({ "event-persister": { maxReplicas: 3 } }),
    error: notScaled("overrides.pools.event-persister.maxReplicas", "3"),
    accepted: {
      "as many as the plan has": pools({ "event-persister": { maxReplicas: 2 } }),
      "as many as are given": pools({ "event-persister": { replicas: 3, maxReplicas: 3 } }),
      "replicas alone": pools({ "event-persister": { replicas: 3 } }),
    },
  },
  {
    what: "fewer event persisters at most than there are",
    change: pools({ "event-persister": { replicas: 3, maxReplicas: 2 } }),
    error: notScaled("overrides.pools.event-persister.maxReplicas", "2"),
    accepted: {},
  },
  {
    what: "an autoscaler that may not keep what it starts with",
    change: pools({ generic: { replicas: 5, maxReplicas: 4 } }),
    error: {
      path: "overrides.pools.generic.maxReplicas",
      given: "4",
      allowed: "at least replicas (5)",
      remedy: "raise maxReplicas or lower replicas",
    },
    accepted: {
      "just so many": pools({ generic: { replicas: 5, maxReplicas: 5 } }),
      "replicas alone": pools({ generic: { replicas: 5 } }),
      "the most alone": pools({ generic: { maxReplicas: 1 } }),
    },
    derivedFrom: ["overrides.pools.generic.replicas"],
  },
];

describe("checks of the homeserver's settings", () => {
  it("accept the usual settings", () => {
    assert.deepEqual(
      errorsOf(() => undefined),
      [],
    );
  });
  for (const { what, change, error, accepted, derivedFrom = [] } of CASES) {
    it(`refuse ${what}, and say why and what to do`, () => {
      assert.deepEqual(errorsOf(change), [error]);
    });
    for (const [name, other] of Object.entries(accepted))
      it(`refuse ${what}; not ${name}`, () => {
        assert.deepEqual(errorsOf(other), []);
      });
    for (const path of derivedFrom)
      it(`refuse ${what}; not while ${path} is wrong itself`, () => {
        assert.deepEqual(errorsOf(change, [path]), []);
      });
  }
  it("name each mistake where there are several, and pass over names that no class has", () => {
    const settings: Change = (s) => {
      registration({ enabled: true, requireEmail: true, allowOpen: true })(s);
      named({ web: "example.org", admin: "example.org" })(s);
      s.overrides.pools = {
        main: { replicas: 2, maxReplicas: 3 },
        nosuch: { replicas: 2 },
        generic: undefined,
      } as Settings["overrides"]["pools"];
    };
    assert.deepEqual(
      errorsOf(settings).map((e) => [e.path, e.given]),
      [
        ["registration.requireEmail", "true, without emailSmtp"],
        ["registration.allowOpen", "true, with requireEmail or requireToken"],
        ["hostnames.web", '"example.org", the server name'],
        ["hostnames.admin", '"example.org", the server name'],
        ["overrides.pools.main.replicas", "2"],
        ["overrides.pools.main.maxReplicas", "3"],
      ],
    );
  });
});
