/**
 * Existing objects: the stack's own are taken over, foreign ones are refused before any of them is changed.
 */
import assert from "node:assert/strict";
import { kubectl } from "../../lab/local/kubectl";
import { measured } from "../../lab/proof/measured";
import { errorsOf, must, run, up, UP } from "./helpers/pulumi";

const json = (...args: string[]): any => JSON.parse(kubectl(["get", ...args, "-o", "json"]));
const KINDS = ["namespaces", "priorityclasses", "storageclasses", "customresourcedefinitions", "clusterroles"],
  WITHIN = [
    "deployments",
    "statefulsets",
    "daemonsets",
    "services",
    "configmaps",
    "secrets",
    "pods",
    "clusters.postgresql.cnpg.io",
  ];
/** Uid of every object of the stack that it applies itself, and of every pod. */
function uids(): Map<string, string> {
  const all = [...KINDS.map((k) => json(k)), ...WITHIN.map((k) => json(k, "-A"))].flatMap((l) => l.items);
  return new Map(
    all
      .filter((o) => o.metadata.labels?.["app.kubernetes.io/part-of"] === "matrix-ha")
      .map((o) => [`${o.kind} ${o.metadata.namespace ?? ""}/${o.metadata.name}`, o.metadata.uid]),
  );
}

describe("objects that exist already", () => {
  /** Hands an object over, as the refusal says. */
  let labels: string[];

  it("a state that has lost every object of the cluster takes all of them over unchanged", async () => {
    const before = uids();
    const urns: string[] = JSON.parse((await must(["stack", "export"])).text).deployment.resources.map(
      (r: any) => r.urn,
    );
    // Everything in the cluster depends on it.
    const first = urns.find((u) => u.includes("ValidatingAdmissionPolicy::"))!;
    await must(["state", "delete", "--yes", "--force", "--target-dependents", first]);
    const done = await up();
    const after = uids();
    measured(
      `${done.seconds.toFixed(0)} s, ${JSON.stringify(done.events.summary())}; ${before.size} objects and pods compared`,
    );
    assert.ok((done.events.summary().create ?? 0) > 300, "the engine knew none of them");
    assert.deepEqual(
      [...before].filter(([k, uid]) => after.get(k) !== uid),
      [],
    );
    assert.deepEqual((await up()).events.steps(), []);
  });

  it("a foreign namespace is refused, and stays unchanged", async () => {
    // Calls are off, then a foreign namespace of that name is created, then calls are on.
    await up(["rtc.enabled=false"]);
    assert.equal(
      json("namespace", "livekit").metadata.labels["app.kubernetes.io/part-of"],
      "matrix-ha",
      "left behind, because it may hold objects of others",
    );
    kubectl(["delete", "namespace", "livekit", "--timeout=120s"]);
    kubectl(["create", "namespace", "livekit"]);
    kubectl(["label", "namespace", "livekit", "team=theirs"]);
    kubectl(["-n", "livekit", "create", "configmap", "theirs", "--from-literal=a=b"]);
    const before = json("namespace", "livekit");
    const refused = await run(UP);
    assert.notEqual(refused.code, 0);
    assert.match(errorsOf(refused), /Namespace livekit exists already and is not this stack's.*kubectl label/s);
    const after = json("namespace", "livekit");
    assert.deepEqual(
      [after.metadata.labels, after.metadata.resourceVersion],
      [before.metadata.labels, before.metadata.resourceVersion],
    );
    assert.equal(json("networkpolicies", "-n", "livekit").items.length, 0, "nothing was put into it");
    labels = /kubectl label KIND NAME (\S+=\S+ \S+=\S+)/.exec(errorsOf(refused))![1]!.split(" ");
    measured(/Namespace livekit exists already[^\n]*/.exec(errorsOf(refused))![0]);
  });

  it("handed over by its label, it is taken over", async () => {
    kubectl(["label", "namespace", "livekit", ...labels]);
    await up();
    assert.equal(json("configmap", "-n", "livekit", "theirs").data.a, "b", "what was in it is left alone");
    assert.equal(json("namespace", "livekit").metadata.labels.team, "theirs");
    kubectl(["-n", "livekit", "delete", "configmap", "theirs"]);
    kubectl(["label", "namespace", "livekit", "team-"]);
    assert.deepEqual((await up()).events.steps(), []);
  });
});
