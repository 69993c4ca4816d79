/** Every URL or host that the settings take is reached at its own host and port. */
import assert from "node:assert/strict";
import type { Edge } from "../../components/core/edges";
import { plan } from "../../components/plan";
import { exampleOf, typeOf, valueAt } from "../../components/schema/walk";
import { resolveSettings } from "../../components/settings";
import { edges } from "../../components/topology";
import { leaves, places, withValue, type Leaf } from "../helpers/everySetting";
import { EVERYTHING_ON, rich, situationOf, type Config } from "../helpers/richStack";

/** Names that pods of the stack do not connect to. */
const OTHERS: Record<string, string> = {
  "web.supportContact.page": "for people, in their browsers",
};

/** Never in the cluster: the settings refuse its names. */
const OUTSIDE = ["dataCentre.peers[].archive.endpoint"];

const isUrl = ({ schema }: Leaf): boolean => {
  const example = typeOf(schema) === "string" ? exampleOf(schema) : undefined;
  return typeof example === "string" && /^https?:/.test(example);
};

async function edgesWith(leaf: Leaf, value: string): Promise<Edge[]> {
  const base = EVERYTHING_ON(situationOf(leaf.name)(await rich(leaf.options)));
  return edgesOf(withValue(base, places(base, leaf.path)[0]!, value));
}
function edgesOf(config: Config): Edge[] {
  const { settings, errors } = resolveSettings(config, "test");
  assert.deepEqual(errors, []);
  return edges({ settings: settings!, plan: plan(settings!) });
}
const opens = (edge: Edge, port: number): boolean =>
  edge.ports.some((p) => p.protocol === "TCP" && p.port <= port && port <= (p.endPort ?? p.port));
/** Ends of the edges out of the stack that open a port, each once: several processes may share a target. */
const ends = (list: Edge[], port: number): Edge["to"][] => [
  ...new Map(
    list
      .filter((e) => ("world" in e.to || "cidrs" in e.to) && opens(e, port))
      .map((e): [string, Edge["to"]] => [JSON.stringify(e.to), e.to]),
  ).values(),
];

const URLS = leaves().filter(isUrl);

describe("a URL of the settings", () => {
  it("is one of these", () =>
    assert.deepEqual(URLS.map(({ name }) => name).sort(), [
      "appservices[].url",
      "backups.target(s3).endpoint",
      "dataCentre.peers[].archive.endpoint",
      "httpProxy.url",
      "monitoring.alertWebhook",
      "monitoring.heartbeatUrl",
      "objectStore(s3).endpoint",
      "sso.oidc[].issuer",
      "tls(acme).server",
      "web.supportContact.page",
    ]));

  for (const leaf of URLS.filter(({ name }) => !Object.hasOwn(OTHERS, name))) {
    it(`${leaf.name}: the port that it names is open to the world, and only then`, async () => {
      // A proxy's URL has a port, always.
      const usual = leaf.name === "httpProxy.url" ? "https://there.example.net:443/" : "https://there.example.net/";
      assert.deepEqual(ends(await edgesWith(leaf, usual), 7443), []);
      assert.deepEqual(ends(await edgesWith(leaf, "https://there.example.net:7443/"), 7443), [{ world: true }]);
    });
    it(`${leaf.name}: an address is reached itself`, async () =>
      assert.deepEqual(ends(await edgesWith(leaf, "https://10.9.8.7:7443/"), 7443), [
        { cidrs: ["10.9.8.7/32"], label: "10.9.8.7" },
      ]));
    if (!OUTSIDE.includes(leaf.name))
      it(`${leaf.name}: the name of a Service leads to the pods of its namespace`, async () => {
        for (const name of ["there.elsewhere.svc", "there.elsewhere.svc.cluster.local"]) {
          const found = (await edgesWith(leaf, `https://${name}:7443/`)).filter(
            (e) => "namespace" in e.to && e.to.namespace === "elsewhere",
          );
          assert.ok(found.length > 0 && found.every((e) => opens(e, 7443)), name);
        }
      });
  }
});

describe("a host of the settings", () => {
  const smtp = (host: string): ((c: Config) => Config) => {
    return (c) => ({ ...c, emailSmtp: { ...c.emailSmtp, host, port: 2525 } });
  };

  it("emailSmtp.host and port", async () => {
    const base = await rich();
    assert.deepEqual(ends(edgesOf(smtp("mail.example.net")(base)), 2525), [{ world: true }]);
    assert.deepEqual(ends(edgesOf(smtp("10.9.8.7")(base)), 2525), [{ cidrs: ["10.9.8.7/32"], label: "10.9.8.7" }]);
    const inside = edgesOf(smtp("mail.elsewhere.svc")(base));
    assert.ok(inside.some((e) => "namespace" in e.to && e.to.namespace === "elsewhere" && opens(e, 2525)));
  });

  it("each server of ldap.uris, at the port of its kind or its own", async () => {
    const base = await rich();
    const ldap = (...uris: string[]): Edge[] => edgesOf({ ...base, ldap: { ...base.ldap, uris } });
    assert.deepEqual(ends(ldap("ldaps://ldap.example.net", "ldaps://10.9.8.7:7636"), 636), [{ world: true }]);
    assert.deepEqual(ends(ldap("ldaps://ldap.example.net", "ldaps://10.9.8.7:7636"), 7636), [
      { cidrs: ["10.9.8.7/32"], label: "10.9.8.7" },
    ]);
    assert.deepEqual(ends(ldap("ldap://[2001:db8::7]"), 389), [{ cidrs: ["2001:db8::7/128"], label: "2001:db8::7" }]);
    const inside = ldap("ldap://ldap.elsewhere.svc");
    assert.ok(inside.some((e) => "namespace" in e.to && e.to.namespace === "elsewhere" && opens(e, 389)));
  });

  it("a server of federation.domainAllowList with a port: Synapse and the token service of calls reach it", async () => {
    const base = await rich();
    const list = edgesOf({ ...base, federation: { enabled: true, domainAllowList: ["a.example", "b.example:7448"] } });
    const callers = list.filter((e) => "world" in e.to && opens(e, 7448)).map((e) => valueAt(e.from, ["component"]));
    assert.ok(callers.includes("synapse-main") && callers.includes("lk-jwt-service"), callers.join(", "));
    assert.deepEqual(ends(edgesOf(base), 7448), []);
  });
});
