import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { deterministic } from "../../cli/generated";
import { isCommand, isKubernetes, LAYER_ORDER } from "../../components/layers/resources";
import { imagesOf, renderFiles, writeFiles } from "../../cli/render";
import { evaluated, tier } from "../../lab/common/tiers";

const large = tier(20_000, { federation: true });

describe("npm run render", () => {
  it("writes one file per object, in the folder of its layer, that reads back as it was registered", async () => {
    const { evaluation, settings } = await evaluated(large.config);
    const files = new Map(renderFiles(evaluation, settings, true).map((f) => [f.path, f.text]));
    const order = files.get("order.txt")!.trim().split("\n");
    const objects = evaluation.resources.filter(isKubernetes);
    assert.equal(order.length, objects.length);
    assert.equal(new Set(order).size, order.length);
    for (const [i, file] of order.entries()) {
      // As Kubernetes reads it: YAML 1.1, where an unquoted `on` would be a truth value.
      assert.deepEqual(parse(files.get(file)!, { version: "1.1" }), objects[i]!.inputs, file);
      assert.ok(LAYER_ORDER.includes(file.split("/")[0]!), file);
    }
    for (const layer of LAYER_ORDER.filter((l) => !["secrets"].includes(l)))
      assert.ok(
        order.some((f) => f.startsWith(`${layer}/`)),
        `${layer} has files`,
      );
    assert.ok(order.includes("router/deployment.matrix.haproxy.yaml"));
    assert.ok(order.includes("synapse/statefulset.matrix.synapse-main.yaml"));
  });

  it("the files in order.txt can be applied from first to last", async () => {
    const { evaluation, settings } = await evaluated(large.config);
    const files = new Map(renderFiles(evaluation, settings, false).map((f) => [f.path, f.text]));
    const namespaces = new Set<string>(["kube-system", "default"]),
      kinds = new Set<string>(),
      accounts = new Set<string>(),
      maps = new Set<string>();
    for (const file of files.get("order.txt")!.trim().split("\n")) {
      const o = parse(files.get(file)!, { version: "1.1" });
      if (o.kind === "Namespace") namespaces.add(o.metadata.name);
      if (o.kind === "CustomResourceDefinition") kinds.add(`${o.spec.group} ${o.spec.names.kind}`);
      if (o.metadata.namespace) assert.ok(namespaces.has(o.metadata.namespace), `${file} before its namespace`);
      const group = o.apiVersion.split("/")[0];
      if (
        /^(postgresql\.cnpg\.io|cert-manager\.io|metallb\.io|monitoring\.coreos\.com|barmancloud\.cnpg\.io)$/.test(
          group,
        )
      )
        assert.ok(kinds.has(`${group} ${o.kind}`), `${file} before its definition`);
      if (o.kind === "ServiceAccount") accounts.add(`${o.metadata.namespace}/${o.metadata.name}`);
      if (o.kind === "ConfigMap") maps.add(`${o.metadata.namespace}/${o.metadata.name}`);
      const pod = o.spec?.template?.spec;
      if (pod?.serviceAccountName)
        assert.ok(accounts.has(`${o.metadata.namespace}/${pod.serviceAccountName}`), `${file} before its account`);
      for (const v of (pod?.volumes ?? []).filter(
        (x: any) => x.configMap && !x.configMap.optional && x.configMap.name !== "kube-root-ca.crt",
      ))
        assert.ok(maps.has(`${o.metadata.namespace}/${v.configMap.name}`), `${file} before ${v.configMap.name}`);
    }
  });

  it("host steps are scripts that bash accepts, one folder per host", async () => {
    const { evaluation, settings } = await evaluated(tier(100).config);
    const scripts = renderFiles(evaluation, settings, false).filter((f) => f.path.endsWith(".sh"));
    assert.equal(scripts.length, evaluation.resources.filter(isCommand).length);
    // The script is the text of the remote command.
    const carried = evaluation.resources.filter(isCommand).map((r) => r.inputs.create as string);
    for (const s of scripts)
      assert.ok(
        carried.some((c) => c.includes(s.text.split("\n").slice(3).join("\n"))),
        `${s.path} is the script that runs`,
      );
    assert.deepEqual(
      [...new Set(scripts.map((s) => s.path.split("/")[1]))].sort(),
      settings.hosts.map((h) => h.name).sort(),
    );
    for (const text of new Set(scripts.map((s) => s.text))) {
      assert.match(text, /^#!/);
      const checked = spawnSync("bash", ["-n"], { input: text, encoding: "utf8" });
      assert.equal(checked.status, 0, checked.stderr);
    }
  });

  it("secret values are written only when asked for", async () => {
    const { evaluation, settings } = await evaluated(large.config);
    const values = evaluation.resources
      .filter((r) => /^(random:index\/random(Password|Bytes):|tls:index\/privateKey:)/.test(r.type))
      .map((r) => {
        const state = deterministic({ type: r.type, name: r.name, inputs: r.inputs } as any);
        return (state.result ?? state.privateKeyPem ?? state.base64.replace(/=+$/, "")) as string;
      });
    const text = (show: boolean): string =>
      renderFiles(evaluation, settings, show)
        .map((f) => (f.path.endsWith(".yaml") ? JSON.stringify(parse(f.text, { version: "1.1" })) : f.text))
        .join("\n")
        .replace(/\\n/g, "\n");
    const hidden = text(false),
      shown = text(true);
    assert.ok(values.length > 12);
    for (const v of values) assert.ok(!hidden.includes(v));
    assert.ok(values.filter((v) => shown.includes(v)).length >= 12, "--show-secrets writes them");
    assert.match(hidden, /\(secret\)/);
  });

  it("images.txt lists the image of every pod, pinned", async () => {
    const images = await evaluated(large.config).then((e) => imagesOf(e.evaluation, e.settings));
    assert.ok(images.length > 20);
    for (const image of images) assert.match(image, /^[\w.-]+(:\d+)?\/[\w./-]+:[\w.-]*\d[\w.-]*$/);
    for (const part of ["synapse:", "postgresql:", "pgbouncer:", "haproxy:", "livekit-server:", "coturn:", "minio:"])
      assert.ok(
        images.some((i) => i.includes(part)),
        part,
      );
  });

  describe("the directory", () => {
    let out: string;
    beforeEach(() => {
      out = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-render-"));
    });
    afterEach(() => {
      fs.rmSync(out, { recursive: true, force: true });
    });

    it("is replaced if this command wrote it", () => {
      writeFiles(out, [
        { path: "a/old.yaml", text: "" },
        { path: "order.txt", text: "" },
      ]);
      writeFiles(out, [
        { path: "a/new.yaml", text: "" },
        { path: "order.txt", text: "" },
      ]);
      assert.deepEqual(fs.readdirSync(path.join(out, "a")), ["new.yaml"]);
    });
    it("is refused, and left alone, if this command did not write it", () => {
      fs.writeFileSync(path.join(out, "thesis.tex"), "years of work");
      assert.throws(() => {
        writeFiles(out, [{ path: "order.txt", text: "" }]);
      }, /not empty and not written by this command/);
      assert.deepEqual(fs.readdirSync(out), ["thesis.tex"]);
    });
  });
});
