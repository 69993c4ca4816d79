/** The command as an operator runs it, with a fake kubectl on PATH that keeps a node and its pods in files. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as os from "node:os";
import * as path from "node:path";

const ROOT = path.resolve(__dirname, "../..");
const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

/** After a taint the node's pods are gone: the garbage collector removes them. */
const KUBECTL = `#!/bin/sh
echo "$*" >>"$FAKE/calls"
case "$*" in
  *"get node lost "*) cat "$FAKE/node.json" ;;
  *"get pods "*) if [ -e "$FAKE/tainted" ]; then cat "$FAKE/daemons.json"; else cat "$FAKE/pods.json"; fi ;;
  *"taint node lost node.kubernetes.io/out-of-service=nodeshutdown:NoExecute") touch "$FAKE/tainted" ;;
  *"taint node lost node.kubernetes.io/out-of-service-") rm -f "$FAKE/tainted" ;;
  *) echo 'Error from server (NotFound): nodes "other" not found' >&2; exit 1 ;;
esac
`;
const pod = (name: string, kind: string): object => ({
  metadata: { namespace: "matrix", name, ownerReferences: [{ kind }] },
  status: { phase: "Running" },
});

describe("npm run hosts", () => {
  let dir: string;
  let server: net.Server;
  /** Ports of an SSH server, and of a server that accepts connections and never speaks SSH. */
  let port: number;
  let mutePort: number;
  let mute: net.Server;
  const listen = (greeting: string): Promise<[net.Server, number]> =>
    new Promise((resolve) => {
      const s = net.createServer((socket) => {
        socket.on("error", () => undefined);
        socket.end(greeting);
      });
      s.listen(0, "127.0.0.1", () => resolve([s, (s.address() as net.AddressInfo).port]));
    });
  before(async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), "fence-"));
    fs.writeFileSync(path.join(dir, "kubectl"), KUBECTL, { mode: 0o755 });
    fs.writeFileSync(path.join(dir, "daemons.json"), JSON.stringify({ items: [pod("speaker", "DaemonSet")] }));
    fs.writeFileSync(
      path.join(dir, "pods.json"),
      JSON.stringify({ items: [pod("speaker", "DaemonSet"), pod("synapse-main-0", "StatefulSet")] }),
    );
    [server, port] = await listen("SSH-2.0-test\r\n");
    [mute, mutePort] = await listen("no\r\n");
  });
  after(() => {
    fs.rmSync(dir, { recursive: true });
    server.close();
    mute.close();
  });

  async function run(
    args: string[],
    node: { ready: string; since?: number; ssh?: boolean; tainted?: boolean },
  ): Promise<{ status: number; text: string; taints: string[] }> {
    for (const f of ["calls", "tainted"]) fs.rmSync(path.join(dir, f), { force: true });
    if (node.tainted) fs.writeFileSync(path.join(dir, "tainted"), "");
    fs.writeFileSync(
      path.join(dir, "node.json"),
      JSON.stringify({
        metadata: { name: "lost" },
        spec: { taints: node.tainted ? [{ key: "node.kubernetes.io/out-of-service" }] : [] },
        status: { conditions: [{ type: "Ready", status: node.ready, lastTransitionTime: ago(node.since ?? 300) }] },
      }),
    );
    fs.writeFileSync(
      path.join(dir, "Pulumi.t.yaml"),
      `config:\n  matrix-ha:hosts:\n    - { name: lost, address: 127.0.0.1 }\n  matrix-ha:ssh: { port: ${node.ssh ? port : mutePort} }\n`,
    );
    const child = spawn(
      process.execPath,
      [
        "--import",
        "tsx",
        path.join(ROOT, "cli/hosts.ts"),
        ...args,
        ...(args.length > 1 ? ["--stack", "t", "--cwd", dir] : []),
      ],
      { cwd: ROOT, env: { ...process.env, PATH: `${dir}:${process.env.PATH}`, FAKE: dir } },
    );
    let text = "";
    child.stdout.on("data", (d) => {
      text += d;
    });
    child.stderr.on("data", (d) => {
      text += d;
    });
    const status = await new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? -1)));
    const calls = fs.existsSync(path.join(dir, "calls"))
      ? fs.readFileSync(path.join(dir, "calls"), "utf8").split("\n")
      : [];
    return { status, text, taints: calls.filter((c) => c.includes(" taint ")) };
  }
  const refuses = async (args: string[], node: Parameters<typeof run>[1], says: RegExp): Promise<void> => {
    const r = await run(args, node);
    assert.equal(r.status, 1, r.text);
    assert.match(r.text, says);
    assert.doesNotMatch(r.text, /\n {4}at /);
    assert.deepEqual(r.taints, [], "nothing may be changed");
  };

  it("fences a machine that is silent and confirmed to be off, and waits until its pods are gone", async () => {
    const r = await run(["fence", "lost", "--confirmed-off"], { ready: "Unknown" });
    assert.equal(r.status, 0, r.text);
    assert.equal(r.taints.length, 1);
    assert.match(r.text, /removes 1 pods[^]*Done\. /);
  });
  it("refuses without a confirmation, however silent the machine is", () =>
    refuses(["fence", "lost"], { ready: "Unknown" }, /proves nothing[^]*--confirmed-off/));
  it("refuses a machine that answers, confirmed or not", () =>
    refuses(
      ["fence", "lost", "--confirmed-off"],
      { ready: "Unknown", ssh: true },
      /answers SSH on port \d+[^]*Power it off/,
    ));
  it("refuses a node that is Ready", () =>
    refuses(["fence", "lost", "--confirmed-off"], { ready: "True" }, /is Ready: it is not lost/));
  it("refuses a node whose kubelet still reports", () =>
    refuses(["fence", "lost", "--confirmed-off"], { ready: "False" }, /kubelet still reports/));
  it("refuses a node that has just gone silent", () =>
    refuses(["fence", "lost", "--confirmed-off"], { ready: "Unknown", since: 5 }, /silent for \d+ s only/));
  it("says what kubectl says when the node is unknown", () =>
    refuses(["fence", "other", "--confirmed-off"], { ready: "Unknown" }, /nodes "other" not found/));

  it("takes the fence away when the node is Ready, and not before", async () => {
    await refuses(["unfence", "lost"], { ready: "Unknown", tainted: true }, /not Ready yet/);
    const r = await run(["unfence", "lost"], { ready: "True", tainted: true });
    assert.equal(r.status, 0, r.text);
    assert.match(r.taints[0]!, /out-of-service-$/);
    assert.match((await run(["unfence", "lost"], { ready: "True" })).text, /nothing to do/);
  });

  it("shows its usage when called wrongly", async () => {
    for (const args of [[], ["fence"], ["remove", "lost"]]) {
      const r = await run(args, { ready: "True" });
      assert.equal(r.status, 2);
      assert.match(r.text, /npm run hosts -- fence NODE/);
    }
  });
});
