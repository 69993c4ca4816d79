/** What the setting `ldap` becomes, and what is refused. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { Report } from "../../components/schema/report";
import { checkLdap } from "../../components/layers/synapse/ldapChecks";
import { homeserverConfig, renderSecretYaml } from "../../components/layers/synapse/homeserverYaml";
import { extraText } from "../../components/layers/synapse/extra/render";
import type { LdapSettings, Settings, SettingsError } from "../../components/settings/types";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";
import { ldapSettings } from "../helpers/example";

const settingsWith = (more: Partial<LdapSettings>, others: Partial<Settings> = {}): Settings => ({
  ...fixtureSettings(),
  ldap: ldapSettings(more),
  ...others,
});
const READER = { bindDn: "cn=matrix,dc=example,dc=net", bindPassword: "reader-password" };
const shared = (settings: Settings): any =>
  homeserverConfig({ settings, plan: fixturePlan(), turnUris: [], rtcServiceUrl: "https://rtc.example.org" });

describe("LDAP", () => {
  const OWN = ["only_one.OnlyOne", "fresh_sessions.FreshSessions"];
  const names = (modules: any): string[] => modules.map((m: { module: string }) => m.module);

  it("is a module after the stack's own, in the shared file; with a password in the Secret, which replaces the list", () => {
    const anonymous = settingsWith({});
    assert.deepEqual(names(shared(anonymous).modules), [...OWN, "ldap_login.LdapLogin"]);
    assert.equal(renderSecretYaml(anonymous), undefined);
    const withPassword = settingsWith(READER);
    assert.deepEqual(names(shared(withPassword).modules), OWN);
    const secret = parse(renderSecretYaml(withPassword)!);
    assert.deepEqual(names(secret.modules), [...OWN, "ldap_login.LdapLogin"]);
    assert.equal(secret.modules[2].config.bind_password, "reader-password");
    assert.ok(!JSON.stringify(shared(withPassword)).includes("reader-password"));
  });

  it("stays where the operator has modules of their own", () => {
    const settings = settingsWith(READER);
    settings.synapse.modules = [{ module: "my_module.Checker", packages: [] }];
    const stack = { ...shared(settings), ...parse(renderSecretYaml(settings)!) };
    const text = extraText({ settings, class: "main", stack })!;
    assert.deepEqual(names(parse(text).modules), [...OWN, "ldap_login.LdapLogin", "my_module.Checker"]);
  });

  const config = (more: Partial<LdapSettings>): any => shared(settingsWith(more)).modules[2].config;

  it("asks with TLS unless that is declined", () => {
    const tls = (uri: string, inClear = false): unknown => config({ uris: [uri], inClear }).start_tls;
    assert.equal(tls("ldaps://a"), false, "it is TLS already");
    assert.equal(tls("ldap://a"), true);
    assert.equal(tls("ldap://a", true), false);
  });

  it("has the module's options", () => {
    assert.deepEqual(config({}), {
      enabled: true,
      mode: "search",
      uri: ["ldaps://ldap.example.net"],
      start_tls: false,
      base: "ou=people,dc=example,dc=net",
      attributes: { uid: "uid", name: "cn", mail: "mail" },
    });
    const more = { filter: "(a=b)", activeDirectory: true, defaultDomain: "corp.example" };
    const all = parse(renderSecretYaml(settingsWith({ ...READER, ...more }))!).modules[2].config;
    assert.deepEqual(
      [all.bind_dn, all.filter, all.active_directory, all.default_domain, all.attributes.uid],
      [READER.bindDn, "(a=b)", true, "corp.example", "userPrincipalName"],
    );
    const attributes = { uid: "sAMAccountName", name: "displayName", mail: "mail" };
    assert.deepEqual(config({ activeDirectory: true, attributes }).attributes, attributes);
  });

  it("leaves passwords of accounts in force, or not", () => {
    const section = (localPasswords: boolean): any => shared(settingsWith({ localPasswords })).password_config;
    assert.deepEqual([section(true).enabled, section(true).localdb_enabled], [true, true]);
    assert.deepEqual([section(false).enabled, section(false).localdb_enabled], [true, false]);
  });

  it("is not there without the setting", () => {
    const settings = fixtureSettings();
    assert.deepEqual(names(shared(settings).modules), OWN);
  });
});

describe("LDAP is refused", () => {
  function errorsOf(settings: Settings): SettingsError[] {
    const report = new Report();
    checkLdap({ settings, report, input: settings as never, now: new Date(0) });
    return report.errors;
  }
  const sso = { oidc: [], passwordLogin: false };
  const module = (name: string): Settings["synapse"] => ({
    ...fixtureSettings().synapse,
    modules: [{ module: name, packages: [] }],
  });

  for (const [what, settings, path, allowed, accepted] of [
    ["without a server", settingsWith({ uris: [] }), "ldap.uris", /at least one/, settingsWith({})],
    [
      "with servers of two kinds",
      settingsWith({ uris: ["ldaps://a", "ldap://b"] }),
      "ldap.uris",
      /of one kind/,
      settingsWith({ uris: ["ldap://a", "ldap://b"] }),
    ],
    [
      "in clear at ldaps://",
      settingsWith({ inClear: true }),
      "ldap.inClear",
      /ldap:\/\//,
      settingsWith({ uris: ["ldap://a"], inClear: true }),
    ],
    [
      "with an account without password",
      settingsWith({ bindDn: "cn=a" }),
      "ldap.bindPassword",
      /or neither/,
      settingsWith(READER),
    ],
    [
      "with a password without account",
      settingsWith({ bindPassword: "x" }),
      "ldap.bindDn",
      /or neither/,
      settingsWith({}),
    ],
    [
      "with an account that searches, in simple mode",
      settingsWith({ ...READER, mode: "simple" }),
      "ldap.bindDn",
      /mode: search/,
      settingsWith({ mode: "simple" }),
    ],
    [
      "with a filter in simple mode",
      settingsWith({ filter: "(a=b)", mode: "simple" }),
      "ldap.filter",
      /mode: search/,
      settingsWith({ filter: "(a=b)" }),
    ],
    [
      "with a domain without Active Directory",
      settingsWith({ ...READER, defaultDomain: "corp.example" }),
      "ldap.defaultDomain",
      /only with Active Directory/,
      settingsWith({ ...READER, defaultDomain: "corp.example", activeDirectory: true }),
    ],
    [
      "with Active Directory and nobody to search",
      settingsWith({ activeDirectory: true }),
      "ldap.activeDirectory",
      /a search by an account/,
      settingsWith({ ...READER, activeDirectory: true }),
    ],
    [
      "without logins by password",
      settingsWith({}, { sso }),
      "sso.passwordLogin",
      /with a password/,
      { ...fixtureSettings(), sso },
    ],
    [
      "beside the module itself",
      settingsWith({}, { synapse: module("ldap_auth_provider.LdapAuthProviderModule") }),
      "synapse.modules[0].module",
      /one of the two/,
      settingsWith({}, { synapse: module("other.Module") }),
    ],
  ] as Array<[string, Settings, string, RegExp, Settings]>)
    it(what, () => {
      const errors = errorsOf(settings);
      assert.deepEqual(
        errors.map((e) => e.path),
        [path],
      );
      assert.match(errors[0]!.allowed, allowed);
      assert.deepEqual(errorsOf(accepted), []);
    });
});
