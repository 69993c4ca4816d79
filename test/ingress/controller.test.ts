/**
 * What F5's ingress controller reads. It ignores a key or an annotation that it does not know, and ends at once on an
 * unknown flag; the lab runs Contour in its place. The names are of its source at the version that the stack runs.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { imageVersion } from "../../components/core/images";
import { IMAGES } from "../../components/layers/cluster/images";
import { CONFIG_MAP, INGRESS_CONTROLLER } from "../../components/layers/cluster/ingressController/nginxIngress";
import { evaluated, tier, type Evaluated } from "../../lab/common/tiers";

const KNOWN: { version: string; flags: string[]; configMapKeys: string[]; annotations: string[] } = JSON.parse(
  fs.readFileSync(path.join(__dirname, "nginxIngress.json"), "utf8"),
);

describe("F5's ingress controller", function () {
  this.timeout(180_000);
  let e: Evaluated, objects: any[];
  const named = (kind: string, name: string): any =>
    objects.find((o) => o.kind === kind && o.metadata.name.startsWith(name));
  before(async () => {
    e = await evaluated(tier(1_000).config);
    objects = e.subject.objects.map((o) => o.inputs);
  });

  it("is the version whose source was read", () => {
    assert.equal(imageVersion(e.settings, IMAGES.nginxIngress), KNOWN.version);
  });
  it("knows every flag of its command line", () => {
    const controllers = objects.filter(
      (o) => ["Deployment", "DaemonSet"].includes(o.kind) && o.metadata.name.startsWith(INGRESS_CONTROLLER),
    );
    assert.ok(controllers.length > 0);
    for (const c of controllers) {
      const flags: string[] = c.spec.template.spec.containers[0].args.map((a: string) =>
        a.replace(/^-+/, "").replace(/=.*/s, ""),
      );
      assert.ok(flags.length > 5);
      assert.deepEqual(
        flags.filter((f) => !KNOWN.flags.includes(f)),
        [],
      );
    }
  });
  it("knows every key of its ConfigMap", () => {
    const keys = Object.keys(named("ConfigMap", CONFIG_MAP).data);
    assert.ok(keys.length > 10);
    assert.deepEqual(
      keys.filter((k) => !KNOWN.configMapKeys.includes(k)),
      [],
    );
  });
  it("knows every annotation of its own on the Ingresses", () => {
    const own = objects
      .filter((o) => o.kind === "Ingress")
      .flatMap((o) => Object.keys(o.metadata.annotations ?? {}))
      .filter((a) => /^nginx\.(org|com)\//.test(a));
    assert.ok(own.length > 5);
    assert.deepEqual(
      own.filter((a) => !KNOWN.annotations.includes(a)),
      [],
    );
  });
});
