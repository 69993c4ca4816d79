/** `npm run import` of a Synapse whose users log in by an LDAP directory. */
import assert from "node:assert/strict";
import { importFrom, type Result } from "../../cli/import/result";

const CONFIG = {
  enabled: true,
  mode: "search",
  uri: "ldap://ldap.example.com:389",
  start_tls: true,
  base: "ou=users,dc=example,dc=com",
  attributes: { uid: "cn", mail: "mail", name: "givenName" },
  bind_dn: "cn=synapse,dc=example,dc=com",
  bind_password: "marker-ldap",
  filter: "(objectClass=posixAccount)",
};
const MODULE = "ldap_auth_provider.LdapAuthProviderModule";

function imported(config: Record<string, unknown>, files: Record<string, string> = {}): Result {
  return importFrom({
    stack: "moved",
    fragments: [
      { config: { server_name: "example.com", signing_key: "x", ...config }, label: (path) => path.join(".") },
    ],
    workers: [],
    registrations: [],
    file: (name) => files[name],
    findings: [],
    given: {},
  });
}
const module = (config: object, more: Record<string, unknown> = {}): Result =>
  imported({ modules: [{ module: MODULE, config }], ...more });
const found = ({ findings }: Result, option: string) => findings.find((f) => f.option === option);
const ldap = ({ draft }: Result): any => draft.settings.ldap;

const TAKEN = {
  uris: ["ldap://ldap.example.com:389"],
  base: "ou=users,dc=example,dc=com",
  bindDn: "cn=synapse,dc=example,dc=com",
  filter: "(objectClass=posixAccount)",
  attributes: { uid: "cn", name: "givenName", mail: "mail" },
};

describe("the import of LDAP", () => {
  it("takes the module in each of the forms that Synapse reads, with the password apart", () => {
    for (const [option, result] of [
      ["modules.0.config", module(CONFIG)],
      [
        "password_providers.0",
        imported({ password_providers: [{ module: "ldap_auth_provider.LdapAuthProvider", config: CONFIG }] }),
      ],
      ["ldap_config", imported({ ldap_config: CONFIG })],
    ] as const) {
      assert.deepEqual(ldap(result), TAKEN, option);
      assert.equal(result.draft.secret("ldap.bindPassword"), "marker-ldap", option);
      assert.equal(found(result, option)?.list, "taken", option);
      assert.equal(found(result, option)?.setting, "ldap", option);
      assert.ok(!JSON.stringify(result.findings).includes("marker-"), option);
    }
    assert.equal(found(module(CONFIG), "modules.0.module")?.list, "replaced");
    assert.equal(found(imported({ ldap_config: { ...CONFIG, enabled: false } }), "ldap_config")?.list, "dropped");
  });

  it("keeps what was less safe, and says so", () => {
    const clear = module({ ...CONFIG, start_tls: false });
    assert.equal(ldap(clear).inClear, true);
    assert.match(found(clear, "modules.0.config")!.why!, /in clear, as before/);
    const unchecked = module({ ...CONFIG, validate_cert: false });
    assert.deepEqual(ldap(unchecked), TAKEN);
    assert.match(found(unchecked, "modules.0.config")!.why!, /trustedAuthorities/);
    for (const result of [clear, unchecked]) assert.equal(found(result, "modules.0.config")!.list, "decision");
  });

  it("a user binds by their own name where nobody searched", () => {
    const { bind_dn: _dn, bind_password: _password, mode: _mode, ...simple } = CONFIG;
    const { bindDn: _bindDn, filter: _filter, ...rest } = TAKEN;
    assert.deepEqual(ldap(module(simple)), { ...rest, mode: "simple" });
  });

  it("reads the password from its file, or waits for it", () => {
    const { bind_password: _, ...rest } = CONFIG;
    const config = { ...rest, bind_password_file: "/etc/ldap.secret" };
    const modules = [{ module: MODULE, config }];
    const there = imported({ modules }, { "/etc/ldap.secret": "marker-file\n" });
    assert.equal(there.draft.secret("ldap.bindPassword"), "marker-file");
    const away = found(imported({ modules }), "modules.0.config")!;
    assert.equal(away.list, "decision");
    assert.equal(away.awaits, "ldap.bindPassword");
  });

  it("takes Active Directory with its domain", () => {
    const result = module({ ...CONFIG, active_directory: true, default_domain: "Corp.example.com" });
    assert.deepEqual(ldap(result), { ...TAKEN, activeDirectory: true, defaultDomain: "corp.example.com" });
  });

  it("local passwords that were off stay off", () => {
    const option = "password_config.localdb_enabled";
    const result = module(CONFIG, { password_config: { localdb_enabled: false } });
    assert.equal(found(result, option)?.setting, "ldap.localPasswords");
    assert.equal(ldap(result).localPasswords, false);
    assert.equal(found(imported({ password_config: { localdb_enabled: false } }), option)?.list, "decision");
  });

  it("leaves a second directory, one that the stack would refuse, and other modules to a person", () => {
    const two = imported({
      modules: [
        { module: MODULE, config: CONFIG },
        { module: MODULE, config: { ...CONFIG, base: "ou=b" } },
      ],
    });
    assert.deepEqual(ldap(two), TAKEN);
    assert.match(found(two, "modules.1.config")!.why!, /one directory/);
    const wrong = module({ ...CONFIG, filter: "objectClass=posixAccount" });
    assert.equal(ldap(wrong), undefined);
    assert.equal(wrong.draft.secret("ldap.bindPassword"), undefined);
    assert.match(found(wrong, "modules.0.config")!.why!, /ldap does not take it|one expression/);
    const other = imported({ modules: [{ module: "a.B", config: {} }] });
    assert.match(found(other, "modules.0.module")!.why!, /synapse\.modules/);
  });
});
