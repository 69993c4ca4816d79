/** `npm run images -- repin` with a real registry (Debian's docker-registry), over copies of the tables of images. */
import { strict as assert } from "node:assert";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { repin, RepinRefused, type Pin, type Wanted } from "../repin";
import { freePort, installTools, must, startRegistry } from "./registry";

const ROOT = path.resolve(__dirname, "../../..");
const TABLE = "components/layers/redis/images.ts";

describe("npm run images -- repin, with a real registry", function () {
  this.timeout(300_000);
  let dir: string, registry: ChildProcess, prefix: string;
  const digests = new Map<string, string>();
  const layers = fs.readdirSync(path.join(ROOT, "components/layers"));
  const tables = layers.map((l) => `components/layers/${l}/images.ts`).filter((f) => fs.existsSync(path.join(ROOT, f)));
  const read = (file: string): string => fs.readFileSync(path.join(dir, "root", file), "utf8");
  const all = (): string => tables.map(read).join("");
  const ask = (...wanted: string[]): Pin[] =>
    repin(
      wanted.map((w): Wanted => ({ name: w.split("=")[0]!, tag: w.split("=")[1]! })),
      { root: path.join(dir, "root"), mirror: prefix, insecure: true },
    );
  const refused = (...wanted: string[]): string[] => {
    try {
      ask(...wanted);
    } catch (error) {
      assert.ok(error instanceof RepinRefused, String(error));
      return error.reasons;
    }
    throw new Error("it was accepted");
  };
  function publish(name: string, tag: string): void {
    const archive = path.join(dir, "image.tar");
    fs.rmSync(archive, { force: true });
    fs.writeFileSync(path.join(dir, "program"), `${name} ${tag}`);
    must("python3", [
      path.join(ROOT, "lab/images/mkimage.py"),
      `localhost/${name}:${tag}`,
      archive,
      "--file",
      `${path.join(dir, "program")}:/program`,
    ]);
    const to = `docker://${prefix}/${name}:${tag}`;
    const copy = ["--insecure-policy", "copy", "--preserve-digests", "--dest-tls-verify=false"];
    must("skopeo", [...copy, `oci-archive:${archive}`, to]);
    digests.set(`${name}:${tag}`, fs.readFileSync(`${archive}.digest`, "utf8").trim());
  }

  before(async () => {
    installTools();
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-repin-"));
    const port = await freePort();
    prefix = `127.0.0.1:${port}/mirror`;
    registry = await startRegistry(dir, port);
    for (const tag of ["3.2.26", "3.2.27", "3.2.101", "3.2.102-alpine", "3.3.1", "latest"])
      publish("library/haproxy", tag);
    publish("library/redis", "8.0.7");
    publish("metallb/controller", "v0.16.2");
    publish("metallb/speaker", "v0.16.2");
  });
  beforeEach(() => {
    for (const f of tables) {
      fs.mkdirSync(path.join(dir, "root", path.dirname(f)), { recursive: true });
      fs.copyFileSync(path.join(ROOT, f), path.join(dir, "root", f));
    }
  });
  after(() => {
    registry?.kill();
    if (dir) fs.rmSync(dir, { recursive: true, force: true });
  });

  it("writes tag and digest of each image into its table, and nothing else", () => {
    const before = read(TABLE);
    const pins = ask("haproxy=3.2.27", "redis=8.0.7");
    assert.deepEqual(
      pins.map((p) => [p.key, p.from, p.tag, p.digest]),
      [
        ["haproxy", "3.2.26", "3.2.27", digests.get("library/haproxy:3.2.27")],
        ["redis", "8.0.6", "8.0.7", digests.get("library/redis:8.0.7")],
      ],
    );
    assert.equal(
      read(TABLE),
      before
        .replace('tag: "3.2.26",', `tag: "3.2.27", digest: "${digests.get("library/haproxy:3.2.27")}",`)
        .replace('tag: "8.0.6",', `tag: "8.0.7", digest: "${digests.get("library/redis:8.0.7")}",`),
    );
    ask("haproxy=3.2.26");
    assert.equal(read(TABLE).match(/digest: /g)!.length, 2, "a pin has one digest, also the second time");
  });

  it("takes the newest patch version by number, of the same series and kind", () => {
    assert.equal(ask("haproxy=patch")[0]!.tag, "3.2.101");
    assert.match(read(TABLE), /tag: "3\.2\.101", digest: "sha256:[0-9a-f]{64}"/);
  });

  it("says every error at once, and changes nothing", () => {
    const before = all();
    const reasons = refused("haproxy=9.9.9", "nobody=1", "synapse=1.164.0", "redis=8.0.7", "metallb-speaker=v0.16.2");
    assert.equal(reasons.length, 4, reasons.join("\n"));
    assert.match(reasons[0]!, /^haproxy: 127\.0\.0\.1:\d+\/mirror\/library\/haproxy:9\.9\.9 could not be read: /);
    assert.match(reasons[1]!, /^nobody: no image is called this; there are .*metallb-controller/);
    assert.match(reasons[2]!, /^synapse: no registry publishes it\. .*lock\.sh/);
    assert.match(reasons[3]!, /^metallb-controller, metallb-speaker are one program/);
    assert.equal(all(), before);
  });

  it("changes the images of one program together", () => {
    ask("metallb-controller=v0.16.2", "metallb-speaker=v0.16.2");
    assert.equal(read("components/layers/cluster/images.ts").match(/tag: "v0\.16\.2"/g)!.length, 2);
  });
});
