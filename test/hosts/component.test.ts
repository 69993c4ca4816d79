import assert from "node:assert/strict";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { Hosts } from "../../components/layers/hosts";
import type { Settings } from "../../components/settings/types";
import { fixtureContext } from "../fixtures/context";
import { exampleHostKey } from "../../components/settings";

const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nnever in a command\n-----END OPENSSH PRIVATE KEY-----\n";

const hosts = (change: (s: Settings) => void = () => undefined): Promise<Evaluation> =>
  evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = fixtureContext((s) => {
        for (const h of s.hosts) h.ssh.privateKey = KEY;
        change(s);
      });
      new Hosts("hosts", { ctx }, { provider: ctx.provider });
      return {};
    },
  });
const commands = (e: Evaluation): Evaluation["resources"] =>
  e.resources.filter((r) => r.type === "command:remote:Command");
const patches = (e: Evaluation, end: string): Evaluation["resources"] =>
  e.resources.filter((r) => r.type.endsWith(":NodePatch") && r.name.endsWith(end));

describe("hosts: component", () => {
  let all: Evaluation;
  before(async () => {
    all = await hosts();
  });

  it("checks the host key at every connection, and hands the private key over as a secret", () => {
    // Eight steps on every host, the volume of the WAL on the three of the database, etcd on the three control planes.
    assert.equal(commands(all).length, 15 * 8 + 3 + 3);
    for (const c of commands(all)) {
      assert.match(c.inputs.connection.hostKey, /^ssh-ed25519 /, c.name);
      assert.ok(
        c.secretPaths.some((p) => p.startsWith("connection")),
        c.name,
      );
      for (const output of ["stderr", "stdout"]) assert.ok(c.additionalSecretOutputs.includes(output), c.name);
    }
  });

  it("puts no secret into a command, an environment or a trigger, and undoes nothing on delete", () => {
    for (const c of commands(all)) {
      assert.doesNotMatch(c.inputs.create, /PRIVATE KEY/);
      for (const absent of ["environment", "triggers", "delete", "update"])
        assert.equal(c.inputs[absent], undefined, `${c.name}: ${absent}`);
    }
  });

  it("runs a host's steps one after the other, hosts beside each other, and labels last", () => {
    const of = (name: string): Evaluation["resources"] =>
      commands(all).filter((c) => c.name.startsWith(`hosts-${name}-`));
    const steps = of("db-a");
    assert.deepEqual(
      steps.map((s) => s.name.slice("hosts-db-a-".length)),
      ["packages", "kernel-modules", "sysctls", "swap", "time", "disks", "wal", "firewall", "kubelet"],
    );
    for (let i = 1; i < steps.length; i++) assert.deepEqual(steps[i].dependencies, [steps[i - 1].urn]);
    assert.deepEqual(steps[0].dependencies, []);
    assert.deepEqual(patches(all, "db-a-labels")[0].dependencies, [steps.at(-1)!.urn]);
  });

  it("labels nodes with their roles and zone, call hosts for TURN and the SFU", () => {
    const labels = (e: Evaluation, host: string): unknown =>
      patches(e, `hosts-${host}-labels`)[0].inputs.metadata.labels;
    assert.deepEqual(labels(all, "call-b"), {
      "matrix-ha.dev/role-call": "true",
      coturn: "true",
      livekit: "true",
      "topology.kubernetes.io/zone": "b",
    });
    assert.deepEqual(labels(all, "app-a"), {
      "matrix-ha.dev/role-application": "true",
      "topology.kubernetes.io/zone": "a",
    });
  });

  it("reserves a host for its role only if it has no other", async () => {
    const specOf = (e: Evaluation, host: string): any => patches(e, `${host}-labels`)[0].inputs.spec;
    assert.deepEqual(specOf(all, "db-a"), {
      taints: [{ key: "matrix-ha.dev/role-database", value: "true", effect: "NoSchedule" }],
    });
    assert.deepEqual([specOf(all, "app-a"), specOf(all, "cp-a")], [undefined, undefined]);
    const shared = await hosts((s) => {
      s.hosts.find((h) => h.name === "db-a")!.roles.push("storage");
    });
    assert.equal(specOf(shared, "db-a"), undefined);
  });

  it("patches each node once: all is applied under one name, and a second patch would undo the first", () => {
    const nodes = all.resources.filter((r) => r.type.endsWith(":NodePatch")).map((r) => r.inputs.metadata.name);
    assert.equal(new Set(nodes).size, nodes.length);
  });

  it("goes through the bastion, whose key is checked too, and through sudo", async () => {
    const e = await hosts((s) => {
      s.hosts = [s.hosts[0]];
      Object.assign(s.hosts[0].ssh, {
        user: "debian",
        port: 2222,
        bastion: { host: "bastion", port: 22, user: "jump", hostKey: "ssh-ed25519 BASTION" },
      });
    });
    const c = commands(e)[0].inputs;
    assert.deepEqual(
      { ...c.connection, privateKey: undefined, proxy: { ...c.connection.proxy, privateKey: undefined } },
      {
        host: "10.1.0.10",
        port: 2222,
        user: "debian",
        hostKey: exampleHostKey("app-a"),
        dialErrorLimit: 10,
        perDialTimeout: 15,
        privateKey: undefined,
        proxy: {
          host: "bastion",
          port: 22,
          user: "jump",
          hostKey: "ssh-ed25519 BASTION",
          dialErrorLimit: 10,
          perDialTimeout: 15,
          privateKey: undefined,
        },
      },
    );
    assert.match(c.create, /^sudo -n bash -c /);
  });

  it("refuses a host or bastion without a key", async () => {
    await assert.rejects(
      hosts((s) => {
        delete s.hosts[2].ssh.hostKey;
      }),
      /hosts\[2\]\.ssh\.hostKey: missing/,
    );
    await assert.rejects(
      hosts((s) => {
        s.hosts[1].ssh.bastion = { host: "b", port: 22, user: "j" };
      }),
      /hosts\[1\]\.ssh\.bastion\.hostKey: missing/,
    );
  });

  it("only labels the hosts if the stack does not prepare them", async () => {
    const e = await hosts((s) => {
      s.prepareHosts = false;
      for (const h of s.hosts) delete h.ssh.hostKey;
    });
    assert.equal(commands(e).length, 0);
    assert.equal(patches(e, "-labels").length, 15);
  });
});
