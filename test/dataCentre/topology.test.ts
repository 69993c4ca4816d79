/** What CloudNativePG is told in each data centre, as a primary, a standby, demoted and promoted. */
import assert from "node:assert/strict";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { peerLabels, isPods, type Edge } from "../../components/core/edges";
import { clusterMetadata, cnpgClusterSpec } from "../../components/layers/postgres/cnpgCluster";
import { plan } from "../../components/plan";
import { edges } from "../../components/topology";
import { WITHOUT_OPERATORS } from "../../lab/common/tiers";
import { crdProblems } from "../helpers/crdSchemas";
import { centreConfig, NAMES, peers, TOKEN, type Name } from "../helpers/dataCentres";
import { settingsOf } from "../helpers/settings";
import { TARGET } from "../postgres/planned";

type Options = Parameters<typeof centreConfig>[1];

function cluster(self: Name, options: Options = {}): any {
  const settings = settingsOf(centreConfig(self, options));
  return cnpgClusterSpec({ settings, plan: plan(settings), backup: TARGET });
}
const waits = (self: Name, options: Options = {}): string =>
  clusterMetadata(settingsOf(centreConfig(self, options))).annotations["pulumi.com/waitFor"]!;
/** dc1's database was lost and is made anew. */
const anew = peers().map((peer, i) => (i === 0 ? { ...peer, generation: 2 } : peer));

describe("the database among data centres", () => {
  it("is made empty where it was founded, and is a copy of the primary's elsewhere", () => {
    assert.deepEqual(Object.keys(cluster("dc1").bootstrap), ["initdb"]);
    for (const name of ["dc2", "dc3"] as const)
      assert.deepEqual(cluster(name).bootstrap, {
        recovery: { source: "dc1", database: "synapse", owner: "synapse", secret: { name: "synapse-database" } },
      });
  });

  it("keeps how it was made when it is promoted or demoted: CloudNativePG makes no standby any other way", () => {
    assert.equal(cluster("dc2", { primary: "dc2" }).bootstrap.recovery.source, "dc1");
    assert.deepEqual(cluster("dc1", { primary: "dc2" }).bootstrap, cluster("dc1").bootstrap);
  });

  it("is a copy also where it was founded, once that database is lost", () => {
    const spec = cluster("dc1", { primary: "dc2", more: { peers: anew } });
    assert.equal(spec.bootstrap.recovery.source, "dc2");
    assert.equal(spec.plugins[0].parameters.serverName, "synapse-postgres-dc1-2");
    // The others look for it there.
    const [dc1] = cluster("dc2", { primary: "dc2", more: { peers: anew } }).externalClusters;
    assert.equal(dc1.plugin.parameters.serverName, "synapse-postgres-dc1-2");
  });

  it("follows the primary, whichever that is", () => {
    assert.deepEqual(cluster("dc1").replica, { self: "dc1", primary: "dc1", source: "dc2" });
    assert.deepEqual(cluster("dc2").replica, { self: "dc2", primary: "dc1", source: "dc1" });
    assert.deepEqual(cluster("dc1", { primary: "dc2" }).replica, { self: "dc1", primary: "dc2", source: "dc2" });
    assert.deepEqual(cluster("dc3", { primary: "dc2" }).replica, { self: "dc3", primary: "dc2", source: "dc2" });
  });

  it("is promoted by one change of one object: primary and token together", () => {
    const [before, after] = [cluster("dc2"), cluster("dc2", { primary: "dc2", more: { promotionToken: TOKEN } })];
    assert.deepEqual(after.replica, { self: "dc2", primary: "dc2", source: "dc1", promotionToken: TOKEN });
    const changed = Object.keys(after).filter((key) => JSON.stringify(after[key]) !== JSON.stringify(before[key]));
    assert.deepEqual(changed, ["replica"]);
  });

  it("knows every data centre, itself included, each with the folder of its own generation", () => {
    for (const self of NAMES) {
      const known = cluster(self).externalClusters as any[];
      assert.deepEqual(
        known.map((c) => [c.name, c.plugin.parameters.serverName]),
        NAMES.map((name) => [name, `synapse-postgres-${name}-1`]),
      );
      assert.deepEqual(
        known.map((c) => c.plugin.parameters.barmanObjectName),
        NAMES.map((name) => (name === self ? "synapse-postgres" : `synapse-archive-${name}`)),
      );
    }
  });

  it("reads the others encrypted, and only where both know the password", () => {
    for (const { connectionParameters: c, password } of cluster("dc2").externalClusters.filter(
      (e: any) => e.name !== "dc2",
    )) {
      assert.deepEqual([c.user, c.sslmode, c.channel_binding], ["matrix_ha_stream", "require", "require"]);
      assert.deepEqual(password, { name: "synapse-postgres-stream", key: "password" });
      // By this name the primary's metrics tell the others from its own standbys.
      assert.equal(c.application_name, "matrix-ha-dc2");
    }
  });

  it("lets that role replicate over TLS only, and makes it where it is the primary", () => {
    const spec = cluster("dc1");
    assert.deepEqual(spec.postgresql.pg_hba, ["hostssl replication matrix_ha_stream all scram-sha-256"]);
    const [role] = spec.managed.roles;
    assert.deepEqual(
      [role.name, role.login, role.replication, role.superuser],
      ["matrix_ha_stream", true, true, undefined],
    );
  });

  it("is reached at its address by the networks of the others, and by nobody else", () => {
    const [{ selectorType, serviceTemplate }] = cluster("dc2").managed.services.additional;
    assert.equal(selectorType, "rw");
    assert.deepEqual(serviceTemplate.metadata.annotations, { "metallb.io/loadBalancerIPs": "203.0.113.50" });
    assert.deepEqual(serviceTemplate.spec.loadBalancerSourceRanges, ["203.0.113.0/27", "203.0.113.64/27"]);
    assert.equal(serviceTemplate.spec.externalTrafficPolicy, "Local");
    assert.equal(serviceTemplate.spec.allocateLoadBalancerNodePorts, false);
  });

  it("gets no address from the pool where a router leads to it", () => {
    const list = peers();
    list[1]!.stream.host = "db.dc2.example.net";
    const [{ serviceTemplate }] = cluster("dc2", { more: { peers: list } }).managed.services.additional;
    assert.equal(serviceTemplate.metadata.annotations, undefined);
  });

  it("is waited for in the primary, and not in a standby, which may have no instance that is ready", () => {
    assert.equal(waits("dc1"), "condition=Ready");
    assert.equal(waits("dc2"), "condition=Initialized");
    assert.equal(waits("dc1", { primary: "dc2" }), "condition=Initialized");
  });

  it("is as the operator's definition allows", () => {
    const promoted: Options = { primary: "dc2", more: { promotionToken: TOKEN } };
    for (const spec of [cluster("dc1"), cluster("dc2"), cluster("dc1", { primary: "dc2" }), cluster("dc2", promoted)])
      assert.deepEqual(
        crdProblems({ apiVersion: "postgresql.cnpg.io/v1", kind: "Cluster", metadata: { name: "x" }, spec }),
        [],
      );
  });
});

describe("the objects of a standby", () => {
  let all: RegisteredResource[];
  const named = (kind: string, name: string): RegisteredResource => {
    const found = all.filter((r) => r.inputs?.kind === kind && r.inputs.metadata?.name === name);
    assert.equal(found.length, 1, `${found.length} of ${kind} ${name}`);
    return found[0]!;
  };
  before(async () => {
    const config = { ...centreConfig("dc2", { ccu: 100 }), ...WITHOUT_OPERATORS };
    all = (
      await evaluate({
        stack: "dc2",
        config: {
          ...config,
          cluster: {
            install: { ...(WITHOUT_OPERATORS as any).cluster.install, barmanPlugin: true, certManager: true },
          },
        },
      })
    ).resources;
  });

  it("have the archive of each other data centre to read, and its own to write", () => {
    for (const [name, bucket] of [
      ["synapse-archive-dc1", "archive-dc1"],
      ["synapse-archive-dc3", "archive-dc3"],
      ["synapse-postgres", "archive-dc2"],
    ] as const) {
      const { spec, apiVersion, kind, metadata } = named("ObjectStore", name).inputs;
      assert.deepEqual(crdProblems({ apiVersion, kind, metadata, spec }), []);
      assert.equal(spec.configuration.destinationPath, `s3://${bucket}/`);
      // Nothing of another one's archive is thrown away.
      assert.equal(spec.retentionPolicy, name === "synapse-postgres" ? "30d" : undefined);
      const { accessKeyId } = spec.configuration.s3Credentials;
      assert.ok(named("Secret", accessKeyId.name).inputs.stringData[accessKeyId.key], name);
    }
  });

  it("have each password in Secrets alone", () => {
    const { secretPaths, inputs } = named("Secret", "synapse-postgres-stream");
    assert.equal(inputs.stringData.username, "matrix_ha_stream");
    assert.ok(secretPaths.some((path) => path.startsWith("stringData")));
    for (const name of ["synapse-archive-dc1", "synapse-archive-dc3"])
      assert.ok(
        named("Secret", name).secretPaths.some((path) => path.startsWith("stringData")),
        name,
      );
  });

  it("are made before the Cluster that names them", () => {
    const { dependencies } = named("Cluster", "synapse-postgres");
    for (const [kind, name] of [
      ["ObjectStore", "synapse-archive-dc1"],
      ["Secret", "synapse-postgres-stream"],
    ] as const)
      assert.ok(dependencies.includes(named(kind, name).urn), name);
  });
});

describe("connections between data centres", () => {
  const input = (self: Name) => {
    const settings = settingsOf(centreConfig(self));
    return { settings, plan: plan(settings) };
  };
  const isDatabase = (p: Edge["from"]): boolean =>
    isPods(p) && peerLabels(p)["app.kubernetes.io/component"] === "synapse-postgres";

  it("come from the networks of the others to the database, on its port alone", () => {
    const { settings, plan: planned } = input("dc1");
    const incoming = edges({ settings, plan: planned }).filter((e) => "cidrs" in e.from && isDatabase(e.to));
    assert.deepEqual(
      incoming.map((e) => [(e.from as { cidrs: string[] }).cidrs, e.ports.map((p) => p.port)]),
      [[["203.0.113.32/27", "203.0.113.64/27"], [5432]]],
    );
  });

  it("go from the database to the address of each other one", () => {
    const { settings, plan: planned } = input("dc1");
    const outgoing = edges({ settings, plan: planned }).filter((e) => isDatabase(e.from) && "cidrs" in e.to);
    assert.deepEqual(
      outgoing
        .map((e) => (e.to as { cidrs: string[] }).cidrs)
        .flat()
        .sort(),
      ["203.0.113.50/32", "203.0.113.80/32"],
    );
  });
});
