/**
 * The view of a browser: Element Web's host, the well-known documents, and a page in a real browser that uses the
 * homeserver.
 */
import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import * as http from "node:http";
import { access, adminRequest, request, resolveNames, type Access } from "../../lab/local/access";
import { localConfig } from "../../lab/local/config";
import { resolveSettings } from "../../components/settings";
import { Browser } from "./helpers/browser";
import { measured, seconds } from "../../lab/proof/measured";
import { run } from "./helpers/common";

describe("the web", function () {
  this.timeout(120_000);
  let a: Access, browser: Browser;
  const { settings } = resolveSettings(localConfig([]), "local");
  const json = async (host: string, target: string): Promise<{ body: any; headers: Record<string, any> }> => {
    const answer = await request(a, host, target);
    assert.equal(answer.status, 200, `${host}${target}`);
    return { body: JSON.parse(answer.body.toString()), headers: answer.headers };
  };

  before(async () => {
    a = await access();
    resolveNames(a);
    browser = await Browser.start(a);
  });
  after(() => browser?.stop());

  it("Element Web's host answers with the configuration of this homeserver", async () => {
    const { body, headers } = await json(a.hostnames.web!, "/config.json");
    assert.deepEqual(body.default_server_config["m.homeserver"], {
      base_url: `https://${a.hostnames.homeserver}`,
      server_name: a.serverName,
    });
    assert.equal(body.disable_custom_urls, true);
    assert.deepEqual(body.enable_presence_by_hs_url, {
      [`https://${a.hostnames.homeserver}`]: settings!.presence.enabled,
    });
    assert.equal(headers["cache-control"], "no-cache");
    assert.match(headers["content-security-policy"], /frame-ancestors 'self'/);
    assert.match(headers["strict-transport-security"], /max-age=\d+/);
    const plain = await request(a, a.hostnames.web!, "/");
    assert.equal(plain.status, 200);
    assert.match(plain.headers["content-type"], /text\/html/);
  });

  it(".well-known names the homeserver to clients and to servers", async () => {
    const client = await json(a.serverName, "/.well-known/matrix/client");
    assert.equal(client.body["m.homeserver"].base_url.replace(/\/$/, ""), `https://${a.hostnames.homeserver}`);
    assert.equal(client.headers["access-control-allow-origin"], "*");
    assert.match(client.headers["content-type"], /application\/json/);
    // What it names must be there: a client goes on to ask this.
    assert.ok(
      (
        await json(new URL(client.body["m.homeserver"].base_url).host, "/_matrix/client/versions")
      ).body.versions.includes("v1.11"),
    );
    const server = await request(a, a.serverName, "/.well-known/matrix/server");
    const asked = settings!.federation.enabled || settings!.rtc.enabled;
    if (asked) assert.deepEqual(JSON.parse(server.body.toString()), { "m.server": `${a.hostnames.homeserver}:443` });
    else assert.equal(server.status, 404);
    measured(`programs that know the server name only ${asked ? "are led to port 443" : "find nothing: none asks"}`);
  });

  it("plain HTTP leads to HTTPS", async () => {
    const location = await new Promise<string | undefined>((done, failed) => {
      http
        .get({ host: a.address, port: 80, path: "/config.json", headers: { Host: a.hostnames.web! } }, (r) => {
          r.resume();
          assert.ok([301, 302, 307, 308].includes(r.statusCode!), `status ${r.statusCode}`);
          done(r.headers.location);
        })
        .on("error", failed);
    });
    assert.equal(location, `https://${a.hostnames.web}/config.json`);
  });

  it("the page loads in a real browser, which trusts the certificate by the stack's CA alone", async () => {
    const page = await browser.page();
    const start = Date.now();
    await page.open(`https://${a.hostnames.web}/`);
    const look = (): Promise<any> =>
      page.run<any>(
        `({ host: location.host, secure: isSecureContext, homeserver: document.getElementById("homeserver")?.textContent, flows: document.getElementById("flows")?.textContent })`,
      );
    for (let i = 0; i < 100 && !/m\.login|error/.test((await look()).flows ?? ""); i++)
      await new Promise((r) => setTimeout(r, 100));
    const { flows, ...seen } = await look();
    assert.deepEqual(seen, { host: a.hostnames.web, secure: true, homeserver: `https://${a.hostnames.homeserver}` });
    assert.match(flows, /m\.login\.password/);
    measured(
      `${await browser.version()}: loaded, configuration read, the homeserver's ways to log in shown, in ${seconds(Date.now() - start)}. Element Web's own files cannot be had on the test machine: a page of a few lines replaces them and reads the same configuration`,
    );
  });

  it("from that page a user logs in, syncs, and sends, across origins", async () => {
    const name = `browser-${run}`,
      password = crypto.randomBytes(12).toString("base64url");
    await adminRequest(a, name, password, false);
    const page = await browser.page();
    await page.open(`https://${a.hostnames.web}/`);
    const start = Date.now();
    const seen = await page.call(
      async (user: string, secret: string, serverName: string) => {
        const found: any = await (await fetch(`https://${serverName}/.well-known/matrix/client`)).json();
        const base = found["m.homeserver"].base_url;
        const call = async (method: string, path: string, token?: string, body?: unknown): Promise<any> => {
          const r = await fetch(base + path, {
            method,
            headers: {
              ...(body ? { "Content-Type": "application/json" } : {}),
              ...(token ? { Authorization: `Bearer ${token}` } : {}),
            },
            body: body ? JSON.stringify(body) : undefined,
          });
          return { status: r.status, type: r.type, ...((await r.json()) as any) };
        };
        const login = await call("POST", "/_matrix/client/v3/login", undefined, {
          type: "m.login.password",
          identifier: { type: "m.id.user", user },
          password: secret,
        });
        const token = login.access_token;
        const first = await call("GET", "/_matrix/client/v3/sync?timeout=0", token);
        const room = await call("POST", "/_matrix/client/v3/createRoom", token, { name: "from the browser" });
        const sent = await call(
          "PUT",
          `/_matrix/client/v3/rooms/${encodeURIComponent(room.room_id)}/send/m.room.message/1`,
          token,
          { msgtype: "m.text", body: "hello" },
        );
        let since = first.next_batch,
          arrived = false;
        for (let i = 0; i < 20 && !arrived; i++) {
          const s = await call("GET", `/_matrix/client/v3/sync?timeout=2000&since=${encodeURIComponent(since)}`, token);
          since = s.next_batch;
          arrived = JSON.stringify(s).includes(sent.event_id);
        }
        const refused = await call("GET", "/_matrix/client/v3/sync?timeout=0", "wrong");
        return {
          user: login.user_id,
          type: login.type,
          origin: (globalThis as any).location.origin,
          base,
          arrived,
          refused: [refused.status, refused.errcode],
        };
      },
      name,
      password,
      a.serverName,
    );
    assert.deepEqual(seen, {
      user: `@${name}:${a.serverName}`,
      type: "cors",
      origin: `https://${a.hostnames.web}`,
      base: `https://${a.hostnames.homeserver}`,
      arrived: true,
      refused: [401, "M_UNKNOWN_TOKEN"],
    });
    measured(
      `login, sync, room, message and its arrival: ${seconds(Date.now() - start)}; errors are readable across origins too`,
    );
  });

  it("a browser without the CA refuses the certificate", async () => {
    // Otherwise the tests above would prove nothing.
    const stranger = await Browser.start(a, false);
    try {
      await assert.rejects((await stranger.page()).open(`https://${a.hostnames.web}/`), /ERR_CERT_AUTHORITY_INVALID/);
    } finally {
      await stranger.stop();
    }
  });
});
