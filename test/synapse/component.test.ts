/** What SynapseServer registers: order, consumers of each setting, shape of the pods. */
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { StackSecrets } from "../../components/keys/secrets";
import { SECRET_SPECS } from "../../components/layers/registry";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";
import { SynapseServer } from "../../components/layers/synapse";
import { Replacer } from "../../components/layers/synapse/Replacer";
import { CONFIG_HASH } from "../../components/core/workload";
import { fixtureContext } from "../fixtures/context";

const run = (change?: (s: Settings, p: Plan) => void): Promise<Evaluation> =>
  evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = fixtureContext(change);
      const secrets = new StackSecrets("secrets", { settings: ctx.settings, specs: SECRET_SPECS });
      new SynapseServer(
        "synapse",
        {
          ctx,
          secrets,
          turnUris: ["turn:turn.example.org:3478?transport=udp"],
          s3: {
            endpoint: "http://minio-api.minio.svc.cluster.local:9000",
            region: "us-east-1",
            bucket: "synapse-media",
            secretName: "synapse-media-s3",
          },
        },
        { provider: ctx.provider },
      );
      return {};
    },
  });
const controllers = (e: Evaluation) => e.resources.filter((r) => /:(Deployment|StatefulSet)$/.test(r.type));
const named = (e: Evaluation, name: string) => controllers(e).find((r) => r.inputs.metadata.name === name)!;
const hashes = (e: Evaluation): Record<string, string> =>
  Object.fromEntries(
    controllers(e).map((r) => [r.inputs.metadata.name, r.inputs.spec.template.metadata.annotations[CONFIG_HASH]]),
  );
const changed = (a: Record<string, string>, b: Record<string, string>): string[] =>
  Object.keys(a)
    .filter((k) => a[k] !== b[k])
    .sort();

describe("SynapseServer", () => {
  let base: Evaluation;
  before(async () => {
    base = await run();
  });

  it("registers a workload for each pool", () => {
    assert.equal(controllers(base).length, 13);
    assert.equal(named(base, "synapse-main").type, "kubernetes:apps/v1:StatefulSet");
    assert.equal(named(base, "synapse-synchrotron").inputs.spec.replicas, undefined, "the autoscaler's");
  });

  it("runs no process while it is stopped, with the same pods before and after", async () => {
    const stopped = await run((s) => {
      s.stopSynapse = true;
    });
    assert.deepEqual([...new Set(controllers(stopped).map((r) => r.inputs.spec.replicas))], [0]);
    assert.ok(
      !stopped.resources.some((r) => r.inputs?.kind === "HorizontalPodAutoscaler"),
      "none that starts them again",
    );
    assert.deepEqual(hashes(stopped), hashes(base));
  });

  it("checks the configuration, then starts main, then the single writers, then event persisters and the classes that send them events, then the rest", () => {
    const job = base.resources.find((r) => r.type === "kubernetes:batch/v1:Job")!;
    const main = named(base, "synapse-main");
    assert.ok(main.dependencies.includes(job.urn), "main waits for the check");
    const groups = [
      /-(ephemeral|presence|to-device|account|receipts|device-lists|media)$/,
      /-(event-persister|generic|federation-reader)$/,
      /./,
    ];
    const group = (c: any): number => groups.findIndex((g) => g.test(c.inputs.metadata.name));
    const workers = controllers(base).filter((c) => c !== main);
    assert.deepEqual(
      [0, 1, 2].map((n) => workers.some((w) => group(w) === n)),
      [true, true, true],
    );
    for (const c of workers) {
      assert.ok(c.dependencies.includes(main.urn), `${c.inputs.metadata.name} waits for main`);
      for (const w of workers)
        if (w !== c)
          assert.equal(
            c.dependencies.includes(w.urn),
            group(w) < group(c),
            `${c.inputs.metadata.name} and ${w.inputs.metadata.name}`,
          );
    }
    for (const map of base.resources.filter((r) => r.type === "kubernetes:core/v1:ConfigMap"))
      assert.ok(job.dependencies.includes(map.urn), map.name);
  });

  it("restarts for a setting exactly the processes that read it", async () => {
    const before = hashes(base);
    assert.deepEqual(
      changed(
        before,
        hashes(
          await run((s) => {
            s.media.maxUploadMiB = 200;
          }),
        ),
      ),
      ["synapse-media"],
    );
    assert.deepEqual(
      changed(
        before,
        hashes(
          await run((_, p) => {
            p.synapse.pools.find((x) => x.class === "generic")!.cpMax = 15;
          }),
        ),
      ),
      ["synapse-generic"],
    );
    assert.deepEqual(
      changed(
        before,
        hashes(
          await run((_, p) => {
            const x = p.synapse.pools.find((y) => y.class === "event-persister")!;
            x.replicas = x.maxReplicas = 3;
          }),
        ),
      ),
      Object.keys(before).sort(),
      "every process shares the event persisters' map",
    );
    assert.deepEqual(
      changed(
        before,
        hashes(
          await run((s) => {
            s.turn.maxPort = 54000;
          }),
        ),
      ),
      [],
    );
    assert.deepEqual(
      changed(
        before,
        hashes(
          await run((_, p) => {
            p.synapse.pools.find((x) => x.class === "synchrotron")!.maxReplicas = 10;
          }),
        ),
      ),
      [],
    );
  });

  it("runs the check again for a new configuration, and only then", async () => {
    const job = (e: Evaluation): string =>
      e.resources.find((r) => r.type === "kubernetes:batch/v1:Job")!.inputs.metadata.name;
    assert.equal(job(base), job(await run()));
    assert.notEqual(
      job(base),
      job(
        await run((s) => {
          s.presence.enabled = false;
        }),
      ),
    );
  });

  it("lets peers find a writer that starts", () => {
    const service = (n: string) =>
      base.resources.find((r) => r.type === "kubernetes:core/v1:Service" && r.inputs.metadata.name === n)!.inputs.spec;
    assert.equal(service("synapse-event-persister").publishNotReadyAddresses, true);
    assert.equal(service("synapse-generic").publishNotReadyAddresses, undefined);
    for (const n of ["synapse-main", "synapse-generic"]) {
      assert.equal(service(n).clusterIP, "None");
      assert.ok(service(n).ports.some((p: any) => p.name === "http" && p.port === 8008));
    }
  });

  it("names workers after their pods and keeps S3 keys from workers that serve no media", () => {
    const container = (n: string) => named(base, n).inputs.spec.template.spec.containers[0];
    assert.match(container("synapse-generic").command[2], /worker_name: "%s"\\n' "\$HOSTNAME"/);
    assert.doesNotMatch(container("synapse-main").command[2], /worker_name/);
    assert.ok(
      container("synapse-media").env.some(
        (e: any) => e.name === "AWS_SECRET_ACCESS_KEY" && e.valueFrom.secretKeyRef.name === "synapse-media-s3",
      ),
    );
    assert.ok(!container("synapse-generic").env.some((e: any) => e.name.startsWith("AWS")));
  });

  it("waits for the database before a second start, not before the first; a writer settles its sequences before each", () => {
    for (const [name, what, writes] of [
      ["synapse-main", "connection", true],
      ["synapse-event-persister", "schema", true],
      ["synapse-generic", "schema", false],
    ] as const) {
      const { command, env } = named(base, name).inputs.spec.template.spec.containers[0];
      for (const key of ["DB_HOST", "DB_PORT", "PGPASSWORD"])
        assert.ok(
          env.some((e: any) => e.name === key),
          `${name} has no ${key}`,
        );
      const dir = fs.mkdtempSync(path.join(os.tmpdir(), "start-"));
      fs.writeFileSync(path.join(dir, "python"), '#!/bin/sh\necho "$1 $2 $4"\n', { mode: 0o755 });
      const start = (): string[] =>
        execFileSync("sh", ["-c", command[2].replaceAll("/tmp/", `${dir}/`)], {
          env: { PATH: `${dir}:${process.env.PATH}`, HOSTNAME: `${name}-0` },
          encoding: "utf8",
        })
          .trim()
          .split("\n")
          .map((l) => (l.startsWith("-m ") ? l.split(" ").slice(0, 2).join(" ") : l.trim()));
      const synapse = `-m synapse.app.${name === "synapse-main" ? "homeserver" : "generic_worker"}`;
      const waits = `/conf/shared/wait.py ${what}${writes ? " settle" : ""}`;
      assert.deepEqual(start(), writes ? [waits, synapse] : [synapse]);
      assert.deepEqual(start(), [waits, synapse]);
      fs.rmSync(dir, { recursive: true });
    }
  });

  describe("the start of a process", () => {
    let dir: string, running: ChildProcess | undefined;
    interface Started {
      child: ChildProcess;
      ended: Promise<{ code: number | null; stderr: string }>;
      runs: () => string[];
      said: (word: string) => Promise<void>;
    }
    /** The start script of a reader, with this for Python: `$1` is -m. */
    const started = (python: string, clock = "echo 0"): Started => {
      for (const [name, text] of [
        ["python", `echo run >> ${dir}/runs\n${python}`],
        ["date", clock],
      ] as const)
        fs.writeFileSync(path.join(dir, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      const child = spawn(
        "sh",
        [
          "-c",
          named(base, "synapse-generic").inputs.spec.template.spec.containers[0].command[2].replaceAll(
            "/tmp/",
            `${dir}/`,
          ),
        ],
        { env: { PATH: `${dir}:${process.env.PATH}`, HOSTNAME: "g" } },
      );
      running = child;
      let stderr = "";
      child.stderr.on("data", (d) => {
        stderr += d;
      });
      const ended: Started["ended"] = new Promise((done) => child.on("close", (code) => done({ code, stderr })));
      const runs = (): string[] =>
        fs.existsSync(`${dir}/runs`) ? fs.readFileSync(`${dir}/runs`, "utf8").trim().split("\n") : [];
      const said = async (word: string): Promise<void> => {
        let over = false;
        void ended.then(() => {
          over = true;
        });
        while (!over && !runs().includes(word))
          await new Promise((done) => {
            setTimeout(done, 20);
          });
      };
      return { child, ended, runs, said };
    };
    beforeEach(() => {
      dir = fs.mkdtempSync(path.join(os.tmpdir(), "start-"));
    });
    afterEach(() => {
      running?.kill("SIGKILL");
      fs.rmSync(dir, { recursive: true });
    });

    it("is tried again when it fails soon, and says so", async () => {
      const { ended, runs } = started(`[ $(wc -l < ${dir}/runs) -ge 3 ] || exit 7`);
      const { code, stderr } = await ended;
      assert.deepEqual([code, runs().length], [0, 3]);
      assert.equal(stderr.match(/Synapse ended at its start with 7; once more/g)?.length, 2);
    });

    it("is left to the kubelet when it fails later", async () => {
      const { ended, runs } = started("exit 7", `[ -e ${dir}/runs ] && echo 60 || echo 0`);
      assert.deepEqual([(await ended).code, runs().length], [7, 1]);
    });

    it("hands the kubelet's signal on, waits for Synapse to end, and does not start it again", async () => {
      // It says so itself when it can take the signal: on a busy machine that is not at once.
      const { child, ended, runs, said } = started(
        `trap 'sleep 0.3; echo stopped >> ${dir}/runs; exit 3' TERM; echo listening >> ${dir}/runs; while :; do sleep 0.05; done`,
      );
      await said("listening");
      child.kill("SIGTERM");
      assert.equal((await ended).code, 3);
      assert.deepEqual(runs(), ["run", "listening", "stopped"]);
    });

    it("ends at once when it is told to while it waits for the database", async () => {
      fs.writeFileSync(path.join(dir, "started"), "");
      const { child, ended, runs, said } = started(`[ "$2" = connection -o "$2" = schema ] && exec sleep 30`);
      await said("run");
      child.kill("SIGTERM");
      assert.deepEqual([(await ended).code, runs().length], [143, 1]);
    });
  });

  it("guards every process that may exist once, and no other, and the replacer may delete exactly their pods", async () => {
    const all = controllers(base).map((c) => ({
      ...c.inputs,
      kind: c.type.split(":").pop(),
      pod: c.inputs.spec.template,
    }));
    const guarded = (c: any): boolean => {
      const { env } = c.pod.spec.containers[0];
      const uid = env.some((e: any) => e.name === "POD_UID" && e.valueFrom.fieldRef.fieldPath === "metadata.uid");
      assert.equal(c.pod.metadata.labels["matrix-ha.dev/only-one"], uid ? "guarded" : undefined, c.metadata.name);
      return uid;
    };
    assert.ok(all.length > 10);
    for (const c of all) {
      assert.equal(guarded(c), c.kind === "StatefulSet", c.metadata.name);
      assert.ok(c.pod.spec.containers[0].env.some((e: any) => e.name === "PGAPPNAME" && e.value === "synapse"));
      // One machine carries as few of them as possible, and none is refused.
      assert.deepEqual(
        c.pod.spec.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.map(
          (t: any) => t.podAffinityTerm.labelSelector.matchLabels,
        ),
        guarded(c) ? [{ "matrix-ha.dev/only-one": "guarded" }] : undefined,
        c.metadata.name,
      );
      assert.ok(!JSON.stringify(c.spec.selector).includes("only-one"), "a selector cannot change");
    }
    const names = all
      .filter((c) => c.kind === "StatefulSet")
      .flatMap((c) => Array.from({ length: c.spec.replicas }, (_, i) => `${c.metadata.name}-${i}`))
      .sort();
    const replacing = await evaluate({
      stack: "t",
      config: {},
      program: async () => {
        const ctx = fixtureContext();
        new Replacer("synapse-replacer", { ctx }, { provider: ctx.provider });
        return {};
      },
    });
    const rules = (kind: string) =>
      replacing.resources.find(
        (r) => r.type.endsWith(`:${kind}`) && r.inputs.metadata.name.endsWith("synapse-replacer"),
      )!.inputs.rules;
    assert.deepEqual(rules("Role"), [
      { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
      { apiGroups: [""], resources: ["pods"], verbs: ["delete"], resourceNames: names },
    ]);
    assert.deepEqual(rules("ClusterRole"), [{ apiGroups: [""], resources: ["nodes"], verbs: ["list"] }]);
    const replacer = controllers(replacing)[0]!.inputs.spec;
    assert.equal(replacer.replicas, 2);
    assert.equal(replacer.template.spec.topologySpreadConstraints[0].whenUnsatisfiable, "DoNotSchedule");
    const map = base.resources.find(
      (r) => r.type.endsWith(":ConfigMap") && r.inputs.data["homeserver.yaml"] !== undefined,
    )!.inputs.data;
    // Before the module that keeps sessions fresh: the first session is opened when the configuration has been read.
    assert.match(map["homeserver.yaml"], /modules:\n {2}- module: only_one[.]OnlyOne/);
    assert.match(map["only_one.py"], /class OnlyOne/);
    for (const m of base.resources.filter((r) => r.type.endsWith(":ConfigMap")))
      assert.doesNotMatch(m.inputs.data["class.yaml"] ?? "", /application_name/, "it would win over PGAPPNAME");
  });

  it("ends a slow process late where no other takes over", () => {
    const seconds = (n: string): number => {
      const p = named(base, n).inputs.spec.template.spec.containers[0].livenessProbe;
      return p.periodSeconds * p.failureThreshold;
    };
    for (const c of controllers(base).filter((x) => x.type.endsWith("StatefulSet")))
      assert.ok(seconds(c.inputs.metadata.name) >= 180, c.inputs.metadata.name);
    assert.equal(seconds("synapse-generic"), 60);
  });

  it("bounds the media cache", () => {
    const data = named(base, "synapse-media").inputs.spec.template.spec.volumes.find((v: any) => v.name === "data");
    assert.equal(data.emptyDir.sizeLimit, `${10 * 1.5}Gi`);
  });

  it("puts no secret value anywhere but in Secrets", () => {
    const secret = base.resources.find((r) => r.type === "kubernetes:core/v1:Secret")!;
    const rest = JSON.stringify(
      base.resources
        .filter((r) => r.type.startsWith("kubernetes:") && r.type !== "kubernetes:core/v1:Secret")
        .map((r) => r.inputs),
    );
    for (const value of Object.values<string>(secret.inputs.stringData))
      assert.ok(value.trim().length > 8 && !rest.includes(value.trim()), "a value leaked");
    assert.equal(Object.keys(secret.inputs.stringData).length, 7);
  });
});
