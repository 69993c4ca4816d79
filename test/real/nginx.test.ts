/**
 * The generated nginx configurations in a real nginx: syntax, access to the admin UI, headers of the documents.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { adminNginxConf } from "../../components/layers/web/adminConfig";
import { elementNginxConf } from "../../components/layers/web/elementConfig";
import { wellKnownNginxConf } from "../../components/layers/web/wellKnown";
import { nginxIn } from "../../lab/real/nginx";
import { requireNamespaces } from "../../lab/real/network";

const SITES = { admin: 18080, element: 18081, wellKnown: 18082, hidden: 18083 } as const;

describe("nginx configurations", function () {
  this.timeout(30_000);
  let dir: string;
  const running: ChildProcess[] = [];
  const url = (site: keyof typeof SITES, p: string): string => `http://127.0.0.1:${SITES[site]}${p}`;

  const nginx = (...args: string[]): [string, string[]] => nginxIn(dir, ...args);
  /** Paths of the pod to paths of the test; nothing else changes. */
  const local = (conf: string, port: number): string =>
    conf
      .replace(/ \/tmp\//g, ` ${dir}/tmp-${port}/`)
      .replace(/ \/dev\/std(err|out)/g, ` ${dir}/log`)
      .replace("listen 8080", `listen 127.0.0.1:${port}`)
      .replace("include /etc/nginx/mime.types", `include ${dir}/mime.types`)
      .replace(/alias \/conf\//g, `alias ${dir}/conf/`)
      .replace(/root \/(ui|app);/, `root ${dir}/ui;`);

  before(async () => {
    requireNamespaces();
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "nginx-"));
    for (const d of ["conf", "ui", "ui/bundles"]) fs.mkdirSync(path.join(dir, d));
    fs.writeFileSync(path.join(dir, "mime.types"), "types { text/html html; application/javascript js; }");
    for (const f of ["config", "client"]) fs.writeFileSync(path.join(dir, "conf", `${f}.json`), "{}");
    fs.writeFileSync(path.join(dir, "ui/index.html"), "ui");
    fs.writeFileSync(path.join(dir, "ui/bundles/a.js"), "1");
    fs.chmodSync(dir, 0o755);
    const confs = {
      admin: adminNginxConf({
        ipv6: false,
        homeserverHost: "m.test",
        routerFqdn: "127.0.0.1",
        allowCidrs: ["10.9.0.0/16", "2001:db8::/32"],
        trustedProxyCidrs: ["127.0.0.0/8"],
        neverClients: ["127.0.0.0/8", "10.9.2.0/24"],
        proxiesInFront: false,
        maxBodyMiB: 5,
      }),
      // Its controller is one of 127.0.0.0/8, which may enter as clients: so was a controller on the hosts' network.
      hidden: adminNginxConf({
        ipv6: false,
        homeserverHost: "m.test",
        routerFqdn: "127.0.0.1",
        allowCidrs: ["127.0.0.0/8", "10.0.0.0/8"],
        trustedProxyCidrs: ["127.0.0.0/8"],
        neverClients: ["127.0.0.0/8", "10.0.0.5/32"],
        proxiesInFront: true,
        maxBodyMiB: 5,
      }),
      element: elementNginxConf({ ipv6: false }),
      wellKnown: wellKnownNginxConf({ ipv6: false, documents: ["client"] }),
    };
    for (const [site, port] of Object.entries(SITES) as Array<[keyof typeof SITES, number]>) {
      const file = path.join(dir, `${site}.conf`);
      fs.mkdirSync(path.join(dir, `tmp-${port}`));
      fs.writeFileSync(file, local(confs[site], port));
      const check = spawnSync(...nginx("-t", "-e", path.join(dir, "log"), "-c", file), { encoding: "utf8" });
      assert.equal(check.status, 0, `${check.stderr}${fs.readFileSync(path.join(dir, "log"), "utf8")}`);
      running.push(spawn(...nginx("-e", path.join(dir, "log"), "-g", "daemon off;", "-c", file), { stdio: "ignore" }));
      for (let n = 0; ; n += 1) {
        if (
          await fetch(url(site, "/healthz")).then(
            (r) => r.ok,
            () => false,
          )
        )
          break;
        assert.ok(n < 1200, `${site} does not answer`);
        await new Promise((done) => {
          setTimeout(done, 50);
        });
      }
    }
  });
  after(async () => {
    await Promise.all(
      running.map(
        (p) =>
          new Promise<void>((done) => {
            if (p.exitCode !== null) done();
            else {
              p.on("exit", () => done());
              p.kill();
            }
          }),
      ),
    );
    if (dir) fs.rmSync(dir, { recursive: true });
  });

  const admin = async (p: string, forwardedFor?: string): Promise<number> =>
    (await fetch(url("admin", p), { headers: forwardedFor ? { "X-Forwarded-For": forwardedFor } : {} })).status;

  it("let only the given networks to the admin UI and its API", async () => {
    assert.equal(await admin("/"), 403);
    assert.equal(await admin("/", "8.8.8.8"), 403);
    assert.equal(await admin("/_synapse/admin/v1/users", "8.8.8.8"), 403);
    assert.equal(await admin("/_matrix/client/versions", "8.8.8.8"), 403);
    assert.equal(await admin("/config.json", "8.8.8.8"), 403);
    assert.equal(await admin("/", "10.9.1.1"), 200);
    assert.equal(await admin("/any/page", "2001:db8::5"), 200);
    // No router behind it here: reached, and not answered.
    assert.equal(await admin("/_synapse/admin/v1/users", "10.9.1.1"), 502);
    assert.equal(await admin("/_synapse/metrics", "10.9.1.1"), 404);
  });
  it("do not trust an address that a client names before the ingress controller's", async () => {
    assert.equal(await admin("/", "10.9.1.1, 8.8.8.8"), 403);
    // The controller saw an address of the cluster (translated by a node): not taken for the address before it.
    assert.equal(await admin("/", "10.9.1.1, 127.0.0.5"), 403);
  });
  it("never take a controller or a load balancer for a client, though its address is in a network with access", async () => {
    const hidden = async (p: string, forwardedFor?: string): Promise<number> =>
      (await fetch(url("hidden", p), { headers: forwardedFor ? { "X-Forwarded-For": forwardedFor } : {} })).status;
    // The Internet behind a controller on the hosts' network, which names the client or (translated) itself.
    assert.equal(await hidden("/", "8.8.8.8"), 403);
    assert.equal(await hidden("/_synapse/admin/v1/users", "127.0.0.9"), 403);
    assert.equal(await hidden("/"), 403);
    // A load balancer whose word the controller did not take, and one whose word it took.
    assert.equal(await hidden("/", "8.8.8.8, 10.0.0.5"), 403);
    assert.equal(await hidden("/", "8.8.8.8, 8.8.8.8"), 403);
    assert.equal(await hidden("/", "10.9.1.1, 10.9.1.1"), 200);
    assert.equal(await admin("/", "10.9.2.7"), 403);
    // Behind a proxy that no setting names, the controller saw that proxy, whose address may be one with access.
    assert.equal(await admin("/", "8.8.8.8, 10.9.1.1"), 403);
    assert.equal(await hidden("/healthz"), 200);
  });
  it("give the well-known documents to every origin, and no others", async () => {
    const r = await fetch(url("wellKnown", "/.well-known/matrix/client"));
    assert.equal(r.status, 200);
    assert.equal(r.headers.get("content-type"), "application/json");
    assert.equal(r.headers.get("access-control-allow-origin"), "*");
    const preflight = await fetch(url("wellKnown", "/.well-known/matrix/client"), { method: "OPTIONS" });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
    assert.equal((await fetch(url("wellKnown", "/.well-known/matrix/server"))).status, 404);
  });
  it("serve Element Web with headers that keep it out of frames and caches honest", async () => {
    const bundle = await fetch(url("element", "/bundles/a.js"));
    assert.match(bundle.headers.get("cache-control") ?? "", /immutable/);
    const page = await fetch(url("element", "/"));
    assert.equal(page.headers.get("cache-control"), "no-cache");
    assert.equal(page.headers.get("content-security-policy"), "frame-ancestors 'self'");
    assert.equal((await fetch(url("element", "/config.json"))).headers.get("content-type"), "application/json");
    assert.equal((await fetch(url("element", "/missing.js"))).status, 404);
  });
});
