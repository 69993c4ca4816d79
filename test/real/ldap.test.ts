/** Logins with the passwords of a real directory (slapd): a whole Synapse of the stack, and its module in each mode. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { parse } from "yaml";
import { LDAP_PY } from "../../components/layers/synapse/scripts";
import { ldapModule } from "../../components/layers/synapse/ldapYaml";
import { trust } from "../../components/layers/synapse/synapseStart";
import { resolveSettings } from "../../components/settings";
import { tier } from "../../lab/common/tiers";
import { subjectFor } from "../../lab/real/configurations";
import { count } from "../../lab/real/counts";
import { Homeserver, type User } from "../../lab/real/homeserver";
import { GATEWAY, Network } from "../../lab/real/network";
import { Directory, type Entry } from "../../lab/real/slapd";
import { runCheckJob } from "../../lab/real/synapse";
import { stopReader } from "../../lab/real/synapseReader";
import { FILES_AT, synapsePython } from "../../lab/real/synapsePython";
import { certificate } from "../helpers/example";

const SUFFIX = "dc=corp,dc=test",
  PEOPLE = `ou=people,${SUFFIX}`,
  READER = `cn=matrix,${SUFFIX}`,
  READER_PASSWORD = "password-of-the-reader",
  NAME = "ldap.corp.test";

const person = (uid: string, cn: string, more: Record<string, string> = {}): Entry => ({
  dn: `uid=${uid},${PEOPLE}`,
  attributes: {
    objectClass: "inetOrgPerson",
    uid,
    cn,
    sn: cn.split(" ").at(-1)!,
    mail: `${uid}@corp.test`,
    employeeType: "staff",
    userPassword: `password of ${uid}`,
    ...more,
  },
});
const ENTRIES: Entry[] = [
  { dn: SUFFIX, attributes: { objectClass: ["dcObject", "organization"], o: "Corp", dc: "corp" } },
  { dn: PEOPLE, attributes: { objectClass: "organizationalUnit", ou: "people" } },
  {
    dn: READER,
    attributes: { objectClass: ["organizationalRole", "simpleSecurityObject"], userPassword: READER_PASSWORD },
  },
  person("alice", "Alice Liddell"),
  person("carol.van-dyck", "Carol van Dyck"),
  person("Bob.Jones", "Bob Jones"),
  person("guest", "A Guest", { employeeType: "guest" }),
];

const SEARCH = {
  uris: [`ldaps://${NAME}`],
  base: PEOPLE,
  bindDn: READER,
  bindPassword: READER_PASSWORD,
  filter: "(employeeType=staff)",
};

/** Asks the module by itself: who is logged in, in which case. */
const ASK = `import json, logging
from twisted.internet import defer, task
from ldap_login import LdapLogin

class Api:
    def register_password_auth_provider_callbacks(self, **_):
        pass
    def get_qualified_user_id(self, name):
        return "@%s:corp.test" % name
    async def check_user_exists(self, user):
        return None
    async def register(self, localpart, displayname, emails):
        return "@%s:corp.test %s %s" % (localpart, displayname, ",".join(emails)), None

async def main():
    for config, user, password in json.load(open("${FILES_AT}/cases.json")):
        module = LdapLogin(LdapLogin.parse_config(config), Api())
        print(json.dumps(await module.check_auth(user, "m.login.password", {"password": password})))

task.react(lambda _: defer.ensureDeferred(main()))
`;

describe("the module for LDAP", () => {
  let net: Network, directory: Directory, withoutTls: Directory;
  let made: { certificate: string; privateKey: string };
  before(async () => {
    net = await new Network().start();
    made = await certificate(["localhost"], "2020-01-01", "2120-01-01", true);
    const at = (dir: string): { dir: string; suffix: string; reader: string; entries: Entry[] } => ({
      dir: path.join(net.dir, dir),
      suffix: SUFFIX,
      reader: READER,
      entries: ENTRIES,
    });
    directory = await new Directory({ ...at("ldap"), ports: { ldap: 389, ldaps: 636 }, tls: made }).start();
    withoutTls = await new Directory({ ...at("clear"), ports: { ldap: 3389 } }).start();
  });
  after(async () => {
    await directory?.stop();
    await withoutTls?.stop();
    await net.close();
  });

  /** A section of settings, as the stack renders it, with who logs in. */
  type Case = [more: Record<string, unknown>, user: string, password?: string];
  const configOf = (more: Record<string, unknown>): unknown => {
    const { settings, errors } = resolveSettings(
      tier(100, { more: { ldap: { ...SEARCH, uris: ["ldaps://localhost"], ...more } } }).config,
      "test",
    );
    assert.deepEqual(errors, []);
    return ldapModule(settings!)[0]!.config;
  };
  async function asked(cases: Case[], trusted = true): Promise<Array<string | null>> {
    const lines = trusted ? trust({ own: `${FILES_AT}/authorities.crt`, both: `${FILES_AT}/both.crt` }) : ":";
    const done = await synapsePython(net, {
      files: {
        "cases.json": JSON.stringify(
          cases.map(([more, user, password]) => [configOf(more), user, password ?? `password of ${user}`]),
        ),
        "ask.py": ASK,
        "ldap_login.py": LDAP_PY,
        "authorities.crt": made.certificate,
        "start.sh": `set -eu\n${lines}\nexec python ${FILES_AT}/ask.py\n`,
      },
      env: { HOME: "/tmp", PYTHONPATH: FILES_AT },
      args: ["-c", `import os; os.execvp("sh", ["sh", "${FILES_AT}/start.sh"])`],
    });
    assert.equal(done.status, 0, done.output);
    count("logins that Synapse's module asked a real LDAP server for", cases.length);
    const answers = done.output
      .split("\n")
      .filter((line) => /^(null|")/.test(line))
      .map((line) => JSON.parse(line) as string | null);
    assert.equal(answers.length, cases.length, done.output);
    return answers;
  }
  const ALICE = "@alice:corp.test Alice Liddell alice@corp.test";

  it("speaks TLS from the first byte, by StartTLS, and in clear only where that is said", async () => {
    const clear = { uris: ["ldap://localhost:3389"], inClear: true };
    assert.deepEqual(
      await asked([
        [{}, "alice"],
        [{ uris: ["ldap://localhost"] }, "alice"],
        [clear, "alice"],
      ]),
      [ALICE, ALICE, ALICE],
    );
    const connections = (pattern: RegExp): Set<string> =>
      new Set([...directory.output.matchAll(pattern)].map((m) => m[1]!));
    const encrypted = connections(/conn=(\d+) .*TLS established/g),
      bound = connections(/conn=(\d+) .*BIND dn="uid=alice,.*method=/g);
    // Two for each: a first login looks for the user's entry once more.
    assert.equal(bound.size, 4, directory.output);
    for (const connection of bound) assert.ok(encrypted.has(connection), directory.output);
  });

  it("sends no password to a server that knows no StartTLS, is of an unknown authority or has another name", async () => {
    const before = withoutTls.output.match(/ BIND /g)?.length ?? 0,
      secure = directory.output.match(/ BIND /g)?.length ?? 0;
    assert.deepEqual(await asked([[{ uris: ["ldap://localhost:3389"] }, "alice"]]), [null]);
    assert.deepEqual(
      await asked([
        [{ uris: ["ldaps://127.0.0.1"] }, "alice"],
        [{ uris: ["ldap://127.0.0.1"] }, "alice"],
      ]),
      [null, null],
    );
    assert.deepEqual(
      await asked(
        [
          [{}, "alice"],
          [{ uris: ["ldap://localhost"] }, "alice"],
        ],
        false,
      ),
      [null, null],
    );
    assert.equal(withoutTls.output.match(/ BIND /g)?.length ?? 0, before);
    assert.equal(directory.output.match(/ BIND /g)?.length ?? 0, secure);
  });

  it("asks the next server where one is away, and gives up where all are", async () => {
    assert.deepEqual(
      await asked([
        [{ uris: ["ldaps://localhost:4636", "ldaps://localhost"] }, "alice"],
        [{ uris: ["ldaps://localhost:4636", "ldaps://localhost:4637"] }, "alice"],
      ]),
      [ALICE, null],
    );
  });

  it("binds as the user where `mode` is simple, and then takes the name that was typed", async () => {
    const simple = { mode: "simple", bindDn: undefined, bindPassword: undefined, filter: undefined };
    assert.deepEqual(
      await asked([
        [simple, "alice"],
        [simple, "alice", "another"],
        [simple, "Bob.Jones"],
      ]),
      ["@alice:corp.test alice ", null, "@bob.jones:corp.test Bob.Jones "],
    );
  });

  it("takes what is typed as text, and other attributes where they are named", async () => {
    assert.deepEqual(
      await asked([
        [{}, "al*", "password of alice"],
        [{}, "guest"],
        [{}, "guest)(|(uid=guest", "password of guest"],
        [{}, "alice", ""],
        [{ attributes: { uid: "mail", name: "sn", mail: "mail" } }, "alice@corp.test", "password of alice"],
        [{ filter: undefined }, "guest"],
      ]),
      [
        null,
        null,
        null,
        null,
        "@alice@corp.test:corp.test Liddell alice@corp.test",
        "@guest:corp.test A Guest guest@corp.test",
      ],
    );
  });
});

describe("logins by LDAP", function () {
  this.timeout(900_000);
  let net: Network, server: Homeserver, directory: Directory, admin: User;

  before(async () => {
    net = await new Network().start();
    net.dns.a.set(NAME, [GATEWAY]);
    const made = await certificate([NAME], "2020-01-01", "2120-01-01", true);
    const ports = { ldap: 389, ldaps: 636 };
    directory = await new Directory({
      dir: path.join(net.dir, "ldap"),
      suffix: SUFFIX,
      reader: READER,
      entries: ENTRIES,
      ports,
      tls: made,
    }).start();
    const { config } = tier(100, {
      more: {
        ldap: SEARCH,
        trustedAuthorities: made.certificate,
        rateLimits: {
          loginByAddress: { perSecond: 1000, burst: 1000 },
          loginByAccount: { perSecond: 1000, burst: 1000 },
          loginFailed: { perSecond: 1000, burst: 1000 },
        },
      },
    });
    server = await new Homeserver(net, await subjectFor({ name: "100 CCU, LDAP", config })).start();
    admin = await server.user("admin");
  });
  after(async () => {
    await stopReader();
    await directory?.stop();
    await net.close();
  });

  interface Login {
    status: number;
    user_id?: string;
    access_token?: string;
    device_id?: string;
  }
  async function login(identifier: Record<string, string>, password: string): Promise<Login> {
    const answer = await fetch(`${server.url}/_matrix/client/v3/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ type: "m.login.password", identifier, password }),
    });
    count("logins at a whole Synapse with a real LDAP directory");
    return { status: answer.status, ...((await answer.json()) as object) };
  }
  const byName = (user: string, password = `password of ${user}`): Promise<Login> =>
    login({ type: "m.id.user", user }, password);
  const byMail = (address: string, password: string): Promise<Login> =>
    login({ type: "m.id.thirdparty", medium: "email", address }, password);
  const id = (localpart: string): string => `@${localpart}:${server.subject.settings.serverName}`;

  it("are checked before a process gets them, and the check shows no password", async () => {
    const { subject } = server;
    const right = await runCheckJob(path.join(net.dir, "check"), subject, subject.objects);
    assert.equal(right.status, 0, right.text);
    const spoilt = structuredClone(
      subject.objects.map(({ kind, name, namespace, inputs }) => ({ kind, name, namespace, inputs })),
    );
    const secret = spoilt.find((o) => o.kind === "Secret" && /^synapse-email-[0-9a-f]{10}$/.test(o.name))!;
    const text: string = secret.inputs.stringData["email.yaml"];
    assert.equal(parse(text).modules.at(-1).config.bind_password, READER_PASSWORD);
    secret.inputs.stringData["email.yaml"] = text.replace(/^( +)base: .*$/m, "$1bases: x");
    const wrong = await runCheckJob(path.join(net.dir, "wrong"), subject, spoilt as typeof subject.objects);
    assert.equal(wrong.status, 1, wrong.text);
    assert.match(wrong.text, /BAD .*modules/);
    assert.ok(!wrong.text.includes(READER_PASSWORD));
  });

  it("make the account at the first one, with the directory's display name and e-mail address", async () => {
    const { status, user_id, access_token } = await byName("carol.van-dyck");
    assert.equal(status, 200);
    assert.equal(user_id, id("carol.van-dyck"));
    const user: User = { id: user_id, token: access_token! };
    const profile = await server.ask("GET", `/_matrix/client/v3/profile/${encodeURIComponent(user.id)}`, user);
    assert.equal(profile.displayname, "Carol van Dyck");
    const { threepids } = await server.ask("GET", "/_matrix/client/v3/account/3pid", user);
    assert.deepEqual(
      threepids.map((t: { medium: string; address: string }) => [t.medium, t.address]),
      [["email", "carol.van-dyck@corp.test"]],
    );
  });

  it("lead to one account, however the name is written, and by e-mail address", async () => {
    // The e-mail address first: the directory has the name in capitals.
    const password = "password of Bob.Jones";
    const logins = [
      await byMail("bob.jones@corp.test", password),
      ...(await Promise.all(["Bob.Jones", "bob.jones", "BOB.JONES", id("bob.jones")].map((n) => byName(n, password)))),
    ];
    assert.deepEqual(
      logins.map((l) => [l.status, l.user_id]),
      logins.map(() => [200, id("bob.jones")]),
    );
    for (const { access_token, user_id } of logins) {
      const who = await server.ask("GET", "/_matrix/client/v3/account/whoami", { id: user_id!, token: access_token! });
      assert.equal(who.user_id, id("bob.jones"));
    }
  });

  it("are refused with another password, and to those whom the filter leaves out", async () => {
    for (const refused of [
      await byName("alice", "password of carol"),
      await byName("alice", ""),
      await byName("guest"),
      await byName("nobody"),
      await byMail("guest@corp.test", "password of guest"),
      await byName("a*", "password of alice"),
    ])
      assert.equal(refused.status, 403, JSON.stringify(refused));
  });

  it("are for accounts of their own passwords too, and users confirm with the directory's what they delete", async () => {
    assert.equal((await byName("admin", "a-long-password")).user_id, admin.id);
    const first = await byName("alice"),
      second = await byName("alice");
    const user: User = { id: first.user_id!, token: first.access_token! };
    const remove = async (auth?: object): Promise<{ status: number; session?: string }> => {
      const answer = await fetch(`${server.url}/_matrix/client/v3/delete_devices`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${user.token}` },
        body: JSON.stringify({ devices: [second.device_id], ...(auth ? { auth } : {}) }),
      });
      return { status: answer.status, ...((await answer.json()) as object) };
    };
    const { session } = await remove();
    const confirmed = (password: string): ReturnType<typeof remove> =>
      remove({ type: "m.login.password", identifier: { type: "m.id.user", user: user.id }, password, session });
    assert.equal((await confirmed("another")).status, 401);
    assert.equal((await confirmed("password of alice")).status, 200);
  });

  it("are refused while the directory is away, instead of waiting for it, and keep no other password waiting", async () => {
    await directory.stop();
    const started = Date.now();
    // More than the threads in which Synapse checks passwords.
    const [own, ...away] = await Promise.all([
      byName("admin", "a-long-password"),
      ...Array.from({ length: 15 }, () => byName("alice")),
    ]);
    assert.equal(own.status, 200);
    assert.deepEqual(new Set(away.map((l) => l.status)), new Set([403]));
    const seconds = (Date.now() - started) / 1000;
    // Seconds on an idle machine; by itself ldap3 asks for ever.
    assert.ok(seconds < 120, `${seconds} s`);
    await directory.start();
    assert.equal((await byName("alice")).status, 200);
  });
});
