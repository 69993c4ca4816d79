import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import { IMAGES, type ImageKey } from "../../components/layers/registry";
import {
  catalog,
  chosen,
  destination,
  listText,
  nameOf,
  NOT_BUILT,
  readIndex,
  readRecipes,
  recipeName,
  sameVersion,
  snippet,
} from "../../lab/images/catalog";
import { authFile, skopeoError } from "../../lab/images/push";

const LAB = path.resolve(__dirname, "../../lab/images");
const recipes = readRecipes(fs.readFileSync(path.join(LAB, "list.txt"), "utf8"));
const built = readIndex("localhost/matrix-ha/synapse:1.163.2\t/c/synapse-1.tar\tsha256:aaaa\n").map((b) => ({
  ...b,
  bytes: 399e6,
}));
const entries = catalog(recipes, built);

describe("npm run images", () => {
  it("has a recipe or a reason for every image of the stack", () => {
    for (const key of Object.keys(IMAGES) as ImageKey[])
      assert.ok(
        recipes.some((r) => r.recipe === recipeName(key)) || NOT_BUILT[key],
        `${key}: neither a recipe ${recipeName(key)} in lab/images/list.txt nor a reason in lab/images/catalog.ts`,
      );
  });
  it("has a folder for every recipe of the list, and every folder is listed", () => {
    const folders = fs.readdirSync(path.join(LAB, "recipes"), { withFileTypes: true }).filter((e) => e.isDirectory());
    assert.deepEqual(recipes.map((r) => r.recipe).sort(), folders.map((e) => e.name).sort());
  });
  it("lists built images with size and digest, and names those that cannot be built", () => {
    const text = listText(entries);
    assert.match(
      text,
      /synapse +localhost\/matrix-ha\/synapse:1\.163\.2 +PyPI +1\.163\.2 +399 MB +sha256:aaaa +synapse-1\.tar/,
    );
    assert.match(text, /coturn .*4\.18\.0 \(other\) +not built/);
    for (const name of ["nginx-ingress", "cert-manager-controller", "lk-jwt", "element-web", "admin"])
      assert.match(text.slice(text.indexOf("Cannot be built")), new RegExp(`  ${name} `));
  });
  it("finds an image by its recipe and by its key, and explains why it cannot be built", () => {
    assert.deepEqual(chosen(entries, ["metallb-controller", "metallbController", "base"]).map(nameOf), [
      "metallb-controller",
      "metallb-controller",
      "base",
    ]);
    assert.throws(() => chosen(entries, ["frob"]), /no image is called "frob"; there are cloudnative-pg, .*postgresql/);
    assert.throws(
      () => chosen(entries, ["nginx-ingress"]),
      /cannot be built here: .*The stack runs docker\.io\/nginx/s,
    );
  });
  it("recognises one version in two notations", () => {
    assert.ok(sameVersion("v0.16.1", "0.16.1") && sameVersion("18.6-standard-trixie", "18.6"));
    assert.ok(!sameVersion("4.17.0-r0-debian", "4.18.0"));
  });
  it("prints settings for the pushed images", () => {
    assert.equal(destination("r.example.com/m/", "localhost/matrix-ha/synapse:1"), "r.example.com/m/synapse:1");
    assert.equal(
      snippet("r.example.com/m", chosen(entries, ["synapse", "base"])),
      "  matrix-ha:images:\n    overrides:\n      synapse: r.example.com/m/synapse:1.163.2@sha256:aaaa",
    );
  });
  it("keeps a login in a file, and shortens skopeo's messages", () => {
    assert.deepEqual(JSON.parse(authFile("r.example.com:5000/a/b", "u", "p")), {
      auths: { "r.example.com:5000": { auth: "dTpw" } },
    });
    assert.equal(skopeoError('time="x" level=fatal msg="writing blob: \\"a\\" failed"\n'), 'writing blob: "a" failed');
  });
});
