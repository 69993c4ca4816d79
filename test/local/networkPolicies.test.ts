/** Network policies of the running stack, tried: every declared edge connects, everything else is refused. */
import assert from "node:assert/strict";
import { edges as edgesOf } from "../../components/topology";
import { resolveSettings } from "../../components/settings";
import { plan as planOf } from "../../components/plan";
import { kubectl } from "../../lab/local/access";
import { kubectl as kubectlInput } from "../../lab/local/kubectl";
import { localConfig } from "../../lab/local/config";
import { healthy } from "../../lab/scenarios/cluster";
import { Network, selects } from "../security/simulator";
import { BESIDES, isOpen, isPeer } from "../security/stack";
import {
  cluster,
  connect,
  list,
  processes,
  quickRefusals,
  reallyOpen,
  sleep,
  type Answer,
  type Cluster,
  type Live,
} from "./helpers/network";
import { noted, recordsProof, seen } from "./helpers/securityProof";

const COMPONENT = "app.kubernetes.io/component";
const title = (e: Live): string =>
  e.pod
    ? `${e.pod.namespace}/${e.pod.labels[COMPONENT] ?? e.pod.labels["cnpg.io/poolerName"] ?? e.pod.labels["cnpg.io/cluster"] ?? e.pod.labels["k8s-app"] ?? e.pod.labels.app ?? e.name}`
    : e.name;
const tcp = (port: number): { port: number; protocol: "TCP" } => ({ port, protocol: "TCP" });

interface Question {
  from: Live;
  to: Live;
  port: number;
  answer: Answer;
}

function ask(questions: Array<Omit<Question, "answer">>): Question[] {
  const by = new Map<Live, typeof questions>();
  for (const q of questions) by.set(q.from, [...(by.get(q.from) ?? []), q]);
  const groups = [...by];
  const answers = connect(
    groups.map(([from, qs]) => ({ net: from.net, to: qs.map((q): [string, number] => [q.to.address, q.port]) })),
  );
  return groups.flatMap(([, qs], i) => qs.map((q, k) => ({ ...q, answer: answers[i]![k]! })));
}

describe("network policies, enforced", function () {
  this.timeout(600_000);
  recordsProof(1);
  let c: Cluster, open: Map<Live, number[]>, sources: Live[];
  const { settings, errors } = resolveSettings(localConfig([]), "local");
  assert.ok(settings, JSON.stringify(errors));
  const edges = edgesOf({ settings, plan: planOf(settings) });

  const look = (): void => {
    c = cluster();
    const own = c.pods.filter((p) => !p.hostNetwork);
    open = reallyOpen(c, own, (p) => [
      ...p.tcp,
      ...edges
        .filter((e) => isPeer(e.to, p))
        .flatMap((e) => e.ports.filter((x) => x.protocol === "TCP" && !x.endPort).map((x) => x.port)),
    ]);
    // One pod of each kind asks: its replicas have the same labels. All are asked.
    sources = [...new Map(own.map((p) => [title(p), p])).values(), ...c.nodes, c.apiServer, c.machine];
  };
  let restore: () => void;
  // Pods that are not ready ask and answer nothing: what is left untried would look like a smaller stack.
  before(async () => {
    await healthy(300);
    restore = quickRefusals();
    look();
  });
  after(() => restore());

  /** What differs is looked at once more with the pods that there are then: they come and go. */
  async function settled(wrong: () => Question[]): Promise<Question[]> {
    let bad = wrong();
    for (let i = 0; bad.length && i < 2; i++) {
      await healthy(300);
      await sleep(5_000);
      look();
      bad = wrong();
    }
    return bad;
  }

  it("every declared edge connects", async () => {
    let tried = 0,
      direct = 0;
    const untried: string[] = [];
    const bad = await settled(() => {
      tried = 0;
      untried.length = 0;
      direct = 0;
      const failed: Question[] = [];
      const ends = [...c.pods.filter((p) => !p.hostNetwork), ...c.nodes, c.apiServer, c.machine];
      const questions: Array<{ edge: (typeof edges)[number]; q: Omit<Question, "answer">[] }> = [];
      for (const edge of edges) {
        const ports = edge.ports.filter((p) => p.protocol === "TCP" && !p.endPort).map((p) => p.port);
        const host = (peer: (typeof edge)["from"]): Live[] =>
          c.nodes.filter((n) => c.pods.some((p) => p.hostNetwork && p.pod!.node === n.name && isPeer(peer, p)));
        const froms =
          "world" in edge.from ? [c.machine] : [...ends.filter((e) => isPeer(edge.from, e)), ...host(edge.from)];
        const tos =
          "world" in edge.to || "cidrs" in edge.to ? [] : [...ends.filter((e) => isPeer(edge.to, e)), ...host(edge.to)];
        const pairs = froms.flatMap((from) => tos.filter((to) => to !== from).map((to) => ({ from, to })));
        const q = ports.flatMap((port) => {
          // A node's port is open where the pod on it runs; a pod's only if it listens at all.
          const able = pairs.filter(({ to }) => !to.pod || open.get(to)?.includes(port));
          return able.slice(0, 4).map((x) => ({ ...x, port }));
        });
        if (q.length) questions.push({ edge, q });
        else
          untried.push(
            `${JSON.stringify(edge.from)} -> ${JSON.stringify(edge.to)}: ${!ports.length ? "UDP only" : !tos.length ? "its other end is the world, or is not here" : !froms.length ? "no pod here is its source" : "nothing listens"}`,
          );
      }
      const answers = ask(questions.flatMap((x) => x.q));
      for (const { q } of questions) {
        for (const port of new Set(q.map((x) => x.port))) {
          const mine = answers.filter(
            (a) => a.port === port && q.some((x) => x.from === a.from && x.to === a.to && x.port === port),
          );
          // To nodes, one that answers is enough: not every host pod runs on each.
          const ok = mine.some((a) => a.to.kind === "node")
            ? mine.some((a) => a.answer === "open")
            : mine.every((a) => a.answer === "open");
          if (!ok) failed.push(...mine.filter((a) => a.answer !== "open"));
          direct += mine.length;
        }
        tried++;
      }
      return failed;
    });
    seen(`${tried} of ${edges.length} edges tried, ${direct} connections open`);
    if (untried.length) {
      seen(`${untried.length} not triable here`);
      noted(...untried);
    }
    assert.deepEqual(
      bad.map((q) => `${q.from.name} -> ${q.to.name} ${q.port}: ${q.answer}`),
      [],
    );
    assert.ok(tried >= edges.length * 0.9, `only ${tried} of ${edges.length} edges have both ends here`);
  });

  it("everything that is not declared is refused", async () => {
    let short: Question[] = [],
      refused: Question[] = [],
      allowed = 0,
      silent = 0;
    const bad = await settled(() => {
      const network = new Network(c.policies, c.namespaces);
      const questions = sources.flatMap((from) =>
        [...open].flatMap(([to, ports]) =>
          from === to || to.kind !== "pod" ? [] : ports.map((port) => ({ from, to, port })),
        ),
      );
      const declared = (q: Omit<Question, "answer">): boolean =>
        edges.some((e) => isPeer(e.from, q.from) && isPeer(e.to, q.to) && isOpen(e, tcp(q.port))) ||
        BESIDES.some((b) => b.open(q.from, q.to, tcp(q.port), edges)) ||
        (q.from.node !== undefined && q.from.node === q.to.pod?.node);
      const answers = ask(questions);
      const expected = new Map(answers.map((q) => [q, network.may(q.from, q.to, tcp(q.port)).allowed]));
      for (const q of answers)
        assert.equal(
          expected.get(q),
          declared(q),
          `the policies in the cluster and the table of edges differ: ${q.from.name} -> ${q.to.name} ${q.port}`,
        );
      // No answer at all, twice in 4 s, while all that is allowed opens, is a refusal too; most say so.
      const shut = (q: Question): boolean => q.answer === "refused" || q.answer === "timeout";
      refused = answers.filter((q) => !expected.get(q) && shut(q));
      silent = refused.filter((q) => q.answer === "timeout").length;
      allowed = answers.filter((q) => expected.get(q) && q.answer === "open").length;
      // kube-router (test/local/engine.test.ts): between two pods of one policy of both directions, one direction's
      // rule is enough.
      const excused = (q: Question): boolean => {
        const v = network.may(q.from, q.to, tcp(q.port));
        return (
          (v.egress || v.ingress) &&
          c.policies.some(
            (p) =>
              p.spec.policyTypes.length === 2 &&
              [q.from, q.to].every(
                (e) => e.pod?.namespace === p.metadata.namespace && selects(p.spec.podSelector, e.pod!.labels),
              ),
          )
        );
      };
      short = answers.filter((q) => !expected.get(q) && !shut(q) && excused(q));
      return answers.filter((q) => (expected.get(q) ? q.answer !== "open" : !shut(q) && !short.includes(q)));
    });
    const kinds = [...new Set(refused.map((q) => `${title(q.from)} → ${title(q.to)} ${q.port}`))].sort();
    seen(
      `${kinds.length} forbidden edges, ${refused.length} connections refused (${silent} of them by silence), while their ports were open`,
    );
    seen(`${allowed} connections that the standard allows, open`);
    if (short.length)
      seen(
        `the engine's shortcoming, open though refused by the standard: ${[...new Set(short.map((q) => `${title(q.from)} → ${title(q.to)} ${q.port}`))].join(", ")}`,
      );
    assert.ok(short.length <= 6, "more than the replicas of an operator with a webhook");
    const shown = [
      "matrix/element-web",
      "matrix/well-known",
      "matrix/haproxy",
      "minio/minio",
      "outside of the cluster",
      "matrix/redis-synapse-master",
      "livekit/redis-livekit",
      "matrix/synapse-main",
      "kube-system/",
    ];
    noted(...shown.flatMap((s) => kinds.filter((x) => x.startsWith(s)).slice(0, 6)));
    assert.deepEqual(bad.map((q) => `${q.from.name} -> ${q.to.name} ${q.port}: ${q.answer}`).slice(0, 40), []);
    assert.ok(kinds.length >= 30, `${kinds.length}`);
  });

  it("it is the policies that refuse: the same connection opens with the label that they ask for, and closes without it", async () => {
    const [namespace, name] = ["matrix", "policy-probe"];
    const target = c.pods.find((p) => p.pod!.labels[COMPONENT] === "redis-synapse-master")!;
    assert.ok(target, "a Redis proxy");
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace },
      spec: {
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 0,
        securityContext: { runAsNonRoot: true, runAsUser: 65534, seccompProfile: { type: "RuntimeDefault" } },
        containers: [
          {
            name: "c",
            image: "localhost/matrix-ha/pause:1",
            imagePullPolicy: "Never",
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
          },
        ],
      },
    };
    kubectl("-n", namespace, "delete", "pod", name, "--ignore-not-found");
    try {
      kubectlInput(["apply", "-f", "-"], JSON.stringify(pod));
      kubectl("-n", namespace, "wait", `pod/${name}`, "--for=condition=Ready", "--timeout=60s");
      const uid = JSON.parse(kubectl("-n", namespace, "get", "pod", name, "-o", "json")).metadata.uid;
      const net = `/proc/${processes().get(uid)}/ns/net`;
      const once = (): Answer => connect([{ net, to: [[target.address, 6379]] }])[0]![0]!;
      const within = async (want: Answer): Promise<number> => {
        const started = Date.now();
        for (let a = once(); a !== want; a = once()) {
          if (Date.now() - started > 60_000) assert.fail(`${a} after 60 s, not ${want}`);
          await sleep(500);
        }
        return (Date.now() - started) / 1000;
      };
      const closed = await within("refused");
      kubectl("-n", namespace, "label", "pod", name, "matrix-ha.dev/redis-client=true");
      const opened = await within("open");
      kubectl("-n", namespace, "label", "pod", name, "matrix-ha.dev/redis-client-");
      const again = await within("refused");
      seen(
        `new pod refused within ${closed.toFixed(1)} s, open ${opened.toFixed(1)} s after the label, refused ${again.toFixed(1)} s after its removal`,
      );
    } finally {
      kubectl("-n", namespace, "delete", "pod", name, "--ignore-not-found", "--wait=false");
    }
  });

  it("there are policies in every namespace of the stack", () => {
    const denies = list("networkpolicies", "-A")
      .filter((p) => p.metadata.name === "default-deny")
      .map((p) => p.metadata.namespace);
    const mine = list("namespaces", "-l", "app.kubernetes.io/part-of=matrix-ha").map((n) => n.metadata.name);
    seen(`${denies.length} namespaces deny by default`);
    assert.ok(mine.length > 3);
    assert.deepEqual(
      mine.filter((n) => !denies.includes(n)),
      [],
    );
  });
});
