/** Private authorities reach every process that calls a server of the operator's own, in the form that it reads. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { plan } from "../../components/plan";
import { resolveSettings } from "../../components/settings";
import { certificate, S3 } from "../helpers/example";
import { EVERYTHING_ON, rich, type Config } from "../helpers/richStack";

const named = (e: Evaluation, kind: string, name: string): any =>
  e.resources.find((r) => r.inputs?.kind === kind && r.inputs.metadata.name === name)!.inputs;
const container = (e: Evaluation, kind: string, name: string): any =>
  named(e, kind, name).spec.template.spec.containers[0];

describe("trustedAuthorities", () => {
  let pem: string, with_: Evaluation, without: Evaluation;
  before(async function () {
    this.timeout(180_000);
    pem = (await certificate(["authority"], "2020-01-01", "2120-01-01", true)).certificate;
    const s3 = { ...S3, privateAuthority: true };
    const base = EVERYTHING_ON(await rich({ tls: "acme" }));
    const plain = { ...base, objectStore: S3, backups: { target: { ...S3, bucket: "backups" } } };
    without = await evaluate({ stack: "t", config: plain });
    with_ = await evaluate({
      stack: "t",
      config: {
        ...plain,
        trustedAuthorities: pem,
        tls: { ...base.tls, server: "https://ca.example.net:9000/acme", privateAuthority: true },
        objectStore: s3,
        backups: { target: { ...s3, bucket: "backups" } },
      },
    });
  });

  it("none: nothing of them is rendered", () =>
    assert.doesNotMatch(
      JSON.stringify(without.resources.filter((r) => r.inputs?.kind !== "CustomResourceDefinition")),
      /SSL_CERT_DIR|AWS_CA_BUNDLE|trusted-authorities|authorities\.crt|endpointCA":|caBundle":"/,
    ));

  it("every process of Synapse reads them from SSL_CERT_FILE beside the public ones, before it starts", () => {
    const processes = with_.resources.filter(
      (r) =>
        ["Deployment", "StatefulSet"].includes(r.inputs?.kind) &&
        r.inputs.metadata.labels["app.kubernetes.io/name"] === "synapse",
    );
    assert.ok(processes.length >= 12);
    for (const { inputs } of processes) {
      const script: string = inputs.spec.template.spec.containers[0].command[2];
      assert.ok(script.indexOf("export SSL_CERT_FILE=/tmp/authorities.crt") < script.indexOf("python -m synapse.app"));
      const map = inputs.spec.template.spec.volumes.find((v: any) => v.name === "shared").configMap.name;
      assert.equal(named(with_, "ConfigMap", map).data["authorities.crt"], pem);
    }
  });

  it("the script joins the image's own bundle and them, and where there is none that of certifi", () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "authorities-"));
    try {
      fs.writeFileSync(path.join(dir, "own"), "OWN\n");
      fs.writeFileSync(path.join(dir, "public"), "PUBLIC\n");
      fs.writeFileSync(path.join(dir, "python"), `#!/bin/sh\n[ "$*" = "-m certifi" ] && echo ${dir}/public\n`, {
        mode: 0o755,
      });
      const text = fs
        .readFileSync(path.join(__dirname, "../../components/layers/synapse/trustAuthorities.sh"), "utf8")
        .replaceAll("@OWN@", `${dir}/own`)
        .replaceAll("@BOTH@", `${dir}/both`);
      for (const [image, wanted] of [
        [`${dir}/absent`, "PUBLIC\nOWN\n"],
        [`${dir}/image`, "IMAGE\nOWN\n"],
      ] as const) {
        fs.writeFileSync(path.join(dir, "image"), "IMAGE\n");
        const script = `set -eu\n${text.replace("/etc/ssl/certs/ca-certificates.crt", image)}\necho "$SSL_CERT_FILE"`;
        const run = spawnSync("sh", ["-c", script], { env: { PATH: `${dir}:${process.env.PATH}` }, encoding: "utf8" });
        assert.equal(run.stdout, `${dir}/both\n`, run.stderr);
        assert.equal(fs.readFileSync(path.join(dir, "both"), "utf8"), wanted);
      }
    } finally {
      fs.rmSync(dir, { recursive: true, force: true });
    }
  });

  it("the processes that serve media give them to boto3, which reads AWS_CA_BUNDLE", () => {
    const script: string = container(with_, "StatefulSet", "synapse-media").command[2];
    assert.match(script, /^export AWS_CA_BUNDLE=\/conf\/shared\/authorities\.crt$/m);
  });

  it("backups: endpointCA of the ObjectStore names a Secret that has them", () => {
    const { endpointCA } = named(with_, "ObjectStore", "synapse-postgres").spec.configuration;
    assert.deepEqual(endpointCA, { name: "synapse-backup-s3", key: "ca.crt" });
    assert.equal(named(with_, "Secret", endpointCA.name).stringData[endpointCA.key], pem);
  });

  it("Alertmanager and the token service, in Go, find them in a folder of SSL_CERT_DIR", () => {
    const { spec } = named(with_, "Alertmanager", "alertmanager");
    assert.deepEqual(spec.configMaps, ["trusted-authorities"]);
    assert.deepEqual(spec.containers, [
      {
        name: "alertmanager",
        env: [{ name: "SSL_CERT_DIR", value: "/etc/ssl/certs:/etc/alertmanager/configmaps/trusted-authorities" }],
      },
    ]);
    const jwt = container(with_, "Deployment", "lk-jwt-service");
    const folder = "/etc/matrix-ha/authorities";
    assert.equal(jwt.env.find((v: any) => v.name === "SSL_CERT_DIR").value, `/etc/ssl/certs:${folder}`);
    assert.ok(jwt.volumeMounts.some((m: any) => m.mountPath === folder));
    for (const namespace of ["monitoring", "livekit", "cert-manager"])
      assert.ok(
        with_.resources.some(
          (r) =>
            r.inputs?.kind === "ConfigMap" &&
            r.inputs.metadata.namespace === namespace &&
            r.inputs.metadata.name === "trusted-authorities" &&
            r.inputs.data["ca.crt"] === pem,
        ),
        namespace,
      );
  });

  it("cert-manager finds them beside the public ones, and other ones restart it", () => {
    const manager = named(with_, "Deployment", "cert-manager").spec.template;
    const [own] = manager.spec.containers;
    const folder = "/etc/matrix-ha/authorities";
    assert.equal(own.env.find((v: any) => v.name === "SSL_CERT_DIR").value, `/etc/ssl/certs:${folder}`);
    assert.ok(own.volumeMounts.some((m: any) => m.mountPath === folder && m.name === "trusted-authorities"));
    assert.ok(manager.spec.volumes.some((v: any) => v.configMap?.name === "trusted-authorities"));
    assert.match(manager.metadata.annotations["matrix-ha.dev/config-hash"], /^[0-9a-f]{16}$/);
    const before = named(without, "Deployment", "cert-manager").spec.template.metadata.annotations ?? {};
    assert.equal(before["matrix-ha.dev/config-hash"], undefined);
  });

  it("modules find them where Python's requests looks", async () => {
    const e = await evaluate({
      stack: "t",
      config: { ...(await rich()), trustedAuthorities: pem },
    });
    assert.match(
      container(e, "StatefulSet", "synapse-main").command[2],
      /^export REQUESTS_CA_BUNDLE=\/tmp\/authorities\.crt$/m,
    );
    const none = { ...(await rich()), synapse: {}, trustedAuthorities: pem };
    const bare = await evaluate({ stack: "t", config: none });
    assert.doesNotMatch(container(bare, "StatefulSet", "synapse-main").command[2], /REQUESTS_CA_BUNDLE/);
  });

  it("cert-manager: caBundle of the issuer, base64", () => {
    const { acme } = named(with_, "ClusterIssuer", "matrix-ha-acme").spec;
    assert.equal(Buffer.from(acme.caBundle, "base64").toString(), pem);
  });
});

describe("federation with a certificate that other servers do not trust", () => {
  const notes = (config: Config): string => {
    const { settings, errors } = resolveSettings(config, "t");
    assert.deepEqual(errors, []);
    return plan(settings!).notes.join("\n");
  };

  it("own-ca: the plan says so, with the remedy; less where the servers are listed; nothing without federation", async () => {
    const base = await rich();
    assert.match(notes(base), /Federation will not work.*own authority.*Use tls\.mode acme.*domainAllowList/);
    assert.match(
      notes({ ...base, federation: { enabled: true, domainAllowList: ["b.example"] } }),
      /Each server of federation\.domainAllowList must be told to trust it/,
    );
    assert.doesNotMatch(notes({ ...base, federation: { enabled: false } }), /Federation/);
  });

  it("given: where the chain ends in itself; not with ACME", async () => {
    assert.match(notes(await rich({ tls: "given" })), /Federation will not work.*a private authority/);
    assert.doesNotMatch(notes(await rich({ tls: "acme" })), /Federation will not/);
  });
});
