/** Synapse's own clients and boto3, in the Python of its image, use the proxy for what leaves the cluster only. */
import assert from "node:assert/strict";
import { noProxy, proxyUrl } from "../../components/layers/cluster/reach/proxy";
import { count } from "../../lab/real/counts";
import { Network } from "../../lab/real/network";
import { FILES_AT, synapsePython } from "../../lab/real/synapsePython";
import { fixtureSettings } from "../fixtures/plan";

/** A proxy that refuses everything and writes down what it was asked for, with the login. */
const ASK = `
import base64, os, socket, threading
from netaddr import IPSet
from twisted.internet import defer, reactor
from twisted.web.client import BrowserLikePolicyForHTTPS
import boto3
from botocore.config import Config
from synapse.config.server import parse_proxy_config
from synapse.http.federation.matrix_federation_agent import MatrixFederationAgent
from synapse.http.proxyagent import ProxyAgent
from synapse.util.clock import Clock

asked = []
listening = socket.create_server(("127.0.0.1", 3128))

def serve():
    while True:
        peer, _ = listening.accept()
        text = b""
        while b"\\r\\n\\r\\n" not in text:
            more = peer.recv(65536)
            if not more:
                break
            text += more
        lines = text.decode().split("\\r\\n")
        login = [l.split(" ")[-1] for l in lines if l.lower().startswith("proxy-authorization:")]
        method, target = lines[0].split(" ")[:2]
        asked.append(f"{method} {target} {base64.b64decode(login[0]).decode() if login else 'nobody'}")
        peer.sendall(b"HTTP/1.1 502 No\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
        peer.close()

threading.Thread(target=serve, daemon=True).start()
config = parse_proxy_config({})

for endpoint in ("https://s3.example.net", "http://minio-api.minio.svc.cluster.local:9000"):
    try:
        boto3.client("s3", endpoint_url=endpoint, region_name="r", aws_access_key_id="a", aws_secret_access_key="s",
                     config=Config(retries={"max_attempts": 0}, connect_timeout=3)).list_buckets()
    except Exception:
        pass

async def ask():
    agent = ProxyAgent(reactor=reactor, contextFactory=BrowserLikePolicyForHTTPS(), connectTimeout=3, proxy_config=config)
    federation = MatrixFederationAgent(
        server_name="example.org", reactor=reactor, clock=Clock(reactor, server_name="example.org"),
        tls_client_options_factory=None, user_agent=b"test", ip_allowlist=None, ip_blocklist=IPSet(["10.0.0.0/8"]),
        proxy_config=config)
    for client, url in (
        (agent, "https://sso.example.net/"),
        (agent, "http://pages.example.net/"),
        (agent, "https://matrix.example.org/"),
        (agent, "http://bridge.bridges.svc.cluster.local:9898/"),
        (agent, "https://inside.corp.example.net/"),
        (agent, "https://10.98.0.4/"),
        (federation, "matrix-federation://other.example.net:8448/_matrix/federation/v1/version"),
        (federation, "matrix-federation://matrix.example.org:443/_matrix/federation/v1/version"),
    ):
        try:
            await client.request(b"GET", url.encode())
        except Exception:
            pass

async def run():
    try:
        await ask()
    finally:
        reactor.callLater(0, reactor.stop)

reactor.callWhenRunning(lambda: defer.ensureDeferred(run()).addErrback(lambda f: print(f)))
reactor.run()
print("\\n".join(asked))
`;

describe("An HTTP proxy", () => {
  let net: Network;
  before(async () => {
    net = await new Network().start();
  });
  after(() => net.close());

  it("is asked for what leaves the cluster, with the login, and for nothing else", async () => {
    const settings = fixtureSettings();
    settings.httpProxy = {
      url: "http://127.0.0.1:3128",
      user: "matrix",
      password: "p$ss+w!rd=1",
      noProxy: ["corp.example.net", "10.98.0.4"],
    };
    const url = proxyUrl(settings.httpProxy);
    const done = await synapsePython(net, {
      files: { "ask.py": ASK },
      env: { HOME: "/tmp", HTTP_PROXY: `'${url}'`, HTTPS_PROXY: `'${url}'`, NO_PROXY: noProxy(settings).join(",") },
      args: [`${FILES_AT}/ask.py`],
    });
    assert.equal(done.status, 0, done.output);
    // Each refusal is a traceback between them.
    const asked = done.output.split("\n").filter((line) => /^[A-Z]+ \S+ \S+$/.test(line));
    assert.deepEqual(asked, [
      "CONNECT s3.example.net:443 matrix:p$ss+w!rd=1",
      "CONNECT sso.example.net:443 matrix:p$ss+w!rd=1",
      "GET http://pages.example.net/ matrix:p$ss+w!rd=1",
      "CONNECT other.example.net:8448 matrix:p$ss+w!rd=1",
    ]);
    count("requests of Synapse's clients with a proxy", 10);
  });
});
