/** The public entrance: enough addresses, and pods that hold what their address gets. */
import assert from "node:assert/strict";
import * as fc from "fast-check";
import { planFor } from "../../cli/plan";
import { ingressAddresses, ingressRecords } from "../../components/layers/ingress";
import { CONNECTIONS_PER_USER, USERS_PER_ADDRESS } from "../../components/sizing/door";

const SIZES = [100, 1_000, 5_000, 10_000, 20_000];

describe("the public entrance", () => {
  it("has an address for every 5,000 users, two pods for each, and grows with the users", () => {
    const doors = SIZES.map((ccu) => planFor({ ccu }).plan.ingress);
    assert.deepEqual(
      doors.map((d) => d.addresses.length),
      [1, 1, 1, 2, 4],
    );
    for (const d of doors) {
      assert.ok(d.usersEach <= USERS_PER_ADDRESS);
      assert.ok(d.replicasEach >= 2 && d.replicas === d.replicasEach * d.addresses.length);
      assert.ok(d.workers >= 2, "one worker would stop everyone for each handshake");
    }
    const connections = doors.map((d) => d.workerConnections * d.addresses.length);
    assert.deepEqual(
      connections,
      [...connections].sort((a, b) => a - b),
    );
    assert.ok(doors.at(-1)!.hostsApart, "the recommended hosts have room to keep all pods apart");
  });

  it("holds in any one worker what its users open, however many addresses there are", () => {
    fc.assert(
      // Smaller stacks have hosts for fewer entrances.
      fc.property(fc.integer({ min: 1_000, max: 20_000 }), fc.integer({ min: 1, max: 11 }), (ccu, addresses) => {
        const set = [`ingress.addresses=[${Array.from({ length: addresses }, (_, i) => `203.0.113.${10 + i}`)}]`];
        const { ingress } = planFor({ ccu, set }).plan;
        assert.equal(ingress.addresses.length, addresses);
        const each = Math.ceil(ccu / addresses) * CONNECTIONS_PER_USER;
        assert.ok(ingress.clientConnections + ingress.proxiedConnections >= each * 1.4);
        assert.ok(ingress.workerConnections >= ingress.clientConnections + ingress.proxiedConnections);
        assert.ok(ingress.openFiles > ingress.workerConnections);
        // 26 KiB and more for each connection of a client, as test/real/door.test.ts measures.
        assert.ok(ingress.memoryMiB * 1024 > ingress.clientConnections * 26);
      }),
      { numRuns: 12 },
    );
  });

  it("takes fewer addresses where the pool has fewer, and says so", () => {
    const { ingress, notes } = planFor({
      ccu: 20_000,
      set: ["addressPools=[{name: one, addresses: [203.0.113.7/32]}]"],
    }).plan;
    assert.deepEqual(ingress.addresses, [["203.0.113.7"]]);
    assert.ok(notes.some((note) => /20,000 users\. 4 addresses/.test(note)));
  });

  it("has in DNS every name at every address, of both families where the cluster has both", () => {
    const planned = planFor({
      ccu: 10_000,
      set: [
        "addressPools=[{name: six, addresses: ['2001:db8::10-2001:db8::20', 203.0.113.8/30]}]",
        "cluster.podCidrs=[10.244.0.0/16, 'fd00:1::/56']",
        "cluster.serviceCidrs=[10.96.0.0/12, 'fd00:2::/112']",
      ],
    });
    const addresses = ingressAddresses(planned);
    assert.deepEqual(
      addresses.map((a) => a.replace(/(:0)+:/, "::")),
      ["203.0.113.8", "2001:db8::10", "203.0.113.9", "2001:db8::11"],
    );
    const records = ingressRecords(planned);
    for (const name of Object.values({ ...planned.settings.hostnames, server: planned.settings.serverName })) {
      if (name === planned.settings.hostnames.turn) continue;
      assert.deepEqual(
        records.filter((r) => r.name === name).map((r) => r.addresses),
        [addresses],
      );
    }
  });
});
