/** The lab's name server, asked by a resolver that is not ours (c-ares, by Node). */
import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { NameServer } from "../../lab/real/dns";

describe("the lab's name server", () => {
  const server = new NameServer(),
    resolver = new Resolver({ timeout: 2_000, tries: 3 });
  before(async () => {
    resolver.setServers([`127.0.0.1:${await server.listen("127.0.0.1", 0)}`]);
    server.a.set("0.pods.matrix.svc.cluster.local", ["10.90.1.1"]);
    server.a.set("pods.matrix.svc.cluster.local", ["10.90.1.1", "10.90.1.2"]);
    server.srv.set("_http._tcp.pods.matrix.svc.cluster.local", [
      { target: "0.pods.matrix.svc.cluster.local", port: 8080, weight: 3 },
      { target: "1.pods.matrix.svc.cluster.local", port: 8081 },
    ]);
  });
  after(() => server.close());

  it("knows addresses, in whichever case they are asked for", async () => {
    assert.deepEqual((await resolver.resolve4("pods.matrix.svc.cluster.local")).sort(), ["10.90.1.1", "10.90.1.2"]);
    assert.deepEqual(await resolver.resolve4("0.PODS.matrix.svc.cluster.local", { ttl: true }), [
      { address: "10.90.1.1", ttl: 5 },
    ]);
  });

  it("knows services, with their weights and ports", async () => {
    const found = await resolver.resolveSrv("_http._tcp.pods.matrix.svc.cluster.local");
    assert.deepEqual(
      found
        .sort((a, b) => a.port - b.port)
        .map(({ name, port, priority, weight }) => ({ name, port, priority, weight })),
      [
        { name: "0.pods.matrix.svc.cluster.local", port: 8080, priority: 0, weight: 3 },
        { name: "1.pods.matrix.svc.cluster.local", port: 8081, priority: 0, weight: 1 },
      ],
    );
  });

  it("has nothing of another kind under a known name, and nothing at all under others", async () => {
    await assert.rejects(resolver.resolve6("pods.matrix.svc.cluster.local"), { code: "ENODATA" });
    await assert.rejects(resolver.resolve4("pod.matrix.svc.cluster.local"), { code: "ENOTFOUND" });
    assert.ok(server.unknown.has("pod.matrix.svc.cluster.local"));
    assert.ok(!server.unknown.has("pods.matrix.svc.cluster.local"));
  });
});
