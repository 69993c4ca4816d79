/** The generator is an open loop: it sends when a request is due, and counts waiting as latency. */
import assert from "node:assert/strict";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { Client } from "../../lab/load/client";
import { generate } from "../../lab/load/generator";

describe("load: generator", () => {
  let server: http.Server, client: Client;
  /** What the server does with a request. */
  let answer: (request: http.IncomingMessage, response: http.ServerResponse) => void;
  const started: number[] = [];

  before(async () => {
    server = http.createServer((request, response) => {
      started.push(performance.now());
      request.resume();
      answer(request, response);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    client = new Client("127.0.0.1", (server.address() as AddressInfo).port);
  });
  after(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    started.length = 0;
  });

  it("does not wait for answers: five requests are on their way before the first is answered", async () => {
    const open: http.ServerResponse[] = [];
    answer = (_, response) => {
      open.push(response);
      if (open.length === 5) open.forEach((r) => r.end("{}"));
    };
    const due = [0, 0.01, 0.02, 0.03, 0.04].map((at) => ({ kind: "a", at }));
    const figures = await generate(client, due, () => ({ asked: { method: "GET", path: "/" } }));
    assert.equal(figures.get("a")!.served, 5);
    // The first has waited for the last.
    assert.ok(figures.get("a")!.p99! >= 35, `${figures.get("a")!.p99} ms`);
  });

  it("counts latency from the time a request was due, also when the generator itself was late", async () => {
    answer = (_, response) => response.end("{}");
    const due = [0, 0.001].map((at) => ({ kind: "a", at }));
    const figures = await generate(client, due, () => {
      // As a generator does that lacks the processor.
      for (const until = performance.now() + 60; performance.now() < until;);
      return { asked: { method: "GET", path: "/" } };
    });
    assert.ok(figures.get("a")!.p99! >= 118, `${figures.get("a")!.p99} ms`);
  });

  it("tells served from refused and failed, and only a served one is looked at", async () => {
    const statuses = [200, 429, 503, 500, 200, 0];
    answer = (request, response) => {
      const status = statuses[Number(request.url!.slice(1))]!;
      if (status === 0) request.socket.destroy();
      else response.writeHead(status).end("{}");
    };
    let seen = 0,
      n = -1;
    const due = statuses.map((_, i) => ({ kind: i === 4 ? "b" : "a", at: i / 100 }));
    const figures = await generate(client, due, () => {
      n += 1;
      return { asked: { method: "GET", path: `/${n}` }, then: () => (seen += 1) };
    });
    const { offered, served, refused, failed } = figures.get("a")!;
    assert.deepEqual({ offered, served, refused, failed }, { offered: 5, served: 1, refused: 2, failed: 2 });
    assert.equal(figures.get("b")!.served, 1);
    assert.equal(seen, 2);
  });
});
