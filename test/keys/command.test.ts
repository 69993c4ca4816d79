/**
 * `npm run keys` as an operator runs it: the deployed keys come back unchanged, and no secret is shown on the way.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as path from "node:path";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { exampleConfig } from "../../cli/exampleStack";
import { ALONE_SECRETS } from "../../components/domain/importableSecrets";
import { WITHOUT_OPERATORS } from "../../lab/common/tiers";
import { realTls } from "../helpers/authority";
import { exportOf, Fakes, type Ran } from "./helpers/fakes";

const ROOT = path.join(__dirname, "../..");
const CONFIG = { ...exampleConfig(1000), ...WITHOUT_OPERATORS };

describe("npm run keys", function () {
  this.timeout(180_000); // processes
  let deployed: Evaluation;
  let fakes: Fakes;
  let file: string;

  before(async () => {
    deployed = await evaluate({ stack: "test", config: CONFIG, generator: realTls() });
  });
  beforeEach(() => {
    fakes = new Fakes().export(exportOf(deployed)).config({ domain: "example.org" });
    file = fakes.file("prod.keys");
  });
  afterEach(() => {
    const shown = fakes.read("argv");
    assert.deepEqual(
      secrets().filter((value) => shown.includes(value)),
      [],
      "no value was on a command line",
    );
    fakes.remove();
  });

  /** Every value that must not be shown; of a PEM key, a line from its middle. */
  const secrets = (): string[] => {
    const of = (name: string): Record<string, string> =>
      deployed.resources.find((r) => r.inputs?.kind === "Secret" && r.inputs.metadata.name === name)!.inputs.stringData;
    const ca = deployed.resources.find((r) => r.type === "tls:index/locallySignedCert:LocallySignedCert")!.inputs
      .caPrivateKeyPem as string;
    return [...Object.values(of("synapse-secrets")), of("synapse-database").password!, ca]
      .map((v) => v.trim().split("\n").at(-2) ?? v)
      .map((v) => v.trim().split(" ").pop()!);
  };
  function ran(done: Ran, status: number): Ran {
    assert.equal(done.status, status, done.stderr);
    assert.doesNotMatch(done.stderr, /^\s+at .*\.ts:/m, "no stack trace");
    assert.deepEqual(
      secrets().filter((value) => (done.stdout + done.stderr).includes(value)),
      [],
      "nothing secret is printed",
    );
    return done;
  }
  const save = (...args: string[]): Ran => ran(fakes.keys(["save", "--stack", "prod", "--out", file, ...args]), 0);

  it("restored into another stack, the keys make the same server: every secret that it had, and its CA", async () => {
    const { stdout } = save();
    assert.match(stdout, new RegExp(deployed.outputs.signingKey.fingerprint));
    assert.match(stdout, /pulumi config set --stack prod savedKeys/);
    fakes.export({ version: 3, deployment: null });
    ran(fakes.keys(["restore", "--stack", "again", file]), 0);

    const again = await evaluate({
      stack: "test",
      config: { ...CONFIG, importSecrets: fakes.importSecrets },
      generator: realTls(),
    });
    assert.deepEqual(Object.keys(fakes.importSecrets).sort(), [...ALONE_SECRETS].sort());
    assert.deepEqual(again.outputs.signingKey, deployed.outputs.signingKey);
    assert.equal(again.outputs.caCertificate, deployed.outputs.caCertificate);
    for (const name of ["synapse-secrets", "synapse-database", "coturn"]) {
      const of = (e: Evaluation): object =>
        e.resources.find((r) => r.inputs?.kind === "Secret" && r.inputs.metadata.name === name)!.inputs;
      assert.deepEqual(of(again), of(deployed), name);
    }
    const signing = (e: Evaluation): any => {
      const { caPrivateKeyPem, caCertPem } = e.resources.find((r) => r.type.includes("locallySignedCert"))!.inputs;
      return { caPrivateKeyPem, caCertPem };
    };
    assert.deepEqual(signing(again), signing(deployed));
    const made = ["signing-key", "macaroon", "form", "registration", "database", "turn"].map((n) => `secrets-${n}`);
    assert.deepEqual(
      again.resources.filter((r) => made.includes(r.name) || /tls-ca(-key)?$/.test(r.name)).map((r) => r.name),
      [],
      "none of them is generated again",
    );
  });

  it("also reads an export from a file or from standard input, where --stack only serves the printed commands", () => {
    ran(fakes.keys(["save", "--export", fakes.file("export.json"), "--out", file]), 0);
    ran(
      fakes.keys(["save", "--export", "-", "--out", fakes.file("two.keys")], { input: fakes.read("export.json") }),
      0,
    );
    const keys = (name: string): object => JSON.parse(fakes.read(name)).keys;
    assert.deepEqual(keys("two.keys"), keys("prod.keys"));
    assert.equal(fakes.read("argv"), "", "pulumi was not asked");
  });

  it("waits for late standard input, even if another program has made the pipe non-blocking", async () => {
    const module = path.join(__dirname, "../../cli/keys/disk.ts");
    const child = spawn(process.execPath, [
      "--require",
      "tsx",
      "--eval",
      `const { readText } = require(${JSON.stringify(module)}); process.stdin.pause(); require("node:fs").writeSync(1, "asking "); (async () => process.stdout.write(await readText("-")))()`,
    ]);
    let said = "",
      wrong = "";
    child.stderr.on("data", (d) => {
      wrong += d;
    });
    child.stdout.on("data", (d) => {
      if (said === "") child.stdin.end("an export");
      said += d;
    });
    child.stdin.on("error", () => undefined);
    await once(child, "close");
    assert.equal(said, "asking an export", wrong);
  });

  it("reads all but the CA's key from the cluster when the state is lost, and says so", () => {
    fakes.cluster(deployed);
    const { stdout } = ran(fakes.keys(["save", "--from-cluster", "--out", file]), 0);
    assert.match(stdout, /key of the stack's own CA is in no Secret.*new CA/);
    const { keys } = JSON.parse(fakes.read("prod.keys"));
    assert.deepEqual(Object.keys(keys).sort(), ALONE_SECRETS.filter((n) => !n.startsWith("ca")).sort());
    save("--export", fakes.file("export.json"), "--out", fakes.file("state.keys"));
    const { caPrivateKey: _k, caCertificate: _c, ...rest } = JSON.parse(fakes.read("state.keys")).keys;
    assert.deepEqual(keys, rest);
  });

  it("writes only a new file, readable by its owner alone", () => {
    save();
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    const before = fakes.read("prod.keys");
    assert.match(
      ran(fakes.keys(["save", "--stack", "prod", "--out", file]), 1).stderr,
      /exists, and keys are never overwritten/,
    );
    assert.equal(fakes.read("prod.keys"), before);
  });

  it("writes no file into a git work tree unless git ignores it; a link does not help", () => {
    const tree = fakes.file("tree");
    fs.mkdirSync(path.join(tree, "below"), { recursive: true });
    spawnSync("git", ["init", "--quiet", tree]);
    fs.writeFileSync(path.join(tree, ".gitignore"), "*.keys\n");
    fs.symlinkSync(path.join(tree, "below"), fakes.file("link"));
    for (const out of [path.join(tree, "a.json"), path.join(tree, "below/a.json"), fakes.file("link/a.json")]) {
      assert.match(
        ran(fakes.keys(["save", "--stack", "prod", "--out", out]), 1).stderr,
        /git work tree.*could publish the keys/,
      );
      assert.ok(!fs.existsSync(out));
    }
    // Without git on PATH it is unknown which files are ignored.
    const blind = path.join(tree, "blind.keys");
    ran(
      fakes.keys(["save", "--export", fakes.file("export.json"), "--out", blind], {
        env: { PATH: path.join(fakes.dir, "bin") },
      }),
      1,
    );
    ran(fakes.keys(["save", "--stack", "prod", "--out", path.join(tree, "below/a.keys")]), 0);
    assert.match(
      ran(fakes.keys(["save", "--stack", "prod", "--out", fakes.file("nowhere/a.keys")]), 1).stderr,
      /the folder .*nowhere does not exist/,
    );
  });

  it("show prints the public half in the form of oldSigningKeys, and lists the keys of the file", () => {
    save();
    const { stdout, stderr } = ran(fakes.keys(["show", file]), 0);
    const { id, verifyKey, fingerprint } = deployed.outputs.signingKey;
    for (const part of [id, verifyKey, fingerprint, "example.org", ...ALONE_SECRETS])
      assert.ok(stdout.includes(part), part);
    assert.match(
      stdout,
      new RegExp(`- \\{ id: "${id}", key: "${verifyKey.replace(/[+/]/g, "\\$&")}", expiredAt: "\\d{4}-[^"]+Z" \\}`),
    );
    assert.equal(stderr, "");
    fs.chmodSync(file, 0o644);
    assert.match(ran(fakes.keys(["show", file]), 0).stderr, /chmod 600/);
  });

  it("refuses a damaged file", () => {
    save();
    const whole = fakes.read("prod.keys");
    const cases: Array<[string, RegExp]> = [
      ["hello", /not JSON/],
      ["{}", /lacks version 1/],
      [whole.replace(/"fingerprint": "../, '"fingerprint": "zz'), /damaged.*another copy/],
      [whole.replace(/(BEGIN CERTIFICATE-----\\n)../, "$1zz"), /damaged/],
      [whole.replace("formSecret", "formSecrets"), /does not know: formSecrets/],
    ];
    for (const [text, says] of cases) {
      fakes.write("broken.keys", text);
      assert.match(ran(fakes.keys(["show", fakes.file("broken.keys")]), 1).stderr, says);
    }
    ran(fakes.keys(["restore", "--stack", "again", fakes.file("broken.keys")]), 1);
    assert.doesNotMatch(fakes.read("argv"), /config set/);
  });

  describe("restore", () => {
    const restore = (status: number, ...args: string[]): Ran =>
      ran(fakes.keys(["restore", "--stack", "again", file, ...args]), status);
    const untouched = (): void => {
      assert.doesNotMatch(fakes.read("argv"), /config set/);
    };

    it("sets missing keys, and nothing the second time", () => {
      save();
      restore(0, "--only", "signingKey");
      assert.deepEqual(Object.keys(fakes.importSecrets), ["signingKey"]);
      // The stack from which they were taken has the same keys deployed: no reason to refuse.
      restore(0);
      assert.deepEqual(Object.keys(fakes.importSecrets).sort(), [...ALONE_SECRETS].sort());
      assert.match(restore(0).stdout, /already has all of them: nothing was set/);
    });

    it("refuses where other values are configured", () => {
      save();
      fakes.config({ domain: "example.org", importSecrets: { macaroonSecretKey: "another-one-of-before" } });
      const { stderr } = restore(1);
      assert.match(stderr, /other values configured: importSecrets\.macaroonSecretKey.*config rm/);
      assert.doesNotMatch(stderr, /another-one/);
      untouched();
    });

    it("refuses where the stack is deployed with other values", () => {
      save();
      const state = exportOf(deployed);
      const secret = state.deployment.resources.find((r: any) => r.inputs?.metadata?.name === "synapse-secrets");
      secret.inputs.stringData.plaintext = secret.inputs.stringData.plaintext.replace(
        /ed25519 a_\w+/,
        "ed25519 a_other",
      );
      fakes.export(state);
      assert.match(restore(1).stderr, /deployed with other values: signingKey/);
      untouched();
    });

    it("refuses the keys of another server", () => {
      save();
      fakes.config({ domain: "example.org", serverName: "example.net" });
      assert.match(restore(1).stderr, /those of example\.org, and the stack again is example\.net/);
      untouched();
    });

    it("refuses a key that the file does not hold, and continues where it stopped", () => {
      fakes.cluster(deployed);
      ran(fakes.keys(["save", "--from-cluster", "--out", file]), 0);
      assert.match(restore(1, "--only", "caPrivateKey").stderr, /does not hold caPrivateKey\. It holds signingKey/);
      untouched();
      const stopped = ran(fakes.keys(["restore", "--stack", "again", file], { env: { FAIL_AT: "formSecret" } }), 1);
      assert.match(stopped.stderr, /Set so far: signingKey, macaroonSecretKey\. Run the command again/);
      restore(0);
      assert.equal(Object.keys(fakes.importSecrets).length, 6);
    });
  });

  describe("explains what is wrong", () => {
    const CASES: Array<[string[], number, RegExp]> = [
      [["show"], 2, /save, show FILE, or restore FILE/],
      [["save", "--stack", "prod"], 2, /--out is missing/],
      [["save", "--out", "x"], 2, /--stack is missing.*--from-cluster/s],
      [["save", "--from-cluster", "--export", "x", "--out", "x"], 2, /not both/],
      [["restore", "x"], 2, /--stack is missing/],
      [["restore", "--stack", "s", "x", "--only", "password"], 2, /--only password: give one of signingKey/],
      [["show", "nothing-there"], 1, /cannot be read \(ENOENT\)/],
      [["save", "--out", "x", "--word"], 2, /--word/],
    ];
    for (const [args, status, says] of CASES)
      it(`keys ${args.join(" ")}`, () => {
        assert.match(ran(fakes.keys(args), status).stderr, says);
      });

    it("nothing is deployed; a program is missing", () => {
      fakes.export({ version: 3, deployment: { manifest: {} } });
      assert.match(
        ran(fakes.keys(["save", "--stack", "prod", "--out", file]), 1).stderr,
        /no signing key in this state/,
      );
      fs.rmSync(fakes.file("bin/pulumi"));
      assert.match(
        ran(fakes.keys(["save", "--stack", "prod", "--out", file], { env: { PATH: path.join(fakes.dir, "bin") } }), 1)
          .stderr,
        /pulumi could not be run.*install the Pulumi CLI/,
      );
      assert.ok(!fs.existsSync(file));
    });
  });

  it("is a script of the package", () => {
    assert.equal(JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")).scripts.keys, "tsx cli/keys.ts");
  });
});
