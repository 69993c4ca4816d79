/** The pods of Synapse's classes: what they start, mount, and may take, and when they count as alive. */
import assert from "node:assert/strict";
import { checkJobSpec } from "../../components/layers/synapse/checkJob";
import { synapsePod, SYNAPSE_UID } from "../../components/layers/synapse/pod";
import {
  checkPy,
  FRESH_SESSIONS_PY,
  LOST_EVENTS_PY,
  ONLY_ONE_PY,
  REPLACE_PY,
  TRIM_PY,
  WAIT_PY,
} from "../../components/layers/synapse/scripts";
import { synapseStart, trust, waitFor } from "../../components/layers/synapse/synapseStart";
import type { StackContext } from "../../components/core/context";
import type { PodSpec } from "../../components/core/workload";
import type { WorkerClass } from "../../components/domain/workerClasses";
import type { Settings } from "../../components/settings/types";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";

type Change = (s: Settings) => void;
function inputOf(cls: WorkerClass, change: Change = () => undefined, email?: string) {
  const settings = fixtureSettings(),
    plan = fixturePlan();
  change(settings);
  return { settings, plan, pool: plan.synapse.pools.find((p) => p.class === cls)!, email };
}
const podOf = (cls: WorkerClass, change?: Change, email?: string): PodSpec =>
  synapsePod({
    ...inputOf(cls, change, email),
    sharedMap: "shared-1a",
    classMap: "class-2b",
    databaseSecret: "synapse-database",
    mediaSecret: "synapse-media-s3",
  });
const container = (cls: WorkerClass, change?: Change, email?: string) => podOf(cls, change, email).containers[0]!;

/** The lines that differ between classes: what runs before Synapse, and Synapse. */
function started(cls: WorkerClass, change?: Change, email?: string): string[] {
  const lines = synapseStart(inputOf(cls, change, email), cls === "media").split("\n");
  const from = lines.findIndex((l) => l.startsWith("for library in ")) + 1;
  const to = lines.findIndex((l) => l.startsWith("end="));
  return [...lines.slice(from, to), ...lines.filter((l) => l.includes("-m synapse.app")).map((l) => l.trim())];
}
const SYNAPSE = "run python -m synapse.app";
const CONF = "-c /conf/shared/homeserver.yaml";
const LAST = "--no-secrets-in-config || ended=$?";
const NAME = `printf 'worker_name: "%s"\\n' "$HOSTNAME" > /tmp/name.yaml`;

describe("the start of Synapse", () => {
  it("waits for what a class needs of the database: a connection for main, which makes the schema, else the schema", () => {
    assert.deepEqual(
      ["main", "generic", "account"].map((c) => waitFor(c as WorkerClass)),
      ["connection", "schema", "schema"],
    );
  });

  it("of main: settles its sequences each time, then runs the homeserver", () => {
    assert.deepEqual(started("main"), [
      "run python /conf/shared/wait.py connection 120 settle",
      `${SYNAPSE}.homeserver ${CONF} -c /conf/class/class.yaml ${LAST}`,
    ]);
  });

  it("of a writer: named after its pod", () => {
    assert.deepEqual(started("account"), [
      NAME,
      "run python /conf/shared/wait.py schema 120 settle",
      `${SYNAPSE}.generic_worker ${CONF} -c /conf/class/class.yaml -c /tmp/name.yaml ${LAST}`,
    ]);
  });

  it("of a reader: waits from the second start on, since the init container has waited for the first", () => {
    assert.deepEqual(started("generic"), [
      NAME,
      "if [ -e /tmp/started ]; then run python /conf/shared/wait.py schema 120; fi",
      ": > /tmp/started",
      `${SYNAPSE}.generic_worker ${CONF} -c /conf/class/class.yaml -c /tmp/name.yaml ${LAST}`,
    ]);
  });

  it("of a media process: trims its cache to the size that the settings give", () => {
    const gib = 1024 ** 3;
    for (const cacheGiB of [10, 3])
      assert.ok(
        started("media", (s) => {
          s.media.cacheGiB = cacheGiB;
        }).includes(`python /conf/shared/trim.py /data/media ${cacheGiB * gib} &`),
      );
  });

  it("reads the file for e-mail where there is one", () => {
    assert.equal(
      started("main", undefined, "email-3c").at(-1),
      `${SYNAPSE}.homeserver ${CONF} -c /conf/email/email.yaml -c /conf/class/class.yaml ${LAST}`,
    );
  });

  it("ends without a line break, and tries again for a minute", () => {
    const text = synapseStart(inputOf("main"), false);
    assert.equal(text.split("\n")[0], "set -eu");
    assert.match(text, /^end=[$]\(\([$]\(date [+]%s\) [+] 60\)\)$/m);
    assert.match(text, /\ndone$/);
    assert.doesNotMatch(text, /@[A-Z]/, "a place that nothing filled");
  });

  const trusting =
    (objectStore?: object): Change =>
    (s) => {
      s.trustedAuthorities = "-----BEGIN CERTIFICATE-----";
      if (objectStore) s.objectStore = objectStore as Settings["objectStore"];
    };
  /** Lines with which a class trusts authorities: which files, and which one boto3 reads. */
  const exports = (cls: WorkerClass, change: Change): string[] =>
    started(cls, change).filter((l) => /^(cat|export)/.test(l));
  const BOTH = [
    'cat "$public" /conf/shared/authorities.crt > /tmp/authorities.crt',
    "export SSL_CERT_FILE=/tmp/authorities.crt",
  ];

  it("trusts the operator's authorities beside the public ones", () => {
    assert.deepEqual(
      exports("generic", () => undefined),
      [],
    );
    assert.deepEqual(exports("generic", trusting()), BOTH);
    assert.deepEqual(exports("media", trusting()), [...BOTH, "export AWS_CA_BUNDLE=/tmp/authorities.crt"]);
  });
  it("trusts for media the operator's authorities alone, where the object store's certificate is theirs", () => {
    const s3 = { kind: "s3", endpoint: "https://s3.example.net", bucket: "b", accessKey: "a", secretKey: "k" };
    assert.deepEqual(exports("media", trusting({ ...s3, privateAuthority: true })), [
      ...BOTH,
      "export AWS_CA_BUNDLE=/conf/shared/authorities.crt",
    ]);
    assert.equal(exports("media", trusting(s3)).at(-1), "export AWS_CA_BUNDLE=/tmp/authorities.crt");
    // MinIO of the stack itself is reached without TLS.
    assert.equal(
      exports("media", trusting({ kind: "minio", privateAuthority: true })).at(-1),
      "export AWS_CA_BUNDLE=/tmp/authorities.crt",
    );
    assert.deepEqual(exports("generic", trusting({ ...s3, privateAuthority: true })), BOTH);
  });
  it("looks for the public authorities in the image, then in Python's", () => {
    assert.deepEqual(trust({ own: "/own", both: "/both", forS3: "/s3" }).split("\n"), [
      'for public in /etc/ssl/certs/ca-certificates.crt "$(python -m certifi)"; do if [ -s "$public" ]; then break; fi; done',
      'cat "$public" /own > /both',
      "export SSL_CERT_FILE=/both",
      "export AWS_CA_BUNDLE=/s3",
    ]);
    assert.ok(trust({ own: "/own", both: "/both" }).endsWith("export SSL_CERT_FILE=/both"));
  });
});

const DATABASE_ENV = {
  PGPASSWORD: { secret: "synapse-database", key: "password" },
  DB_HOST: "synapse-postgres-pooler-rw.matrix.svc.cluster.local",
  DB_PORT: "5432",
  PYTHONDONTWRITEBYTECODE: "1",
};
const PROCESS_ENV = {
  ...DATABASE_ENV,
  PYTHONUNBUFFERED: "1",
  PYTHONPATH: "/conf/shared",
  PGAPPNAME: "synapse",
};
const IMAGE = "localhost/matrix-ha/synapse:1.163.2";
const SHARED = { volume: "shared", path: "/conf/shared", readOnly: true };
const DATA = { volume: "data", path: "/data" };
const TMP = { volume: "tmp", path: "/tmp" };
const MOUNTS = [
  SHARED,
  { volume: "class", path: "/conf/class", readOnly: true },
  { volume: "secrets", path: "/secrets", readOnly: true },
];
const VOLUMES = [
  { name: "shared", configMap: "shared-1a" },
  { name: "class", configMap: "class-2b" },
  { name: "secrets", secret: "synapse-secrets" },
];
const probe = (periodSeconds: number, timeoutSeconds: number, failureThreshold: number) => ({
  http: "/health",
  port: "health",
  timing: { periodSeconds, timeoutSeconds, failureThreshold },
});

describe("a pod of Synapse", () => {
  it("of main, with all that it is", () => {
    const { command, ...main } = container("main");
    assert.deepEqual(command?.slice(0, 2), ["sh", "-c"]);
    assert.equal(command?.[2], synapseStart(inputOf("main"), false));
    assert.deepEqual(main, {
      name: "synapse",
      image: IMAGE,
      env: { ...PROCESS_ENV, POD_UID: { field: "metadata.uid" } },
      ports: { http: { port: 8008 }, replication: { port: 9093 }, metrics: { port: 9000 }, health: { port: 8080 } },
      probes: {
        // A schema upgrade: up to half an hour.
        startup: probe(2, 3, 900),
        readiness: probe(2, 3, 2),
        // Three minutes: a restart of what nobody replaces makes a slow process slower.
        liveness: probe(10, 5, 18),
      },
      resources: { cpu: 1, memoryMiB: 8192 },
      mounts: [...MOUNTS, DATA, TMP],
    });
    const { containers: _containers, ...pod } = podOf("main");
    assert.deepEqual(pod, {
      uid: 1991,
      runtimePriority: "matrix-ha-core",
      initContainers: [
        {
          name: "wait-database",
          image: IMAGE,
          command: ["python", "/conf/shared/wait.py", "connection", "300"],
          env: DATABASE_ENV,
          resources: { cpu: 0.05, memoryMiB: 128 },
          mounts: [SHARED, TMP],
        },
      ],
      // Ten times what it took when measured.
      terminationGracePeriodSeconds: 20,
      lostNodeSeconds: 30,
      labels: { "matrix-ha.dev/only-one": "guarded" },
      apartFrom: { labels: { "matrix-ha.dev/only-one": "guarded" }, always: false },
      volumes: [
        ...VOLUMES,
        { name: "data", emptyDir: { sizeMiB: 256 } },
        { name: "tmp", emptyDir: { sizeMiB: 1664, usualMiB: 64 } },
      ],
    });
    assert.equal(SYNAPSE_UID, 1991);
  });

  it("of an autoscaled class: guarded by nothing, ended after a minute of silence, ready a little later", () => {
    const generic = container("generic");
    assert.deepEqual(generic.env, PROCESS_ENV);
    assert.deepEqual(generic.ports, { http: { port: 8008 }, metrics: { port: 9000 }, health: { port: 8080 } });
    assert.deepEqual(generic.probes, {
      // 180 s: the wait for the database (120 s) and the start.
      startup: probe(2, 3, 90),
      readiness: probe(3, 3, 2),
      liveness: probe(10, 5, 6),
    });
    const pod = podOf("generic");
    assert.deepEqual([pod.labels, pod.apartFrom], [undefined, undefined]);
    assert.deepEqual(pod.initContainers![0]!.command, ["python", "/conf/shared/wait.py", "schema", "300"]);
  });

  it("of media: has the object store's keys, a cache of the size that is asked for, and room for uploads", () => {
    const media = container("media");
    assert.deepEqual(media.env, {
      ...PROCESS_ENV,
      POD_UID: { field: "metadata.uid" },
      AWS_ACCESS_KEY_ID: { secret: "synapse-media-s3", key: "accessKey" },
      AWS_SECRET_ACCESS_KEY: { secret: "synapse-media-s3", key: "secretKey" },
    });
    assert.match(String(media.command![2]), /\/conf\/shared\/trim[.]py/);
    // Others take its requests, but it writes a stream.
    assert.deepEqual(media.probes!.liveness, probe(10, 5, 18));
    assert.deepEqual(podOf("media").volumes!.slice(3), [
      // Half as much again until the cache is trimmed.
      { name: "data", emptyDir: { sizeMiB: 15_360, usualMiB: 10_240 } },
      { name: "tmp", emptyDir: { sizeMiB: 6815, usualMiB: 64 } },
    ]);
  });

  it("of a class that no path leads to has little room for bodies of requests", () => {
    assert.deepEqual(podOf("pusher").volumes!.at(-1), { name: "tmp", emptyDir: { sizeMiB: 256, usualMiB: 64 } });
    assert.deepEqual(container("pusher").ports, { metrics: { port: 9000 }, health: { port: 8080 } });
    // No other does its work.
    assert.deepEqual(container("pusher").probes, {
      startup: probe(2, 3, 90),
      readiness: probe(2, 3, 2),
      liveness: probe(10, 5, 18),
    });
  });

  it("mounts the Secret for e-mail where there is one", () => {
    const mount = { volume: "email", path: "/conf/email", readOnly: true };
    assert.deepEqual(container("main", undefined, "email-3c").mounts, [...MOUNTS, mount, DATA, TMP]);
    assert.deepEqual(podOf("main", undefined, "email-3c").volumes!.slice(0, 4), [
      ...VOLUMES,
      { name: "email", secret: "email-3c" },
    ]);
  });
});

describe("the Job that checks the configuration", () => {
  const spec = (email?: string) =>
    checkJobSpec({
      ctx: { settings: fixtureSettings(), plan: fixturePlan() } as StackContext,
      component: "synapse-check-config",
      script: "check-1",
      maps: { shared: "shared-1", classes: { main: "main-1", generic: "generic-1" }, email },
    }) as any;
  const pod = (email?: string) => spec(email).template.spec;

  it("runs once, twice more after a failure, for ten minutes at most, and stays", () => {
    const { template: _template, ...job } = spec();
    assert.deepEqual(job, { backoffLimit: 2, activeDeadlineSeconds: 600, completions: 1, parallelism: 1 });
    assert.equal(pod().restartPolicy, "Never");
    assert.equal(pod().serviceAccountName, "synapse-check-config");
    assert.equal(pod().securityContext.runAsUser, 1991);
    const { labels } = spec().template.metadata;
    assert.equal(labels["app.kubernetes.io/component"], "synapse-check-config");
    assert.equal(labels["app.kubernetes.io/name"], "synapse");
    assert.equal(labels["app.kubernetes.io/version"], "1.163.2");
  });

  it("knows the processes of each class by name; those of autoscaled ones have none", () => {
    const [check] = pod().containers;
    assert.deepEqual([check.name, check.image], ["check-config", IMAGE]);
    assert.deepEqual(check.command, ["python", "/conf/check/check.py"]);
    const env = Object.fromEntries(check.env.map((e: any) => [e.name, e.value]));
    assert.deepEqual(Object.keys(env).sort(), ["INSTANCES", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"]);
    assert.deepEqual([env.PYTHONDONTWRITEBYTECODE, env.PYTHONPATH], ["1", "/conf/shared:/conf/check"]);
    const instances = JSON.parse(env.INSTANCES);
    assert.deepEqual(
      Object.keys(instances),
      fixturePlan().synapse.pools.map((p) => p.class),
    );
    assert.deepEqual(
      [instances.main, instances.generic, instances.receipts],
      [["synapse-main-0"], [], ["synapse-receipts-0", "synapse-receipts-1"]],
    );
    const { requests, limits } = check.resources;
    assert.deepEqual([requests.cpu, requests.memory, limits.cpu, limits.memory], ["100m", "256Mi", undefined, "512Mi"]);
  });

  it("reads the script, the shared files, each class's file by its name, and the secrets", () => {
    const mounts = (email?: string) =>
      pod(email).containers[0].volumeMounts.map((m: any) => [m.name, m.mountPath, m.readOnly ?? false]);
    const expected = [
      ["check", "/conf/check", true],
      ["shared", "/conf/shared", true],
      ["classes", "/conf/classes", true],
      ["secrets", "/secrets", true],
      ["tmp", "/tmp", false],
      ["data", "/data", false],
    ];
    assert.deepEqual(mounts(), expected);
    assert.deepEqual(mounts("email-3c"), [...expected, ["email", "/conf/email", true]]);
    const volumes = (email?: string) => Object.fromEntries(pod(email).volumes.map((v: any) => [v.name, v]));
    const { check, shared, classes, secrets, tmp, data, email } = volumes();
    assert.equal(email, undefined);
    assert.equal(volumes("email-3c").email.secret.secretName, "email-3c");
    assert.equal(check.configMap.name, "check-1");
    assert.equal(shared.configMap.name, "shared-1");
    assert.equal(secrets.secret.secretName, "synapse-secrets");
    for (const v of [tmp, data]) assert.equal(v.emptyDir.sizeLimit, "64Mi");
    assert.deepEqual(
      classes.projected.sources.map((s: any) => [s.configMap.name, s.configMap.items]),
      [
        ["main-1", [{ key: "class.yaml", path: "main.yaml" }]],
        ["generic-1", [{ key: "class.yaml", path: "generic.yaml" }]],
      ],
    );
    assert.equal(classes.projected.defaultMode, 0o444);
  });
});

describe("programs beside Synapse", () => {
  it("are each the one of its name", () => {
    for (const [program, has] of [
      [WAIT_PY, "settle"],
      [LOST_EVENTS_PY, "class EndWhenLost"],
      [FRESH_SESSIONS_PY, "class FreshSessions"],
      [ONLY_ONE_PY, "class OnlyOne"],
      [REPLACE_PY, "unreachable"],
      [TRIM_PY, "os."],
      [checkPy({}), "/conf/email"],
      [checkPy({}), "/conf/shared"],
    ] as const) {
      assert.ok(program.includes(has), has);
      assert.doesNotMatch(program, /@[A-Z_]+@/, `${has}: a place that nothing filled`);
    }
  });
});
