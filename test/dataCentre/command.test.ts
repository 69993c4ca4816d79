/** `npm run dr` with stand-ins for pulumi and kubectl, and the stack files of three data centres. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { stringify } from "yaml";
import { main } from "../../cli/dr";
import { centreConfig, TOKEN, type Name } from "../helpers/dataCentres";

const ROOT = path.join(__dirname, "../..");
/** Answers with the file that is named after its first words; notes what it was asked. */
const STAND_IN = `#!/bin/sh
cd "$(dirname "$0")/.."
echo "$(basename "$0") $*" >> asked
case "$*" in
*" get clusters"*) cat cluster.json ;;
"stack export"*) cat "export-\${5:-none}.json" ;;
"config --json"*) echo '{}' ;;
"config set"*) cat >> set ;;
esac
`;

describe("npm run dr", () => {
  let dir: string;
  const before_ = { path: process.env.PATH, log: console.log, error: console.error };
  let said: string[];
  const write = (name: string, text: string): void => fs.writeFileSync(path.join(dir, name), text);
  const read = (name: string): string => fs.readFileSync(path.join(dir, name), "utf8");
  const stackFile = (self: Name, options: Parameters<typeof centreConfig>[1] = {}): void =>
    write(
      `Pulumi.${self}.yaml`,
      stringify({
        config: Object.fromEntries(
          Object.entries(centreConfig(self, options)).map(([key, value]) => [`matrix-ha:${key}`, value]),
        ),
      }),
    );
  /** What it said, and its exit code. */
  async function dr(...argv: string[]): Promise<{ text: string; code: number }> {
    said = [];
    process.exitCode = 0;
    try {
      await main([...argv, "--cwd", dir]);
      return { text: said.join("\n"), code: Number(process.exitCode) };
    } finally {
      process.exitCode = 0;
    }
  }

  beforeEach(() => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-dr-"));
    fs.mkdirSync(path.join(dir, "bin"));
    for (const name of ["pulumi", "kubectl"]) fs.writeFileSync(path.join(dir, "bin", name), STAND_IN, { mode: 0o755 });
    fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), path.join(dir, "Pulumi.yaml"));
    write("asked", "");
    process.env.PATH = `${path.join(dir, "bin")}:${before_.path}`;
    console.log = console.error = (text: string) => void said.push(text);
  });
  afterEach(() => {
    Object.assign(console, { log: before_.log, error: before_.error });
    process.env.PATH = before_.path;
    fs.rmSync(dir, { recursive: true });
  });

  it("check finds stacks that are one server, and says which was not named", async () => {
    stackFile("dc1");
    stackFile("dc2");
    const { text, code } = await dr("check", "--stack", "dc1", "--stack", "dc2");
    assert.match(text, /dc1, dc2: one server, dc1 serves\..*Not compared: dc3/s);
    assert.equal(code, 0);
    assert.equal(read("asked"), "", "it asks nobody");
  });

  it("check ends with 1 when two take themselves for the primary", async () => {
    stackFile("dc1");
    stackFile("dc2", { primary: "dc2" });
    const { text, code } = await dr("check", "--stack", "dc1", "--stack", "dc2");
    assert.match(text, /two primaries/);
    assert.equal(code, 1);
  });

  it("token prints the token of a demoted primary, by the context that is named", async () => {
    stackFile("dc1", { primary: "dc2" });
    write("cluster.json", JSON.stringify({ status: { demotionToken: TOKEN } }));
    const { text, code } = await dr("token", "--stack", "dc1=context-of-dc1");
    assert.ok(text.startsWith(TOKEN));
    assert.match(text, /dataCentre\.primary' dc2/);
    assert.equal(code, 0);
    assert.match(read("asked"), /kubectl --context context-of-dc1 /);
  });

  it("token waits while the primary is being demoted, and gives up in words", async () => {
    stackFile("dc1", { primary: "dc2" });
    write(
      "cluster.json",
      JSON.stringify({ status: { demotionToken: TOKEN, switchReplicaClusterStatus: { inProgress: true } } }),
    );
    const { text, code } = await dr("token", "--stack", "dc1", "--wait", "0");
    assert.match(text, /dc1 has no token after 0 s/);
    assert.equal(code, 1);
  });

  it("token asks no cluster of a stack that is still the primary", async () => {
    stackFile("dc1");
    const { text, code } = await dr("token", "--stack", "dc1");
    assert.match(text, /dc1 is the primary in its own stack/);
    assert.equal(code, 1);
    assert.equal(read("asked"), "");
  });

  it("fence changes nothing unless it is told to", async () => {
    stackFile("dc1");
    await dr("fence", "--stack", "dc1");
    assert.equal(read("asked"), "");
    const { text } = await dr("fence", "--stack", "dc1=old", "--apply");
    assert.match(text, /PostgreSQL is fenced, Synapse has no process/);
    assert.match(read("asked"), /annotate clusters\S+ synapse-postgres --overwrite cnpg\.io\/fencedInstances=\["\*"\]/);
    assert.match(read("asked"), /scale statefulsets,deployments -l app\.kubernetes\.io\/name=synapse --replicas=0/);
  });

  it("escrow copies keys from one state into the other stack, and shows none", async () => {
    const secret = (name: string, stringData: object): object => ({
      type: "kubernetes:core/v1:Secret",
      urn: `urn:pulumi:dc1::matrix-ha::kubernetes:core/v1:Secret::${name}`,
      inputs: { metadata: { name, namespace: "matrix" }, stringData },
    });
    const signingKey = `ed25519 a_own1 ${Buffer.alloc(32, 7).toString("base64").replace(/=+$/, "")}`;
    write(
      "export-dc1.json",
      JSON.stringify({
        deployment: {
          resources: [
            secret("synapse-secrets", { "signing.key": `${signingKey}\n`, "macaroon-secret-key": "macaroon-of-dc1" }),
            secret("synapse-postgres-stream", { username: "matrix_ha_stream", password: "stream-of-dc1" }),
          ],
        },
      }),
    );
    write("export-dc2.json", JSON.stringify({ deployment: null }));
    const { text, code } = await dr("escrow", "--from", "dc1", "--to", "dc2");
    assert.equal(code, 0, text);
    assert.match(text, /Set as encrypted importSecrets of dc2: signingKey, macaroonSecretKey, replicationPassword\./);
    for (const value of [signingKey, "macaroon-of-dc1", "stream-of-dc1"]) {
      assert.ok(read("set").includes(value));
      assert.ok(!text.includes(value) && !read("asked").includes(value), "never on a command line");
    }
  });
});
