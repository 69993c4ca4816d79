/** The list of layers: complete, and without two layers that declare the same thing. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Layer } from "../../components/core/layer";
import { IMAGE_KEYS, LAYERS, SECRET_SPECS } from "../../components/layers/registry";
import { dashboards } from "../../components/layers/monitoring/watched";

const FOLDER = path.resolve(__dirname, "../../components/layers");
const doubled = (names: readonly string[]): string[] => names.filter((name, i) => names.indexOf(name) !== i);
const keysOf = (of: (layer: Layer) => object | undefined): string[] =>
  LAYERS.flatMap((layer) => Object.keys(of(layer) ?? {}));

describe("the registry of layers", () => {
  it("lists every folder of components/layers, each once, under the folder's name", () => {
    const folders = fs.readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(LAYERS.map((layer) => layer.name).sort(), folders.map((folder) => folder.name).sort());
  });

  it("has no setting, override, image, secret or dashboard that two layers declare: one would hide the other", () => {
    assert.deepEqual(doubled(keysOf((layer) => layer.settings)), []);
    assert.deepEqual(doubled(keysOf((layer) => layer.overrides)), []);
    assert.deepEqual(doubled(keysOf((layer) => layer.images)), []);
    assert.deepEqual(doubled(SECRET_SPECS.map((spec) => spec.label)), []);
    assert.deepEqual(doubled(dashboards(LAYERS).map((dashboard) => dashboard.uid)), []);
    assert.ok(IMAGE_KEYS.length > 20);
  });

  it("names images by the keys under which they can be replaced", () => {
    for (const layer of LAYERS)
      for (const [key, image] of Object.entries(layer.images ?? {})) assert.equal(image.key, key);
  });

  it("loads what makes each layer, which is a function of the stack", async () => {
    for (const layer of LAYERS) assert.equal(typeof (await layer.component()).deploy, "function", layer.name);
  });
});
