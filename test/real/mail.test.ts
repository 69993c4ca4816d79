/** Synapse's own sender of e-mail, with the stack's configuration, and a real SMTP server: in clear, upgraded, TLS. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { renderSecretYaml } from "../../components/layers/synapse/homeserverYaml";
import { trust } from "../../components/layers/synapse/synapseStart";
import type { Settings } from "../../components/settings/types";
import { count } from "../../lab/real/counts";
import { Network } from "../../lab/real/network";
import { SMTPD } from "../../lab/real/programs";
import { FILES_AT, synapsePython } from "../../lab/real/synapsePython";
import { until } from "../../lab/common/until";
import { fixtureSettings } from "../fixtures/plan";
import { certificate } from "../helpers/example";

const SEND = `import json, types
from twisted.internet import reactor, task, defer
from synapse.config.homeserver import HomeServerConfig
from synapse.handlers.send_email import SendEmailHandler

BASE = {
    "server_name": "example.org", "public_baseurl": "https://matrix.example.org/", "report_stats": False,
    "macaroon_secret_key": "m", "form_secret": "f", "signing_key": "ed25519 a_lPym qvioDNmfExFBRPgdTU+wtFYKq4JfwFRv7sYVgWvmgJg",
    "database": {"name": "sqlite3", "args": {"database": ":memory:"}}, "enable_media_repo": False, "trusted_key_servers": [],
}

async def send(case):
    config = HomeServerConfig()
    config.parse_config_dict({**BASE, "email": case["email"]}, "", "")
    hs = types.SimpleNamespace(config=config, get_reactor=lambda: reactor)
    try:
        # Where the certificate is refused after STARTTLS, Synapse waits for a second try that does not come.
        mail = SendEmailHandler(hs).send_email("bob@example.net", "Hello", config.email.email_app_name, "<p>Hello</p>", "Hello")
        await defer.ensureDeferred(mail).addTimeout(10, reactor)
        print(json.dumps({"sent": True}))
    except Exception as error:
        print(json.dumps({"sent": False, "error": type(error).__name__}))

async def main():
    for case in json.load(open("${FILES_AT}/cases.json")):
        await send(case)

task.react(lambda _: defer.ensureDeferred(main()))
`;

type Smtp = NonNullable<Settings["emailSmtp"]>;
interface Message {
  server: string;
  from: string;
  to: string[];
  sender: string;
  tls: boolean;
  login: [string, string] | null;
}

const SERVERS = [
  { port: 25, kind: "plain" },
  { port: 26, kind: "starttls" },
  { port: 465, kind: "implicit" },
  { port: 587, kind: "starttls" },
  { port: 588, kind: "plain" },
  { port: 2465, kind: "implicit" },
];

describe("E-mail", () => {
  let net: Network, server: ChildProcess, made: { certificate: string; privateKey: string };
  let output = "";
  before(async () => {
    net = await new Network().start();
    made = await certificate(["localhost", "smtp.example.org"], "2020-01-01", "2120-01-01", true);
    const [crt, key] = ["smtp.crt", "smtp.key"].map((f) => path.join(net.dir, f));
    fs.writeFileSync(crt!, made.certificate);
    fs.writeFileSync(key!, made.privateKey);
    const script = path.join(__dirname, "../../lab/real/smtp_server.py");
    server = spawn("python3", [script, JSON.stringify(SERVERS), crt!, key!], {
      env: { ...process.env, PYTHONPATH: SMTPD, PYTHONDONTWRITEBYTECODE: "1" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    server.stdout!.on("data", (data: Buffer) => (output += data.toString()));
    await until("the SMTP servers", 60, () => (output.includes("ready") ? undefined : output), 0.1);
  });
  after(async () => {
    server?.kill();
    await net.close();
  });

  /**
   * What arrived for each, or the name of the error.
   * @param trusted Whether the servers' authority is one of the stack's
   */
  async function sent(cases: Array<Partial<Smtp>>, trusted = true): Promise<Array<Message | string>> {
    const emails = cases.map((more) => {
      const settings = fixtureSettings();
      settings.emailSmtp = { host: "localhost", port: 587, from: "chat@example.org", ...more };
      return { email: parse(renderSecretYaml(settings)!).email };
    });
    const lines = trusted ? trust({ own: `${FILES_AT}/authorities.crt`, both: `${FILES_AT}/both.crt` }) : ":";
    output = "";
    const done = await synapsePython(net, {
      files: {
        "cases.json": JSON.stringify(emails),
        "send.py": SEND,
        "authorities.crt": made.certificate,
        "start.sh": `set -eu\n${lines}\nexec python ${FILES_AT}/send.py\n`,
      },
      env: { HOME: "/tmp" },
      args: ["-c", `import os; os.execvp("sh", ["sh", "${FILES_AT}/start.sh"])`],
    });
    assert.equal(done.status, 0, done.output);
    const results = done.output
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as { sent: boolean; error?: string });
    assert.equal(results.length, cases.length, done.output);
    const wanted = results.filter((r) => r.sent).length;
    const messages = (): Message[] =>
      output
        .split("\n")
        .slice(0, -1)
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Message);
    await until("the messages", 10, () => (messages().length >= wanted ? undefined : output), 0.1);
    count("e-mails that Synapse sent, or refused to send", cases.length);
    const arrived = messages();
    assert.equal(arrived.length, wanted, output);
    return results.map((r) => (r.sent ? arrived.shift()! : r.error!));
  }
  const brief = (list: Array<Message | string>): unknown[] =>
    list.map((m) => (typeof m === "string" ? m : `${m.server} ${m.tls ? "TLS" : "in clear"}`));

  it("goes by port where nothing is said: TLS at 465 and 587, in clear only at 25", async () => {
    const [first, ...rest] = await sent([
      { port: 587, user: "matrix", password: "pass word" },
      { port: 465 },
      { port: 25 },
    ]);
    assert.deepEqual(first, {
      server: "starttls:587",
      from: "chat@example.org",
      to: ["bob@example.net"],
      sender: "Element <chat@example.org>",
      tls: true,
      login: ["matrix", "pass word"],
    });
    assert.deepEqual(brief(rest), ["implicit:465 TLS", "plain:25 in clear"]);
    // A server that offers no TLS where it is required.
    assert.deepEqual(brief(await sent([{ port: 588 }])), ["TLSRequiredError"]);
  });

  it("is as `tls` says, at any port", async () => {
    assert.deepEqual(
      brief(
        await sent([
          { port: 26, tls: "required" },
          { port: 26, tls: "opportunistic" },
          { port: 588, tls: "opportunistic" },
          { port: 26, tls: "off" },
          { port: 588, tls: "off" },
          { port: 2465, tls: "implicit" },
        ]),
      ),
      [
        "starttls:26 TLS",
        "starttls:26 TLS",
        "plain:588 in clear",
        "starttls:26 in clear",
        "plain:588 in clear",
        "implicit:2465 TLS",
      ],
    );
  });

  it("is sent to no server whose certificate is of an unknown authority, except with `off`", async () => {
    const got = await sent(
      [{ tls: "required" }, { tls: "opportunistic" }, { port: 2465, tls: "implicit" }, { tls: "off" }],
      false,
    );
    for (const refused of got.slice(0, 3)) assert.equal(typeof refused, "string", JSON.stringify(refused));
    assert.deepEqual(brief(got.slice(3)), ["starttls:587 in clear"]);
  });

  it("checks the name in the certificate: that of the host, or `tlsName`", async () => {
    const got = await sent([{ host: "127.0.0.1" }, { host: "127.0.0.1", tlsName: "smtp.example.org" }]);
    assert.equal(typeof got[0], "string");
    assert.deepEqual(brief(got.slice(1)), ["starttls:587 TLS"]);
  });

  it("has the sender that the settings name, whatever signs are in it", async () => {
    const got = await sent([
      { tls: "off", from: '"Corp, Inc." <chat@example.org>' },
      { tls: "off", from: "50% (Chat) <chat@example.org>" },
      { tls: "off", from: "%(app)s of Corp <chat@example.org>", user: "matrix", password: "in clear" },
    ]);
    assert.deepEqual(
      (got as Message[]).map((m) => [m.from, m.sender, m.login]),
      [
        ["chat@example.org", '"Corp, Inc." <chat@example.org>', null],
        ["chat@example.org", "50% (Chat) <chat@example.org>", null],
        ["chat@example.org", "Element of Corp <chat@example.org>", ["matrix", "in clear"]],
      ],
    );
  });
});
