/**
 * Large and slow bodies, through the real nginx with what the ingress controller is told, and the real HAProxy with its
 * generated configuration.
 */
import assert from "node:assert/strict";
import * as http from "node:http";
import {
  API_BODY_BYTES,
  bodyLimits,
  FILED_BYTES,
  LONG_BODIES_PER_ADDRESS,
  type BodyLimits,
} from "../../components/domain/bodies";
import { tier } from "../../lab/common/tiers";
import { ask } from "../../lab/real/classes";
import { note } from "../../lab/real/counts";
import { startIngressNginx, type IngressNginx } from "../../lab/real/ingressNginx";
import { startRouter, type Router } from "../../lab/real/router";

const MIB = 1024 ** 2;
const UPLOAD = "/_matrix/media/v3/upload";
const BACKUP = "/_matrix/client/v3/room_keys/keys?version=1";

interface Begun {
  reply: Promise<{ status: number; body: string }>;
  /** Sends so much of the body. */
  send(bytes: number): Promise<void>;
  abort(): void;
}

describe("large and slow bodies", function () {
  this.timeout(120_000);
  let router: Router, nginx: IngressNginx, limits: BodyLimits, at: { host: string; port: number };
  const begun: Begun[] = [];
  /** Requests whose bodies the class has not received as a whole, and the most of them at once in one process. */
  const open = new Map<string, number>();
  let most = 0,
    reached = 0,
    addresses = 0;

  before(async () => {
    router = await startRouter({
      name: "100 CCU, federation, for bodies",
      config: tier(100, { federation: true, more: { cluster: { ingressClass: "nginx" } } }).config,
    });
    const { s, classes, pod } = router;
    limits = bodyLimits(s.settings, s.plan.router);
    at = { host: pod.ip, port: 8008 };
    const object = (kind: string, name: string): any =>
      s.objects.find((o) => o.kind === kind && o.name === name)!.inputs;
    nginx = await startIngressNginx({
      config: object("ConfigMap", "nginx-config").data,
      // Of the two Ingresses of the host, that with the paths limits bodies.
      annotations: s.objects.find(
        (o) => o.kind === "Ingress" && o.name === "homeserver" && o.inputs.spec.rules[0].http,
      )!.inputs.metadata.annotations,
      backend: `${pod.ip}:8008`,
      port: 18_090,
    });
    classes.behaviour = (req, res, who) => {
      if (req.method === "GET") return false;
      const key = `${who.class}-${who.index}`;
      reached += 1;
      open.set(key, (open.get(key) ?? 0) + 1);
      most = Math.max(most, open.get(key)!);
      let bytes = 0;
      const done = (): void => {
        open.set(key, open.get(key)! - 1);
      };
      req.on("data", (d: Buffer) => {
        bytes += d.length;
      });
      req.on("end", () => res.end(JSON.stringify({ bytes })));
      req.on("close", done);
      return true;
    };
  });
  afterEach(async () => {
    begun.splice(0).forEach((b) => b.abort());
    await settled(() => [...open.values()].every((n) => n === 0));
    most = 0;
  });
  after(async () => {
    await nginx?.stop();
    await router?.stop();
  });

  const settled = async (check: () => boolean, seconds = 20): Promise<void> => {
    for (let n = 0; n < seconds * 20 && !check(); n += 1)
      await new Promise((done) => {
        setTimeout(done, 50);
      });
    assert.ok(check(), "not in time");
  };
  /** An address of its own: the router counts by address. */
  const somebody = (): string => {
    addresses += 1;
    return `198.51.${addresses >> 8}.${addresses & 255}`;
  };
  const begin = (
    to: { host: string; port: number; from?: string },
    method: string,
    url: string,
    length: number | undefined,
  ): Begun => {
    const req = http.request({
      host: to.host,
      port: to.port,
      method,
      path: url,
      agent: false,
      headers: {
        "x-forwarded-for": to.from ?? somebody(),
        ...(length === undefined ? { "transfer-encoding": "chunked" } : { "content-length": String(length) }),
      },
    });
    const reply = new Promise<{ status: number; body: string }>((resolve) => {
      req.on("response", (res) => {
        let body = "";
        res.on("data", (d) => {
          body += d;
        });
        res.on("end", () => resolve({ status: res.statusCode!, body }));
        res.on("error", () => resolve({ status: res.statusCode!, body }));
      });
      req.on("error", (e) => resolve({ status: 0, body: e.message }));
    });
    req.flushHeaders();
    const chunk = Buffer.alloc(MIB, "x");
    const b: Begun = {
      reply,
      send: async (bytes) => {
        for (let left = bytes; left > 0; left -= MIB)
          await new Promise<void>((resolve) => {
            req.write(left < MIB ? chunk.subarray(0, left) : chunk, () => resolve());
          });
        if (length === undefined) req.end();
      },
      abort: () => req.destroy(),
    };
    begun.push(b);
    return b;
  };
  const post = async (to: typeof at, url: string, bytes: number, method = "POST") => {
    const b = begin(to, method, url, bytes);
    void b.send(bytes);
    return b.reply;
  };
  const through = (): typeof at => ({ host: "127.0.0.1", port: nginx.port });

  it("leave nothing on the disk of the ingress controller, however many are sent", async () => {
    const size = limits.uploadBytes;
    // All but the last MiB of eleven uploads of the largest size: kept on disk first, they would be eleven times that.
    const uploads = Array.from({ length: 11 }, () => begin(through(), "POST", UPLOAD, size));
    await Promise.all(uploads.map((u) => u.send(size - MIB)));
    note(
      `eleven uploads of ${size / MIB} MiB under way: ${nginx.onDisk()} bytes on the disk of the ingress controller`,
    );
    assert.equal(nginx.onDisk(), 0);
    await Promise.all(uploads.map((u) => u.send(MIB)));
    for (const u of uploads) assert.deepEqual(await u.reply, { status: 200, body: JSON.stringify({ bytes: size }) });
  });

  it("pass where Synapse takes them: uploads of the largest size, and elsewhere what it takes of any request", async () => {
    for (const to of [at, through()]) {
      assert.equal((await post(to, UPLOAD, limits.uploadBytes)).status, 200);
      assert.equal((await post(to, `${UPLOAD}/example.org/abc`, limits.uploadBytes, "PUT")).status, 200);
      for (const [method, url] of [
        ["PUT", BACKUP],
        ["PUT", "/_matrix/federation/v1/send/1"],
        ["POST", "/_matrix/client/v3/keys/upload"],
      ] as const)
        assert.equal((await post(to, url, API_BODY_BYTES, method)).status, 200, url);
    }
  });

  it("are refused where Synapse would refuse them, before they reach it", async () => {
    const before = reached;
    for (const to of [at, through()]) {
      assert.equal((await begin(to, "POST", UPLOAD, limits.routerUploadBytes + 1).reply).status, 413);
      for (const [method, url] of [
        ["PUT", BACKUP],
        ["POST", "/_matrix/client/v3/login"],
        ["PUT", "/_matrix/federation/v1/send/1"],
        ["POST", "/_matrix/media/v1/create"],
        ["POST", "/_matrix/media/v3/%75pload"],
        ["POST", "/_matrix/media/v3/uploads"],
      ] as const) {
        const { status, body } = await begin(to, method, url, API_BODY_BYTES + 1).reply;
        assert.equal(status, 413, url);
        assert.match(body, /M_TOO_LARGE/, url);
      }
      assert.equal((await begin(to, "POST", UPLOAD, undefined).reply).status, 411);
    }
    assert.equal(reached, before);
  });

  it("of unknown size pass where Synapse ends them at its own limit", async () => {
    const b = begin(at, "POST", "/_matrix/client/v3/keys/upload", undefined);
    await b.send(200_000);
    assert.deepEqual(await b.reply, { status: 200, body: JSON.stringify({ bytes: 200_000 }) });
  });

  it("occupy no process of Synapse while they are short and slow", async () => {
    const before = reached;
    const b = begin(at, "POST", "/_matrix/client/v3/login", 4_000);
    await b.send(3_999);
    await new Promise((done) => {
      setTimeout(done, 3_000);
    });
    assert.equal(reached, before);
    await b.send(1);
    assert.equal((await b.reply).status, 200);
    const never = begin(at, "POST", "/_matrix/client/v3/login", 4_000);
    assert.equal((await never.reply).status, 408);
    assert.equal(reached, before + 1);
  });

  it("of uploads wait in the router while as many are under way as a media process has room for", async () => {
    const processes = router.classes.addresses.get("media")!.length;
    const room = limits.uploadsAtOnce * processes;
    const uploads = Array.from({ length: room + 4 }, () => begin(at, "POST", UPLOAD, 2 * MIB));
    await Promise.all(uploads.map((u) => u.send(MIB)));
    const under = (): number => [...open.values()].reduce((sum, n) => sum + n, 0);
    await settled(() => under() === room);
    assert.equal(most, limits.uploadsAtOnce);
    // Downloads are not held up.
    assert.equal((await ask(at, "GET", "/_matrix/client/v1/media/download/x/y")).status, 200);
    await Promise.all(uploads.map((u) => u.send(MIB)));
    for (const u of uploads) assert.equal((await u.reply).status, 200);
    assert.equal(most, limits.uploadsAtOnce);
  });

  it("that Synapse keeps in files are few at a time to one class, and short ones go on", async () => {
    const slow = Array.from({ length: limits.filedAtOnce }, () => begin(at, "PUT", BACKUP, FILED_BYTES));
    await Promise.all(slow.map((b) => b.send(50_000)));
    await settled(() => [...open.values()].reduce((sum, n) => sum + n, 0) === limits.filedAtOnce);
    const refused = await begin(at, "POST", "/_matrix/client/v3/register", FILED_BYTES).reply;
    assert.deepEqual([refused.status, /Too many large requests/.test(refused.body)], [503, true]);
    assert.equal((await post(at, BACKUP, FILED_BYTES - 1, "PUT")).status, 200);
    // Another class has its own.
    assert.equal((await post(at, "/_matrix/client/v3/sendToDevice/m.x/1", FILED_BYTES, "PUT")).status, 200);
    await Promise.all(slow.map((b) => b.send(50_000)));
    for (const b of slow) assert.equal((await b.reply).status, 200);
    assert.equal((await post(at, BACKUP, FILED_BYTES, "PUT")).status, 200);
  });

  it("come from one address few at a time", async () => {
    const from = somebody();
    const slow = Array.from({ length: LONG_BODIES_PER_ADDRESS }, () => begin({ ...at, from }, "PUT", BACKUP, 50_000));
    await Promise.all(slow.map((b) => b.send(20_000)));
    await settled(() => [...open.values()].reduce((sum, n) => sum + n, 0) === LONG_BODIES_PER_ADDRESS);
    const refused = await begin({ ...at, from }, "PUT", BACKUP, 50_000).reply;
    assert.deepEqual([refused.status, /M_LIMIT_EXCEEDED/.test(refused.body)], [429, true]);
    assert.equal((await post(at, BACKUP, 50_000, "PUT")).status, 200);
    await Promise.all(slow.map((b) => b.send(30_000)));
    for (const b of slow) assert.equal((await b.reply).status, 200);
    // Counted while they are under way, not for ever.
    const again = begin({ ...at, from }, "PUT", BACKUP, 50_000);
    await again.send(50_000);
    assert.equal((await again.reply).status, 200);
  });
});
