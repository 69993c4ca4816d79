/** A deployment that would make a second primary, or lose a database, is refused before anything changes. */
import assert from "node:assert/strict";
import { heldBy, losses } from "../../components/holds";
import { plan } from "../../components/plan";
import { centreConfig, peers, TOKEN, type Name } from "../helpers/dataCentres";
import { settingsOf } from "../helpers/settings";

type Options = Parameters<typeof centreConfig>[1];

const input = (config: Record<string, unknown>): Parameters<typeof heldBy>[0] => {
  const settings = settingsOf(config);
  return { settings, plan: plan(settings) };
};
/** The errors of one deployment after another, as path and text. */
const between = (before: Record<string, unknown>, after: Record<string, unknown>): Array<[string, string]> =>
  losses(JSON.parse(JSON.stringify({ holds: heldBy(input(before)) })), input(after)).map((e) => [
    e.path,
    [e.given, e.allowed, e.remedy].join("\n"),
  ]);
const of = (self: Name, before: Options, after: Options) =>
  between(centreConfig(self, before), centreConfig(self, after));
const alone = (): Record<string, unknown> => {
  const { dataCentre: _, ...config } = centreConfig("dc1");
  return { ...config, backups: { acceptNoOffsite: true } };
};
const generation = (i: number, value: number): Record<string, unknown> => ({
  peers: peers().map((peer, k) => (k === i ? { ...peer, generation: value } : peer)),
});

describe("among data centres a deployment is refused that", () => {
  it("promotes without a word about the former primary", () => {
    const [[path, text]] = of("dc2", {}, { primary: "dc2" }) as [[string, string]];
    assert.equal(path, "dataCentre.primary");
    assert.match(text, /npm run dr -- token.*npm run dr -- fence.*confirmLost: dc1/s);
    assert.deepEqual(of("dc2", {}, { primary: "dc2", more: { promotionToken: TOKEN } }), []);
    assert.deepEqual(of("dc2", {}, { primary: "dc2", more: { confirmLost: "dc1" } }), []);
  });

  it("promotes the founder back without one either", () => {
    assert.equal(of("dc1", { primary: "dc2" }, { primary: "dc1" })[0]![0], "dataCentre.primary");
    assert.deepEqual(of("dc1", { primary: "dc2" }, { primary: "dc1", more: { promotionToken: TOKEN } }), []);
  });

  it("calls another one lost than the primary", () =>
    assert.match(of("dc2", {}, { primary: "dc2", more: { confirmLost: "dc3" } })[0]![1], /the primary was dc1/));

  it("makes a standby of a stack that had the server's only database", () => {
    assert.deepEqual(
      between(alone(), centreConfig("dc1", { primary: "dc2" })).map(([path]) => path),
      ["dataCentre.primary"],
    );
    assert.deepEqual(between(alone(), centreConfig("dc1")), []);
  });

  it("takes the section away from a standby, which would begin to write", () => {
    assert.deepEqual(
      between(centreConfig("dc1", { primary: "dc2" }), alone()).map(([path]) => path),
      ["dataCentre"],
    );
    assert.deepEqual(between(centreConfig("dc1"), alone()), []);
  });

  it("changes which data centre this is, or who founded", () => {
    assert.deepEqual(
      between(centreConfig("dc2"), centreConfig("dc3")).map(([path]) => path),
      ["dataCentre.self"],
    );
    assert.deepEqual(
      of("dc2", {}, { more: { foundedBy: "dc3" } }).map(([path]) => path),
      ["dataCentre.foundedBy"],
    );
  });

  it("goes back to a folder with the log of another database", () =>
    assert.match(of("dc2", { more: generation(1, 2) }, {})[0]![1], /generation 2.*synapse-postgres-dc2-1/s));

  it("makes the serving database anew, and not that of a standby", () => {
    assert.deepEqual(
      of("dc1", {}, { more: generation(0, 2) }).map(([path]) => path),
      ["dataCentre.peers[0].generation"],
    );
    assert.deepEqual(of("dc2", {}, { more: generation(1, 2) }), []);
  });

  it("nothing of that hinders a demotion, and the first deployment of a standby", () => {
    assert.deepEqual(of("dc1", {}, { primary: "dc2" }), []);
    assert.deepEqual(losses({}, input(centreConfig("dc2"))), []);
  });
});
