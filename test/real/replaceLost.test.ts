/**
 * Pods of lost machines are deleted, and no others: the program in its image's Python, with an API server that keeps
 * what it is asked.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as https from "node:https";
import * as path from "node:path";
import { SHARED_FILES } from "../../components/layers/synapse/paths";
import { PROBE_PATHS } from "../../components/layers/synapse/replacerFacts";
import { REPLACE_PY } from "../../components/layers/synapse/scripts";
import { count } from "../../lab/real/counts";
import { answers, GATEWAY, Network, nextAddress, type Running } from "../../lab/real/network";
import { FILES_AT, pythonScript } from "../../lab/real/synapsePython";

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString().replace(/[.]\d+/, "");
const node = (name: string, ...taints: Array<[key: string, effect: string]>): object => ({
  metadata: { name },
  spec: taints.length ? { taints: taints.map(([key, effect]) => ({ key, effect })) } : {},
});
const pod = (name: string, nodeName: string | undefined, deletionTimestamp?: string): object => ({
  metadata: { name, uid: `uid-of-${name}`, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
  spec: nodeName ? { nodeName } : {},
});
const UNREACHABLE = "node.kubernetes.io/unreachable",
  NOT_READY = "node.kubernetes.io/not-ready";

describe("Pods of lost machines", () => {
  let net: Network, api: https.Server, running: Running, ip: string;
  const asked: string[] = [],
    deleted: Array<{ name: string; body: any }> = [];
  let answer = 200;
  const nodes = [
    node("well"),
    node("lost", [UNREACHABLE, "NoSchedule"], [UNREACHABLE, "NoExecute"]),
    node("just-silent", [UNREACHABLE, "NoSchedule"]),
    node("not-ready", [NOT_READY, "NoExecute"], [NOT_READY, "NoSchedule"]),
    node("closed", ["node.kubernetes.io/unschedulable", "NoSchedule"]),
  ];
  // Made anew for each answer: how long ago a pod should have ended counts from now.
  const pods = (): object[] => [
    pod("on-well", "well"),
    pod("on-lost", "lost"),
    pod("on-just-silent", "just-silent"),
    pod("on-not-ready", "not-ready"),
    pod("on-closed", "closed"),
    pod("nowhere-yet", undefined),
    pod("ends-now", "well", ago(5)),
    pod("ends-soon", "well", ago(-15)),
    pod("hangs", "not-ready", ago(40)),
  ];

  before(async () => {
    net = await new Network().start();
    const at = (f: string): string => path.join(net.dir, f);
    execFileSync(
      "openssl",
      // An authority without an identifier of its key, as many clusters have one.
      `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:${GATEWAY} -addext subjectKeyIdentifier=none -addext authorityKeyIdentifier=none -keyout ${at("key")} -out ${at("crt")}`.split(
        " ",
      ),
      { stdio: "pipe" },
    );
    api = https.createServer({ key: fs.readFileSync(at("key")), cert: fs.readFileSync(at("crt")) }, (req, res) => {
      let text = "";
      req.on("data", (c) => (text += c));
      req.on("end", () => {
        asked.push(`${req.method} ${req.url} ${req.headers.authorization}`);
        if (req.method === "DELETE") {
          deleted.push({ name: req.url!.split("/").pop()!, body: JSON.parse(text) });
          res.statusCode = answer;
        }
        const items = req.url!.startsWith("/api/v1/nodes") ? nodes : pods();
        res.end(JSON.stringify({ items }));
      });
    });
    await new Promise<void>((done) => api.listen(6443, GATEWAY, done));
    ip = nextAddress();
    const account = "root/run/secrets/kubernetes.io/serviceaccount";
    const root = path.join(net.dir, "synapse-root");
    const files = `mount -t tmpfs t ${root}/run; mkdir -p ${account.replace("root", root)}; cp ${at("crt")} ${account.replace("root", root)}/ca.crt; echo a-token > ${account.replace("root", root)}/token; set -- ${FILES_AT}/${SHARED_FILES.replace}; exec env -i`;
    const script = pythonScript(net, {
      files: { [SHARED_FILES.replace]: REPLACE_PY },
      env: {
        NAMESPACE: "matrix",
        LABEL: "matrix-ha.dev/only-one=guarded",
        PORT: "8080",
        LISTEN: "0.0.0.0",
        KUBERNETES_SERVICE_HOST: GATEWAY,
        KUBERNETES_SERVICE_PORT: "6443",
      },
    }).replace("exec env -i", files);
    running = net.spawn(net.namespace(ip), script, "replacer");
    await running.until(() => deleted.length >= 4, 60);
  });
  after(async () => {
    await running.stop();
    api.closeAllConnections();
    api.close();
    await net.close();
  });

  it("are deleted at once and without a grace period, and so are those that do not end; no other is", () => {
    assert.deepEqual([...new Set(deleted.map((d) => d.name))].sort(), ["hangs", "on-lost"]);
    for (const { name, body } of deleted)
      assert.deepEqual(body, { gracePeriodSeconds: 0, preconditions: { uid: `uid-of-${name}` } });
    assert.ok(
      asked.includes(
        "GET /api/v1/namespaces/matrix/pods?labelSelector=matrix-ha.dev/only-one%3Dguarded Bearer a-token",
      ),
      asked.slice(0, 4).join("\n"),
    );
    count("pods of lost machines replaced", 2);
  });

  it("may have been replaced by the other replacer", async () => {
    answer = 409;
    const before = deleted.length;
    await running.until(() => deleted.length > before + 3);
    assert.match(running.output, /on-lost is gone already/);
  });

  it("are said not to be watched while the API server does not answer, and the program goes on", async () => {
    assert.equal(await answers(`http://${ip}:8080${PROBE_PATHS.ready}`), 200);
    api.closeAllConnections();
    await new Promise((done) => api.close(done));
    await running.until(async () => (await answers(`http://${ip}:8080${PROBE_PATHS.ready}`)) === 503, 60);
    assert.equal(await answers(`http://${ip}:8080${PROBE_PATHS.alive}`), 200);
    assert.match(running.output, /the API server: .*refused/);
  });
});
