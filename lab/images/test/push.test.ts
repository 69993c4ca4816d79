/**
 * `npm run test:images`: archives pushed into a real registry (Debian's docker-registry on a loopback port, with a
 * login), by the command itself. Nothing of the lab is needed except apt, which installs skopeo: the images are made
 * here, small.
 */
import { strict as assert } from "node:assert";
import { spawnSync, type ChildProcess } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse } from "yaml";
import { resolveSettings } from "../../../components/settings";
import { readStackConfig } from "../../../components/settings/stackFile";
import { readRecipes } from "../catalog";
import { freePort, installTools, must, startRegistry } from "./registry";

const IMAGES = path.resolve(__dirname, ".."),
  ROOT = path.resolve(IMAGES, "../..");
const PASSWORD = "lab-only-password";
/** bcrypt, the only format that the registry reads. */
const HTPASSWD = "pusher:$2b$04$hHuhmwF0yFVB28n7A4qHx.dXpom2lKKAnYG44L.CAPsVy/P6KjLai\n";
const LOGIN = { authorization: `Basic ${Buffer.from(`pusher:${PASSWORD}`).toString("base64")}` };
const NAMES = ["synapse", "minio", "mc"];

describe("npm run images -- push, with a real registry", function () {
  this.timeout(120_000);
  let dir: string,
    registry: ChildProcess,
    port: number,
    log = "";
  const digests = new Map<string, string>();
  const images = (args: string[], env: NodeJS.ProcessEnv = {}): { status: number | null; out: string; err: string } => {
    const done = spawnSync(process.execPath, ["--import", "tsx", path.join(IMAGES, "index.ts"), ...args], {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, MATRIX_HA_CACHE: path.join(dir, "cache"), HOME: dir, ...env },
    });
    return { status: done.status, out: done.stdout, err: done.stderr };
  };
  const prefix = (): string => `127.0.0.1:${port}/mirror/matrix-ha`;
  const push = (...more: string[]): ReturnType<typeof images> =>
    images(["push", prefix(), ...more, "--insecure", "--user", "pusher"], { MATRIX_HA_REGISTRY_PASSWORD: PASSWORD });
  const ask = (target: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${target}`, {
      headers: {
        ...LOGIN,
        accept: "application/vnd.oci.image.manifest.v1+json",
      },
    });
  /** Uploads to the registry since the last call. */
  const sent = async (): Promise<string[]> => {
    // The command ran while this process was blocked: the registry's output is read only now.
    await new Promise((r) => setTimeout(r, 500));
    const lines = log.match(/"(?:POST|PUT|PATCH) [^"]+"/g) ?? [];
    log = "";
    return lines;
  };

  before(async () => {
    installTools();
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-registry-"));
    const recipes = readRecipes(fs.readFileSync(path.join(IMAGES, "list.txt"), "utf8"));
    fs.mkdirSync(path.join(dir, "cache/images"), { recursive: true });
    const shared = path.join(dir, "shared.tar");
    fs.writeFileSync(path.join(dir, "base.txt"), crypto.randomBytes(300_000));
    must("tar", ["-cf", shared, "-C", dir, "base.txt"]);
    const index = NAMES.map((name) => {
      const archive = path.join(dir, `cache/images/${name}-0123456789abcdef.tar`),
        { image } = recipes.find((r) => r.recipe === name)!;
      fs.writeFileSync(path.join(dir, name), crypto.randomBytes(50_000));
      must("python3", [
        path.join(IMAGES, "mkimage.py"),
        image,
        archive,
        "--layer",
        shared,
        "--file",
        `${path.join(dir, name)}:/program`,
      ]);
      digests.set(name, fs.readFileSync(`${archive}.digest`, "utf8"));
      return `${image}\t${archive}\t${digests.get(name)}\n`;
    });
    fs.writeFileSync(path.join(dir, "cache/images/index.tsv"), index.join(""));
    port = await freePort();
    fs.writeFileSync(path.join(dir, "htpasswd"), HTPASSWD);
    registry = await startRegistry(dir, port, {
      login: { auth: { htpasswd: { realm: "registry", path: path.join(dir, "htpasswd") } }, headers: LOGIN },
      log: (text) => {
        log += text;
      },
    });
    await sent();
  });
  after(() => {
    registry?.kill();
    if (dir) fs.rmSync(dir, { recursive: true, force: true });
  });

  it("refuses with a clear error without a login, and with a wrong one", () => {
    const without = images(["push", prefix(), "mc", "--insecure"]);
    assert.equal(without.status, 1);
    assert.match(without.err, /mc could not be pushed to .*log in with --user/s);
    const wrong = images(["push", prefix(), "mc", "--insecure", "--user", "pusher"], {
      MATRIX_HA_REGISTRY_PASSWORD: "guess",
    });
    assert.equal(wrong.status, 1);
    assert.match(wrong.err, /could not be pushed/);
  });

  it("says what to do when the registry speaks http", () => {
    const r = images(["push", prefix(), "mc", "--user", "pusher"], { MATRIX_HA_REGISTRY_PASSWORD: PASSWORD });
    assert.equal(r.status, 1);
    assert.match(r.err, /--insecure/);
  });

  it("pushes each image with the archive's own digest", async () => {
    await sent();
    const r = push(...NAMES);
    assert.equal(r.status, 0, r.err);
    assert.match(r.out, /3 pushed, 0 were there already/);
    assert.ok((await sent()).length >= 3, "the registry saw no upload: this test looks at the wrong log");
    for (const name of NAMES) {
      const image = readRecipes(fs.readFileSync(path.join(IMAGES, "list.txt"), "utf8")).find(
        (x) => x.recipe === name,
      )!.image;
      const answer = await ask(`/v2/mirror/matrix-ha/${name}/manifests/${image.split(":").pop()}`);
      const body = Buffer.from(await answer.arrayBuffer());
      assert.equal(answer.status, 200, name);
      assert.equal(`sha256:${crypto.createHash("sha256").update(body).digest("hex")}`, digests.get(name));
      for (const layer of JSON.parse(body.toString()).layers) {
        const blob = Buffer.from(await (await ask(`/v2/mirror/matrix-ha/${name}/blobs/${layer.digest}`)).arrayBuffer());
        assert.equal(`sha256:${crypto.createHash("sha256").update(blob).digest("hex")}`, layer.digest);
      }
    }
  });

  it("sends nothing the second time", async () => {
    await sent();
    const r = push(...NAMES);
    assert.equal(r.status, 0, r.err);
    assert.match(r.out, /0 pushed, 3 were there already/);
    assert.deepEqual(await sent(), []);
  });

  it("prints settings that a stack accepts, with the digests", () => {
    const r = push(...NAMES);
    const images = parse(r.out.slice(r.out.indexOf("  matrix-ha:images:")))["matrix-ha:images"];
    assert.deepEqual(Object.keys(images.overrides).sort(), [...NAMES].sort());
    for (const name of NAMES)
      assert.ok(
        images.overrides[name].startsWith(`${prefix()}/${name}:`) &&
          images.overrides[name].endsWith(digests.get(name)!),
        images.overrides[name],
      );
    const { settings, errors } = resolveSettings({ ...readStackConfig("small", ROOT), images }, "small");
    assert.ok(settings, errors.map((e) => `${e.path}: ${e.remedy}`).join("\n"));
  });

  it("reads the login that docker login wrote", () => {
    fs.mkdirSync(path.join(dir, ".docker"));
    fs.writeFileSync(
      path.join(dir, ".docker/config.json"),
      JSON.stringify({
        auths: { [`127.0.0.1:${port}`]: { auth: Buffer.from(`pusher:${PASSWORD}`).toString("base64") } },
      }),
    );
    const r = images(["push", `127.0.0.1:${port}/other`, "mc", "--insecure"], { XDG_RUNTIME_DIR: dir });
    assert.equal(r.status, 0, r.err);
    assert.match(r.out, /1 pushed/);
  });
});
