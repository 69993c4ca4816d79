import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { evaluate, type RegisteredResource } from "../../cli/evaluate";
import { ObjectStore, objectStoreEdges } from "../../components/layers/objectstore";
import { layoutGuardScript, minioLayout, poolArguments, type LayoutInput } from "../../components/domain/minioLayout";
import { bucketPolicy, grants, provisionScript } from "../../components/layers/objectstore/provision";
import { StackSecrets } from "../../components/keys/secrets";
import { SECRET_SPECS } from "../../components/layers/registry";
import type { Settings } from "../../components/settings/types";
import type { Plan } from "../../components/sizing/types";
import { fixtureContext, fixturePlan, fixtureSettings } from "../fixtures/context";
import {
  BACKUP_S3_SECRET_KEY,
  MEDIA_S3_SECRET_KEY,
  MINIO_ROOT_PASSWORD,
} from "../../components/layers/objectstore/secrets";
import { edges } from "../../components/topology";

const layout = (o: Partial<LayoutInput> = {}): ReturnType<typeof minioLayout> =>
  minioLayout({ nodes: 4, drivesPerNode: 2, parity: 2, ...o });
const address = {
  statefulSet: "minio",
  service: "minio",
  namespace: "minio",
  clusterDomain: "cluster.local",
  port: 9000,
};
const external = {
  kind: "s3" as const,
  endpoint: "https://s3.example.net",
  region: "eu-1",
  bucket: "ours",
  accessKey: "AKEXTERNAL",
  secretKey: "external-secret-key-0123456789",
};

const make = (change?: (s: Settings, p: Plan) => void): Promise<{ resources: RegisteredResource[]; outputs: any }> =>
  evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = fixtureContext(change);
      const secrets = new StackSecrets("secrets", { settings: ctx.settings, specs: SECRET_SPECS });
      const store = new ObjectStore("object-store", { ctx, secrets }, { provider: ctx.provider });
      return {
        media: store.media,
        backup: store.backup,
        keys: [secrets.of(MINIO_ROOT_PASSWORD), secrets.of(MEDIA_S3_SECRET_KEY), secrets.of(BACKUP_S3_SECRET_KEY)],
      };
    },
  });
const find = (r: RegisteredResource[], kind: string, name: string | RegExp): any =>
  r.find(
    (x) =>
      x.type.endsWith(`:${kind}`) &&
      (typeof name === "string" ? x.inputs.metadata?.name === name : name.test(x.inputs.metadata?.name ?? "")),
  )?.inputs;

describe("MinIO's layout", () => {
  it("grows by appending pools, and never changes the first", () => {
    const [small, large] = [poolArguments(layout(), address), poolArguments(layout({ nodes: 8 }), address)];
    assert.deepEqual(small, ["http://minio-{0...3}.minio.minio.svc.cluster.local:9000/data{0...1}/drive"]);
    assert.deepEqual(large, [...small, "http://minio-{4...7}.minio.minio.svc.cluster.local:9000/data{0...1}/drive"]);
    assert.equal(layout().setDrives, layout({ nodes: 12 }).setDrives);
    assert.equal(layout({ nodes: 5 }).replicas, 4, "one more node is not a pool");
  });

  it("refuses a parity that cannot lose a node, and pools that do not fit", () => {
    assert.throws(() => layout({ parity: 1 }), /writes need/);
    assert.throws(() => layout({ parity: 5 }), /at most half/);
    assert.throws(() => layout({ pools: [4, 3], nodes: 7 }), /do not divide/);
    assert.throws(() => layout({ pools: [4, 4] }), /4 have the role storage/);
    assert.deepEqual(
      [layout({ nodes: 3, drivesPerNode: 1, parity: 1 }).setDrives, layout({ drivesPerNode: 8, parity: 4 }).setDrives],
      [3, 16],
    );
  });

  it("is guarded against a change at the first pod", () => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), "guard-"));
    const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
    const guard = (l: ReturnType<typeof minioLayout>, pod: number): void => {
      execFileSync("sh", ["-c", layoutGuardScript(l)], {
        env: { PATH: process.env.PATH, HOSTNAME: `minio-${pod}`, ROOT: root },
        stdio: "pipe",
      });
    };
    guard(layout(), 0);
    fs.mkdirSync(path.join(root, "data0/drive/.minio.sys"), { recursive: true });
    fs.writeFileSync(
      path.join(root, "data0/drive/.minio.sys/format.json"),
      JSON.stringify({
        version: "1",
        format: "xl",
        id: uuid(99),
        xl: {
          version: "3",
          this: uuid(0),
          sets: [Array.from({ length: 8 }, (_, i) => uuid(i))],
          distributionAlgo: "SIPMOD+PARITY",
        },
      }),
    );
    guard(layout(), 0);
    guard(layout({ nodes: 8 }), 0);
    assert.throws(() => guard(layout({ nodes: 8, pools: [8] }), 0), /pool never changes/);
    assert.throws(() => guard(layout(), 4), /no pool/);
    fs.rmSync(root, { recursive: true });
  });
});

describe("provisioning", () => {
  const script = provisionScript({
    address: "minio-api.minio.svc.cluster.local:9000",
    grants: grants(true),
    waitSeconds: 300,
  });
  it("is valid shell, waits only so long, and gives keys on standard input", () => {
    execFileSync("sh", ["-n"], { input: script });
    assert.match(script, /timeout 300 mc/);
    assert.match(script, /\| mc admin user add store$/m);
    assert.ok(!/mc admin user add store \S/.test(script));
  });
  it("gives each user its own bucket and no more", () => {
    const text = JSON.stringify(bucketPolicy("synapse-media"));
    assert.ok(
      !text.includes("synapse-backups") &&
        !text.includes("s3:*") &&
        !text.includes("DeleteObjectVersion") &&
        !text.includes("DeleteBucket"),
    );
  });
});

describe("ObjectStore", () => {
  it("with MinIO: one pod a storage node, claims that stay, a Job that is waited for", async () => {
    const { resources, outputs } = await make();
    const set = find(resources, "StatefulSet", "minio");
    assert.equal(set.spec.replicas, 3);
    assert.equal(set.spec.volumeClaimTemplates.length, 2);
    assert.equal(set.spec.persistentVolumeClaimRetentionPolicy.whenDeleted, "Retain");
    assert.equal(set.spec.template.spec.nodeSelector["matrix-ha.dev/role-storage"], "true");
    assert.ok(set.spec.template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.length);
    assert.equal(find(resources, "Service", "minio").spec.publishNotReadyAddresses, true);
    assert.equal(outputs.media.endpoint, "http://minio-api.minio.svc.cluster.local:9000");
    assert.deepEqual([outputs.media.bucket, outputs.backup.bucket], ["synapse-media", "synapse-backups"]);
    assert.ok(find(resources, "Job", /^minio-provision-[0-9a-f]{16}$/));
  });

  it("makes a new Job when its inputs change, and the same one when they do not", async () => {
    const name = async (change?: (s: Settings, p: Plan) => void): Promise<string> =>
      find((await make(change)).resources, "Job", /./).metadata.name;
    const first = await name();
    assert.equal(await name(), first);
    assert.notEqual(
      await name((s) => {
        s.backups.enabled = false;
      }),
      first,
    );
    assert.notEqual(
      await name((_, p) => {
        p.minio!.nodes = 8;
        p.minio!.pools = [4, 4];
      }),
      first,
    );
  });

  it("puts keys nowhere but in Secrets", async () => {
    const { resources, outputs } = await make();
    for (const key of outputs.keys) {
      const holders = new Set(resources.filter((r) => JSON.stringify(r.inputs).includes(key)).map((r) => r.type));
      assert.deepEqual([...holders], ["kubernetes:core/v1:Secret"]);
    }
  });

  it("with an external S3: nothing but the same two Secrets", async () => {
    const own = await make();
    const { resources, outputs } = await make((s, p) => {
      s.objectStore = external;
      delete p.minio;
    });
    assert.deepEqual(
      resources.filter((r) => r.type.startsWith("kubernetes:")).map((r) => `${r.type} ${r.inputs.metadata.name}`),
      ["kubernetes:core/v1:Secret synapse-media-s3", "kubernetes:core/v1:Secret synapse-backup-s3"],
    );
    for (const n of ["synapse-media-s3", "synapse-backup-s3"])
      assert.deepEqual(
        Object.keys(find(resources, "Secret", n).stringData),
        Object.keys(find(own.resources, "Secret", n).stringData),
      );
    assert.deepEqual(Object.keys(outputs.media).sort(), Object.keys(own.outputs.media).sort());
    assert.deepEqual(
      [outputs.media.endpoint, outputs.media.bucket, outputs.backup.prefix],
      [external.endpoint, "ours", "synapse-backups"],
    );
  });

  it("can keep media here and backups elsewhere", async () => {
    const { resources, outputs } = await make((s) => {
      s.backups.target = external;
    });
    assert.deepEqual([outputs.media.bucket, outputs.backup.bucket], ["synapse-media", "ours"]);
    assert.ok(!find(resources, "ConfigMap", "minio-provision").data["provision.sh"].includes("synapse-backup"));
  });
});

describe("object store edges", () => {
  it("let media and PostgreSQL reach it, within or outside the cluster", () => {
    const input = { settings: fixtureSettings(), plan: fixturePlan() };
    const callers = edges(input)
      .filter((e) => "component" in e.to && e.to.component === "minio")
      .map((e) => ("component" in e.from ? e.from.component : "other"));
    assert.deepEqual(callers.sort(), ["minio", "minio-provision", "prometheus", "synapse-media", "synapse-postgres"]);
    input.settings.objectStore = external;
    for (const caller of ["synapse-media", "synapse-postgres"]) {
      const [edge, ...more] = edges(input).filter(
        (e) => "component" in e.from && e.from.component === caller && /external/.test(e.why),
      );
      assert.ok(edge && "world" in edge.to && edge.ports[0]!.port === 443, caller);
      assert.deepEqual(more, []);
    }
    assert.deepEqual(objectStoreEdges(input), []);
  });
});
