/**
 * The public entrance under the connections that the plan promises for one pod, in the real nginx with the rendered
 * configuration: all of them at once, and every answer arrives.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { planFor } from "../../cli/plan";
import { nginxConfig } from "../../components/layers/cluster/ingressController/nginxIngress";
import { CLIENT_KIB, PROXIED_KIB, SLOT_KIB } from "../../components/sizing/door";
import { Door } from "../../lab/real/door";
import { requireNamespaces } from "../../lab/real/network";
import { ecKey, selfSigned } from "../helpers/authority";

/** Files that each process may open here, less those that are not connections. */
const files = (): number => Number(execFileSync("bash", ["-c", "ulimit -Hn"], { encoding: "utf8" })) - 1000;
/** nginx without slots and connections. */
const NGINX_KIB = 10 * 1024;
/** What nginx, clients and router need here for each connection, all together. */
const ALL_KIB = 200;
const memory = (): number => (os.freemem() / 1024 / ALL_KIB) * 0.5;

describe("the public entrance", function () {
  this.timeout(600_000);
  let dir: string, tls: { cert: string; key: string };
  before(async () => {
    requireNamespaces();
    const key = ecKey();
    tls = { key, cert: await selfSigned(key) };
  });

  for (const { ccu, whole } of [
    { ccu: 1_000, whole: true },
    { ccu: 20_000, whole: false },
  ]) {
    const how = whole ? "every connection" : "as many connections as this machine allows of those";
    it(`${how} that the plan promises for a pod at ${ccu} users: all answered`, async () => {
      dir = fs.mkdtempSync(path.join(os.tmpdir(), "door-"));
      fs.chmodSync(dir, 0o755);
      const { settings, plan } = planFor({ ccu });
      const { ingress } = plan;
      const promised = ingress.clientConnections + ingress.proxiedConnections;
      // A worker may get all of them, and has no more files than any process here.
      const scale = Math.min(1, files() / promised, memory() / promised);
      if (whole) assert.equal(scale, 1, "this machine is too small for the smallest promise");
      const clients = Math.floor(ingress.clientConnections * scale);
      const waiting = Math.floor(ingress.proxiedConnections * scale);
      const door = await Door.open(dir, nginxConfig(settings, plan), tls);
      try {
        await up(door);
        const empty = door.memoryKiB();
        const polls = await door.clients(waiting, 0);
        assert.deepEqual(polls.opened.failed, {});
        for (let n = 0; (await door.waiting()) < waiting; n++) {
          assert.ok(n < 300, `${await door.waiting()} of ${waiting} requests reached the router\n${door.errors()}`);
          await new Promise((done) => {
            setTimeout(done, 100);
          });
        }
        const held = door.memoryKiB();
        const others = await door.clients(0, clients - waiting);
        const full = door.memoryKiB();
        assert.deepEqual([others.opened.count, others.opened.failed], [clients - waiting, {}]);
        await door.answer();
        const [a, b] = await Promise.all([polls.finish(), others.finish()]);
        // Each request that was held, and then one more over every connection.
        assert.deepEqual([a.answered, a.failed], [2 * waiting, {}]);
        assert.deepEqual([b.answered, b.failed], [2 * (clients - waiting), {}]);
        assert.doesNotMatch(door.errors(), /worker_connections are not enough|Too many open files/);
        const client = (full - held) / (clients - waiting);
        const request = (held - empty) / waiting - client;
        const slot = (empty - NGINX_KIB) / ingress.workers / ingress.workerConnections;
        console.log(
          `        ${clients} clients, ${waiting} requests that wait: ${Math.round(scale * 100)} % of ${promised} connections; ${ingress.workers} workers of ${ingress.workerConnections}; ${(empty / 1024).toFixed(0)} MiB empty (${slot.toFixed(2)} KiB a slot), ${client.toFixed(1)} KiB a client, ${request.toFixed(1)} KiB more with a request that waits`,
        );
        // What nginx has empty is counted in whole pages of shared and own memory: a tenth more or less in each run.
        assert.ok(slot <= SLOT_KIB * 1.1, `${slot} KiB a slot, and the plan counts with ${SLOT_KIB}`);
        assert.ok(client <= CLIENT_KIB && request <= PROXIED_KIB, "the plan counts with less");
      } finally {
        await door.close();
        fs.rmSync(dir, { recursive: true });
      }
    });
  }
});

/** Waits until nginx answers. */
async function up(door: Door): Promise<void> {
  for (let n = 0; ; n++) {
    const { opened } = await door.clients(0, 1);
    if (opened.answered === 1) return;
    assert.ok(n < 100, door.errors());
  }
}
