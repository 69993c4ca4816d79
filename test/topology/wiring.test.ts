/** Values that one layer passes to another, seen in the whole stack. */
import assert from "node:assert/strict";
import { PRIORITIES } from "../../components/core/priorities";
import { evaluated, tier } from "../../lab/common/tiers";

const objects = async (more: Record<string, unknown> = {}): Promise<any[]> =>
  (await evaluated(tier(1000, { more }).config)).subject.objects.map((o) => o.inputs);
const text = (list: any[], kind: string, name: RegExp): string =>
  JSON.stringify(list.filter((o) => o.kind === kind && name.test(o.metadata.name)).map((o) => o.data));

describe("the layers, wired", () => {
  it("pods that are tied to nodes go first, then what everything needs, then the rest; every class is made", async () => {
    const all = await objects();
    const of = (kind: string, name: string): string | undefined => {
      const o = all.find((x) => x.kind === kind && x.metadata.name === name);
      assert.ok(o, `${kind} ${name}`);
      return o.spec.template.spec.priorityClassName;
    };
    assert.ok(
      PRIORITIES.data.value > PRIORITIES.calls.value &&
        PRIORITIES.calls.value > PRIORITIES.core.value &&
        PRIORITIES.core.value > 0,
    );
    for (const [kind, name] of [
      ["StatefulSet", "minio"],
      ["StatefulSet", "redis-synapse"],
      ["StatefulSet", "redis-livekit"],
    ])
      assert.equal(of(kind!, name!), PRIORITIES.data.name, name);
    assert.equal(all.find((x) => x.kind === "Cluster").spec.priorityClassName, PRIORITIES.data.name);
    assert.equal(of("DaemonSet", "coturn"), PRIORITIES.calls.name);
    for (const [kind, name] of [
      ["StatefulSet", "synapse-main"],
      ["Deployment", "synapse-synchrotron"],
      ["Deployment", "haproxy"],
      ["Deployment", "nginx-ingress"],
    ])
      assert.equal(of(kind!, name!), PRIORITIES.core.name, name);
    assert.equal(of("Deployment", "element-web"), undefined);
    const made = all.filter((x) => x.kind === "PriorityClass").map((x) => x.metadata.name);
    for (const p of Object.values(PRIORITIES)) assert.ok(made.includes(p.name), p.name);
  });

  it("TURN over TLS is offered where coturn has a certificate, and only there", async () => {
    const own = await objects({ tls: { mode: "own-ca" } });
    assert.match(text(own, "ConfigMap", /^synapse-shared/), /turns:turn\.[^"]+:5349\?transport=tcp/);
    assert.ok(
      own
        .find((o) => o.kind === "DaemonSet" && o.metadata.name === "coturn")
        .spec.template.spec.volumes.some((v: any) => v.name === "tls"),
    );
    const acme = await objects({ tls: { mode: "acme", email: "admin@example.org" } });
    assert.doesNotMatch(text(acme, "ConfigMap", /^synapse-shared/), /turns:/);
    assert.ok(
      !acme
        .find((o) => o.kind === "DaemonSet" && o.metadata.name === "coturn")
        .spec.template.spec.volumes.some((v: any) => v.name === "tls"),
    );
  });

  it("no client is told of an SFU without a token service", async () => {
    const [on, off] = [await objects(), await objects({ rtc: { jwtService: false } })];
    for (const [list, told] of [
      [on, true],
      [off, false],
    ] as const) {
      assert.equal(/livekit_service_url/.test(text(list, "ConfigMap", /^synapse-shared/)), told, "Synapse");
      assert.equal(/rtc_foci/.test(text(list, "ConfigMap", /^well-known/)), told, "well-known");
      assert.equal(/element_call/.test(text(list, "ConfigMap", /^element-web/)), told, "Element Web");
    }
  });

  it("backups keep to a folder of the one bucket that is given", async () => {
    const s3 = {
      kind: "s3",
      endpoint: "https://s3.example.net",
      region: "eu-1",
      bucket: "ours",
      accessKey: "AKIAEXAMPLEEXAMPLE",
      secretKey: "external-secret-key-of-the-operator",
    };
    const store = (await objects({ objectStore: s3 })).find(
      (o) => o.kind === "ObjectStore" && o.apiVersion.startsWith("barmancloud"),
    );
    assert.equal(store.spec.configuration.destinationPath, "s3://ours/synapse-backups/");
  });

  it("each drive of a MinIO pod is on a disk of its own", async () => {
    const all = await objects();
    const claims = all.find((o) => o.kind === "StatefulSet" && o.metadata.name === "minio").spec.volumeClaimTemplates;
    const paths = claims.map(
      (c: any) =>
        all.find((o) => o.kind === "StorageClass" && o.metadata.name === c.spec.storageClassName).parameters.nodePath,
    );
    assert.ok(paths.length > 1);
    assert.equal(new Set(paths).size, paths.length, paths.join(", "));
  });

  it("support and alert receivers arrive where they are served and used", async () => {
    const all = await objects({
      web: { supportContact: { email: "help@example.org" } },
      monitoring: { alertWebhook: "https://alerts.example.org/hook" },
    });
    assert.match(text(all, "ConfigMap", /^well-known/), /help@example\.org/);
    assert.match(
      JSON.stringify(
        all.find(
          (o) =>
            o.kind === "Secret" &&
            /alertmanager/.test(o.metadata.name) &&
            JSON.stringify(o.stringData).includes("receivers"),
        ),
      ),
      /alerts\.example\.org/,
    );
  });
});
