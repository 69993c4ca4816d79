/**
 * The checks of the other programs work: each gets one mistake in its generated configuration, and must report it
 * before anything is deployed.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { KubernetesObject, PodTemplate, Subject } from "../../policy/types";
import { crdProblems } from "../helpers/crdSchemas";
import { byName, subjectFor } from "../../lab/real/configurations";
import { count } from "../../lab/real/counts";
import { Network, type TestPod } from "../../lab/real/network";
import { PROMTOOL } from "../../lab/real/programs";

describe("mistakes in the other programs' configurations", () => {
  let net: Network,
    s: Subject,
    n = 0;
  before(async () => {
    net = await new Network().start();
    s = await subjectFor(byName("1000 CCU, federation off, MinIO"));
  });
  after(() => net.close());

  const template = (kind: string, name: string): PodTemplate =>
    s.templates.find((t) => t.owner.kind === kind && t.owner.name === name)!;
  /** The pod with the text of every ConfigMap and Secret of its changed; the change must have hit something. */
  const podWith = (t: PodTemplate, change: (text: string) => string): TestPod => {
    const mounted = new Set(
      (t.spec.volumes ?? []).flatMap((v: any) => [
        v.configMap?.name,
        v.secret?.secretName,
        ...(v.projected?.sources ?? []).map((x: any) => x.configMap?.name),
      ]),
    );
    let hits = 0;
    const objects = s.objects.map((o): KubernetesObject => {
      const field = o.kind === "ConfigMap" ? "data" : "stringData";
      if (!["ConfigMap", "Secret"].includes(o.kind) || o.namespace !== t.owner.namespace || !mounted.has(o.name))
        return o;
      return {
        ...o,
        inputs: {
          ...o.inputs,
          [field]: Object.fromEntries(
            Object.entries<string>(o.inputs[field] ?? {}).map(([k, v]) => {
              const w = change(v);
              if (w !== v) hits += 1;
              return [k, w];
            }),
          ),
        },
      };
    });
    assert.ok(hits > 0, "the mistake was not made");
    n += 1;
    return net.pod(t, objects, `${t.owner.name}-${n}`);
  };
  const caught = (): void => count("mistakes made on purpose and caught");

  const ROUTER: Array<[string, (text: string) => string, RegExp]> = [
    ["a misspelt keyword", (t) => t.replace("timeout connect", "tiemout connect"), /unknown keyword/],
    [
      "a keyword that is no longer there",
      (t) => t.replace("option redispatch 1", "option forceclose"),
      /forceclose|unknown|no longer supported/,
    ],
    [
      "a server whose name does not resolve, without init-addr none",
      (t) => t.replace(/^backend unrecognized$/m, "backend unrecognized\n  server x nowhere.invalid:80 init-addr libc"),
      /could not resolve|nowhere\.invalid/,
    ],
    [
      "parentheses in regsub without the second quoting",
      (t) =>
        t.replace(
          "http-request set-var(txn.user) var(txn.token)\n",
          "http-request set-var(txn.user) var(txn.token),regsub(^(a)b,c)\n",
        ),
      /regsub|regex|missing|arguments?/,
    ],
    [
      "a route to a backend that is not there",
      (t) => t.replace(/use_backend synchrotron\S*/, "use_backend synchrotrom"),
      /unable to find|synchrotrom/,
    ],
  ];
  for (const [title, change, says] of ROUTER) {
    it(`HAProxy: ${title}`, async () => {
      const pod = podWith(template("Deployment", "haproxy"), change),
        c = pod.containers[0]!;
      const r = await net.run(pod, c, ["haproxy", "-c", "-dW", ...c.argv.slice(1).filter((a) => a !== "-db")]);
      assert.notEqual(r.status, 0, r.output);
      assert.match(r.output, says);
      caught();
    });
  }
  it("nginx: a misspelt directive", async () => {
    const t = s.templates.find(
      (x) => x.longRunning && x.spec.containers.some((c: any) => /nginx-unprivileged/.test(c.image)),
    )!;
    const pod = podWith(t, (text) => text.replace("add_header", "ad_header")),
      c = pod.containers[0]!;
    const r = await net.run(pod, c, [c.argv[0]!, "-t", "-e", "/dev/stderr", "-c", "/conf/nginx.conf"]);
    assert.notEqual(r.status, 0);
    assert.match(r.output, /unknown directive "ad_header"/);
    caught();
  });
  it("Redis: a misspelt directive", async () => {
    const pod = podWith(
      s.templates.find((t) => t.owner.kind === "StatefulSet" && t.owner.name === "redis-synapse")!,
      (text) => text.replace("min-replicas-to-write", "min-replicas-to-rite"),
    );
    const r = await Promise.race([
      net.run(
        pod,
        pod.containers.find((c) => c.name === "redis")!,
      ),
      new Promise<never>((_, no) => {
        setTimeout(() => no(new Error("Redis went on")), 60_000).unref();
      }),
    ]);
    assert.notEqual(r.status, 0);
    assert.match(r.output, /Bad directive|FATAL CONFIG|Unresolved Configuration/);
    caught();
  });
  it("LiveKit: an unknown key", async () => {
    const t = s.templates.find((x) => x.owner.name === "livekit")!;
    const pod = podWith(t, (text) => text.replace(/^port:/m, "prot: 1\nport:"));
    for (const i of pod.init) await net.run(pod, i);
    // It says what is wrong and ends, with status 0: only what it says can be looked at.
    const r = await Promise.race([
      net.run(pod, pod.containers[0]!),
      new Promise<never>((_, no) => {
        setTimeout(() => no(new Error("LiveKit went on")), 60_000).unref();
      }),
    ]);
    assert.match(r.output, /prot\b/);
    caught();
  });
  it("coturn: an unknown option", async () => {
    const t = s.templates.find((x) => x.longRunning && x.spec.containers.some((c: any) => /coturn/.test(c.image)))!;
    const pod = podWith(t, (text) => text.replace(/^no-cli$|^fingerprint$/m, "fingerprinted"));
    const running = net.startContainer(pod, pod.containers[0]!);
    await running
      .until(() => /bad config/i.test(running.output), 60)
      .catch((e) => {
        if (!/bad config|fingerprinted/i.test(running.output)) throw e;
      });
    await running.stop();
    caught();
  });
  it("Prometheus: an expression that does not parse", () => {
    const file = path.join(net.dir, "broken.json");
    fs.writeFileSync(
      file,
      JSON.stringify({ groups: [{ name: "x", rules: [{ alert: "X", expr: "sum by (job) rate(x[5m)" }] }] }),
    );
    const r = spawnSync(PROMTOOL, ["check", "rules", file], { encoding: "utf8" });
    assert.notEqual(r.status, 0);
    assert.match(r.stderr + r.stdout, /parse error/);
    caught();
  });
  it("operators: a misspelt field of a custom resource, and a value of another type", () => {
    const cluster = s.objects.find((o) => o.kind === "Cluster" && o.apiVersion.startsWith("postgresql.cnpg.io"))!;
    assert.deepEqual(crdProblems(cluster.inputs), []);
    const misspelt = structuredClone(cluster.inputs);
    misspelt.spec.instanses = misspelt.spec.instances;
    assert.match(JSON.stringify(crdProblems(misspelt)), /instanses/);
    const typed = structuredClone(cluster.inputs);
    typed.spec.instances = "three";
    assert.match(JSON.stringify(crdProblems(typed)), /instances/);
    caught();
    caught();
  });
});
