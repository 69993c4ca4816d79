/** A standby runs what it needs to follow and to be promoted, and nothing that serves, sends or writes. */
import assert from "node:assert/strict";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { isPods, type Edge } from "../../components/core/edges";
import { NAMESPACES } from "../../components/core/names";
import { oneCentrePy } from "../../components/layers/synapse/scripts";
import { plan } from "../../components/plan";
import { edges } from "../../components/topology";
import { WITHOUT_OPERATORS } from "../../lab/common/tiers";
import { centreConfig, type Name } from "../helpers/dataCentres";
import { settingsOf } from "../helpers/settings";

/** Small, and with everything that sends. */
function config(self: Name, primary: Name = "dc1"): Record<string, any> {
  const { install } = (WITHOUT_OPERATORS as any).cluster;
  return {
    ...centreConfig(self, { ccu: 100, primary }),
    cluster: { install: { ...install, barmanPlugin: true, certManager: true } },
    federation: { enabled: true },
    emailSmtp: { host: "mail.example.net", user: "matrix", password: "smtp-password", from: "matrix@example.org" },
    monitoring: { enabled: false },
  };
}
const resources = async (self: Name, primary?: Name): Promise<RegisteredResource[]> =>
  (await evaluate({ stack: self, config: config(self, primary) })).resources;
const input = (self: Name, primary?: Name) => {
  const settings = settingsOf(config(self, primary));
  return { settings, plan: plan(settings) };
};

/** Synapse's workloads, by name: how many pods. */
const processes = (all: RegisteredResource[]): Array<[string, number]> =>
  all
    .filter((r) => r.inputs?.spec?.template?.metadata?.labels?.["app.kubernetes.io/name"] === "synapse")
    .filter((r) => r.inputs.kind !== "Job")
    .map((r) => [r.inputs.metadata.name, r.inputs.spec.replicas]);
const scalers = (all: RegisteredResource[]): string[] =>
  all
    .filter((r) => r.inputs?.kind === "HorizontalPodAutoscaler" && /^synapse-/.test(r.inputs.spec.scaleTargetRef.name))
    .map((r) => r.inputs.metadata.name);

describe("a standby", () => {
  let standby: RegisteredResource[], primary: RegisteredResource[];
  before(async () => {
    standby = await resources("dc2");
    primary = await resources("dc2", "dc2");
  });

  it("runs no process of Synapse, and none is scaled up", () => {
    const found = processes(standby).filter(([name]) => name !== "synapse-replacer");
    assert.ok(found.length > 8, `${found.length} workloads`);
    assert.deepEqual(
      found.filter(([, replicas]) => replicas !== 0),
      [],
    );
    assert.deepEqual(scalers(standby), []);
  });

  it("becomes a whole server by its one line, without another object", () => {
    assert.deepEqual(
      processes(primary).filter(([, replicas]) => replicas === 0),
      [],
    );
    const names = (all: RegisteredResource[]): string[] =>
      all
        .filter(
          (r) => r.inputs?.kind && !/ConfigMap|HorizontalPodAutoscaler|Job|PodDisruptionBudget/.test(r.inputs.kind),
        )
        .map((r) => `${r.inputs.kind} ${r.inputs.metadata.namespace}/${r.inputs.metadata.name}`)
        .sort();
    assert.deepEqual(names(primary), names(standby));
  });

  it("has room for all of it: the plan is the primary's", () =>
    assert.deepEqual(input("dc2").plan, input("dc2", "dc2").plan));

  it("keeps its doors, which answer 503 and say when to come again", () => {
    const router = standby.find((r) => r.inputs?.kind === "Deployment" && r.inputs.metadata.name === "haproxy");
    assert.ok(router!.inputs.spec.replicas >= 2);
    const text = standby
      .filter((r) => /^haproxy-/.test(r.inputs?.metadata?.name ?? ""))
      .map((r) => r.inputs.data?.["haproxy.cfg"])
      .find(Boolean) as string;
    assert.match(text, /http-error status 503 .*Retry-After/);
    assert.ok(standby.some((r) => r.inputs?.kind === "Ingress" && r.inputs.metadata.name === "homeserver"));
  });

  it("lets no process of Synapse reach anything but the stack's own pods, should one run all the same", () => {
    const own = Object.values(NAMESPACES) as string[];
    const away = (e: Edge): boolean =>
      isPods(e.from) &&
      "component" in e.from &&
      /^synapse-(?!postgres|replacer)/.test(e.from.component) &&
      !("nodes" in e.to) &&
      !(isPods(e.to) && own.includes(e.to.namespace));
    assert.deepEqual(edges(input("dc2")).filter(away), []);
    // The primary's do: the test sees them.
    assert.ok(edges(input("dc1")).filter(away).length > 10);
  });
});

describe("before a process of Synapse starts in a data centre", () => {
  const commandOf = (all: RegisteredResource[], name: string): string =>
    all.find((r) => r.inputs?.metadata?.name === name && r.inputs.spec?.template)!.inputs.spec.template.spec
      .containers[0].command[2];
  let all: RegisteredResource[];
  before(async () => {
    all = await resources("dc1");
  });

  it("it asks who is the primary, every time and before it writes", () => {
    const classes = processes(all)
      .map(([name]) => name)
      .filter((name) => name !== "synapse-replacer");
    for (const name of classes) {
      const lines = commandOf(all, name).split("\n");
      const asks = lines.findIndex((line) => line === "run python /conf/shared/one_centre.py 120");
      assert.ok(asks >= 0, name);
      const writes = lines.findIndex((line) => / settle$|run python -m synapse/.test(line));
      assert.ok(asks < writes, name);
    }
  });

  it("those of which there is one also look while they run", () => {
    assert.match(commandOf(all, "synapse-main"), /^python \/conf\/shared\/one_centre\.py watch 30 &$/m);
  });

  it("it is given the addresses of the others, and may connect to them", () => {
    const { settings, plan: planned } = input("dc1");
    const text = oneCentrePy(settings.dataCentre!);
    assert.match(text, /^SELF = "dc1"$/m);
    assert.ok(text.includes('"dc2=203.0.113.50=5432,dc3=203.0.113.80=5432"'));
    for (const cls of planned.synapse.pools.map((p) => p.class))
      for (const cidr of ["203.0.113.50/32", "203.0.113.80/32"])
        assert.ok(
          edges({ settings, plan: planned }).some(
            (e) =>
              "component" in e.from &&
              e.from.component === `synapse-${cls}` &&
              "cidrs" in e.to &&
              e.to.cidrs.includes(cidr),
          ),
          `${cls} ${cidr}`,
        );
  });
});
