/**
 * The real HAProxy with the generated configuration of a stack, a name service, and a server for every process of every
 * class.
 */
import assert from "node:assert/strict";
import type { Subject } from "../../policy/types";
import { ask, Classes } from "./classes";
import { subjectFor, type Configuration } from "./configurations";
import { Network, type Running, type TestPod } from "./network";

export interface Router {
  s: Subject;
  net: Network;
  classes: Classes;
  pod: TestPod;
  haproxy: Running;
  stop(): Promise<void>;
}

/** Ready when every server that exists is up. */
export async function startRouter(c: Configuration): Promise<Router> {
  const s = await subjectFor(c),
    domain = s.settings.cluster.domain;
  const net = await new Network().start(),
    classes = await new Classes(s.plan, net, domain).start();
  const pod = net.pod(
    s.templates.find((x) => x.owner.kind === "Deployment" && x.owner.name === "haproxy")!,
    s.objects,
    "haproxy-x",
    domain,
  );
  for (const i of pod.init) {
    const r = await net.run(pod, i);
    assert.equal(r.status, 0, r.output);
  }
  const haproxy = net.startContainer(pod, pod.containers[0]!);
  await haproxy.until(async () => {
    const text = (await ask({ host: pod.ip, port: 8404 }, "GET", "/metrics")).body;
    return s.plan.synapse.pools.every((p) => {
      const up = [...text.matchAll(/^haproxy_backend_active_servers\{proxy="([^"]+)"\} (\d+)/gm)].filter(
        (m) => m[1] === p.class || m[1]!.startsWith(`${p.class}-by-`),
      );
      return up.every((m) => Number(m[2]) >= p.replicas);
    });
  }, 120);
  assert.doesNotMatch(haproxy.output, /\[(ALERT|WARNING)\].*(unknown|deprecated|ignored|parsing)/i);
  return {
    s,
    net,
    classes,
    pod,
    haproxy,
    stop: async () => {
      await haproxy.stop();
      await classes.stop();
      await net.close();
    },
  };
}
