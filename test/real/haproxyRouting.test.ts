/**
 * The real HAProxy sends each of Synapse's requests to the class that the routing table names. Servers are taken out
 * of the generated configuration and each backend answers with its own name; everything else is as generated.
 * Needs `haproxy` on PATH: npx mocha --no-config -r tsx test/real/haproxyRouting.test.ts
 */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import { backendName, renderHaproxyCfg } from "../../components/router";
import { classify } from "../../components/synapse/routingTable";
import { fixturePlan } from "../fixtures/context";
import servlets from "../router/servlets.json";

const PUBLIC = 18008, ADMIN = 18010, HEALTH = 18404;
const plan = fixturePlan();
plan.synapse.pools.push({ ...plan.synapse.pools[1]!, class: "federation-reader" });

/** `alive`: whether a backend has a server that is up. */
function testable(text: string, alive: (backend: string) => boolean): string {
  let backend = "";
  return text.split("\n").flatMap((line) => {
    backend = /^backend (\S+)/.exec(line)?.[1] ?? backend;
    if (line.startsWith("  default-server")) return [];
    if (line.startsWith("  option httpchk")) return !alive(backend) ? [] : [`  http-request return status 200 content-type text/plain lf-string "${backend} %[var(txn.user)]|%[var(txn.room)]|%[var(txn.origin)]|%[var(txn.media)]|%[req.hdr(X-Forwarded-For)]"`];
    if (line.includes("server-template")) return [`  server s 127.0.0.1:1${alive(backend) ? "" : " disabled"}`];
    return [line.replace(/bind :(8008|8010|8404)/, (_, p: string) => `bind 127.0.0.1:1${p}`)];
  }).join("\n");
}

interface Reply { status: number; body: string; headers: http.IncomingHttpHeaders }
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
const ask = (port: number, method: string, url: string, headers: Record<string, string> = {}): Promise<Reply> => new Promise((resolve, reject) => {
  const r = http.request({ host: "127.0.0.1", port, method, path: url, headers, agent }, (res) => {
    let body = "";
    res.on("data", (d) => { body += d; });
    res.on("end", () => resolve({ status: res.statusCode!, body, headers: res.headers }));
  });
  r.on("error", reject);
  r.end();
});

async function start(alive: (backend: string) => boolean): Promise<ChildProcess> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "haproxy-"));
  const version = /version (\d+)\.(\d+)/.exec(spawnSync("haproxy", ["-v"]).stdout.toString())!;
  const text = renderHaproxyCfg({ plan, clusterDomain: "cluster.local", federation: true, maxUploadMiB: 100, hashByAddress: Number(version[1]) >= 3 });
  fs.writeFileSync(path.join(dir, "full.cfg"), text);
  const checked = spawnSync("haproxy", ["-c", "-f", path.join(dir, "full.cfg")]);
  assert.equal(checked.status, 0, checked.stderr.toString());
  fs.writeFileSync(path.join(dir, "test.cfg"), testable(text, alive));
  const child = spawn("haproxy", ["-db", "-f", path.join(dir, "test.cfg")], { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr!.on("data", (d) => { errors += d; });
  for (;;) {
    if (child.exitCode !== null) throw new Error(errors);
    if (await ask(HEALTH, "GET", "/healthz").then((r) => r.status === 200, () => false)) return child;
    await new Promise((r) => setImmediate(r));
  }
}
const stop = (child: ChildProcess): Promise<void> => new Promise((resolve) => { child.on("exit", () => resolve()); child.kill("SIGTERM"); });

describe("the real HAProxy", () => {
  let child: ChildProcess;
  before(async function () {
    if (spawnSync("haproxy", ["-v"]).status !== 0) return this.skip();
    child = await start(() => true);
  });
  after(() => (child ? stop(child) : undefined));

  it("sends every servlet's request where the table says, on both ports", async () => {
    for (const [port, frontend] of [[PUBLIC, "public"], [ADMIN, "admin"]] as const) for (const line of servlets.requests) for (const query of ["", "since=s1"]) {
      const [method, url] = line.split(" ") as [string, string];
      const want = classify({ method, path: url, query }, { plan, federation: true, frontend });
      const got = await ask(port, method, query ? `${url}?${query}` : url);
      assert.equal(got.status === 404 ? undefined : got.body.split(" ")[0], want && backendName(want.class, want.hash), `${frontend} ${line} ${query}`);
    }
  }).timeout(120_000);

  const keys = async (url: string, headers: Record<string, string> = {}): Promise<string[]> => (await ask(PUBLIC, "GET", url, headers)).body.split(/[ |]/);

  it("takes the user from the token, in the header or the query", async () => {
    assert.equal((await keys("/_matrix/client/v3/sync", { authorization: "Bearer syt_YWxpY2U_abc_def" }))[1], "YWxpY2U");
    assert.equal((await keys("/_matrix/client/v3/sync?access_token=syt_YWxpY2U_abc_def"))[1], "YWxpY2U");
    assert.equal((await keys("/_matrix/client/v3/sync", { authorization: "Bearer mat_opaque" }))[1], "mat_opaque");
  });

  it("takes the room decoded, and one field later under api/v1", async () => {
    for (const url of ["/_matrix/client/v3/rooms/!r:x/messages", "/_matrix/client/v3/rooms/%21r%3Ax/messages", "/_matrix/client/api/v1/rooms/!r%3ax/messages"]) assert.equal((await keys(url))[2], "!r:x", url);
  });

  it("takes the sending server from its signature, and the address that the ingress saw", async () => {
    const signed = await keys("/_matrix/federation/v1/version", { authorization: 'X-Matrix origin="A.example",destination="x",key="ed25519:1",sig="y"', "x-forwarded-for": "6.6.6.6, 9.9.9.9" });
    assert.equal(signed[3], "a.example");
    assert.equal(signed[5], "9.9.9.9");
    assert.equal((await keys("/_matrix/federation/v1/version", { authorization: "X-Matrix destination=x,key=k,sig=y,origin=b.example", "x-forwarded-for": "9.9.9.9" }))[3], "b.example");
    assert.equal((await keys("/_matrix/federation/v1/version", { "x-forwarded-for": "9.9.9.9" }))[3], "9.9.9.9");
  });

  it("takes the media id, for all sizes of one file", async () => {
    for (const url of ["/_matrix/client/v1/media/download/x/abc", "/_matrix/client/v1/media/thumbnail/x/abc?width=1", "/_matrix/media/v3/download/x/abc/name.png"]) assert.equal((await keys(url))[4], "abc", url);
    assert.equal((await keys("/_matrix/client/v1/media/config"))[4], "");
  });

  it("answers preflights, refuses what is too large, and what is encoded to look public", async () => {
    const preflight = await ask(PUBLIC, "OPTIONS", "/_matrix/client/v3/sync");
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers["access-control-allow-origin"], "*");
    assert.equal((await ask(PUBLIC, "GET", "/_matrix/media/v3/upload", { "content-length": String(200 * 1024 * 1024) }).catch(() => ({ status: 413 }))).status, 413);
    for (const url of ["/%5fsynapse/admin/v1/register", "/_synapse/%61dmin/v2/users", "//_synapse/admin/v2/users", "/_synapse/metrics"]) assert.equal((await ask(PUBLIC, "GET", url)).status, 404, url);
  });

  it("falls back when a class has no process, and says Retry-After where nothing may step in", async () => {
    await stop(child);
    child = await start((b) => !/^(synchrotron|initial-sync|device-lists|ephemeral)/.test(b));
    assert.match((await ask(PUBLIC, "GET", "/_matrix/client/v3/sync?since=1")).body, /^generic-by-user /);
    assert.match((await ask(PUBLIC, "GET", "/_matrix/client/v3/sync")).body, /^generic-by-user /);
    assert.match((await ask(PUBLIC, "POST", "/_matrix/client/v3/keys/upload")).body, /^generic-by-user /);
    const none = await ask(PUBLIC, "PUT", "/_matrix/client/v3/rooms/!r:x/typing/@u:x");
    assert.deepEqual([none.status, none.headers["retry-after"], JSON.parse(none.body).errcode, none.headers["access-control-allow-origin"]], [503, "2", "M_UNKNOWN", "*"]);
  });
});
