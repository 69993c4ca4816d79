/** Synapse's own clients, in the Python of its image, accept a server of a private authority after the start script. */
import assert from "node:assert/strict";
import { trust } from "../../components/layers/synapse/synapseStart";
import { count } from "../../lab/real/counts";
import { Network } from "../../lab/real/network";
import { FILES_AT, synapsePython } from "../../lab/real/synapsePython";
import { certificate } from "../helpers/example";

/** Serves HTTPS with the private certificate, and asks it as Synapse does (OpenID Connect, push) and as boto3 does. */
const ASK = `
import http.server, ssl, threading
from twisted.internet import reactor
from twisted.web.client import Agent
import boto3
from botocore.config import Config
from botocore.exceptions import SSLError
from synapse.crypto.context_factory import RegularPolicyForHTTPS

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<ListAllMyBucketsResult/>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("${FILES_AT}/server.crt", "${FILES_AT}/server.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"https://localhost:{server.server_port}/"

try:
    boto3.client("s3", endpoint_url=url, region_name="r", aws_access_key_id="a", aws_secret_access_key="s",
                 config=Config(retries={"max_attempts": 0})).list_buckets()
    print("boto3 accepts")
except SSLError:
    print("boto3 refuses")

asked = Agent(reactor, contextFactory=RegularPolicyForHTTPS()).request(b"GET", url.encode())
asked.addCallbacks(lambda _: print("Synapse accepts"),
                   lambda f: print("Synapse refuses" if "certificate verify failed" in str(f.value) else f.value))
asked.addBoth(lambda _: reactor.stop())
reactor.run()
`;

describe("Private authorities", () => {
  let net: Network;
  before(async () => {
    net = await new Network().start();
  });
  after(() => net.close());

  async function ask(lines: string): Promise<string> {
    const made = await certificate(["localhost"], "2020-01-01", "2120-01-01", true);
    const done = await synapsePython(net, {
      files: {
        "server.crt": made.certificate,
        "server.key": made.privateKey,
        "authorities.crt": made.certificate,
        "ask.py": ASK,
        "start.sh": `set -eu\n${lines}\nexec python ${FILES_AT}/ask.py\n`,
      },
      env: { HOME: "/tmp" },
      args: ["-c", `import os; os.execvp("sh", ["sh", "${FILES_AT}/start.sh"])`],
    });
    assert.equal(done.status, 0, done.output);
    count("starts of Synapse's clients with private authorities");
    return done.output.trim();
  }
  const at = { own: `${FILES_AT}/authorities.crt`, both: `${FILES_AT}/both.crt` };

  it("are refused without the setting", async () => assert.equal(await ask(":"), "boto3 refuses\nSynapse refuses"));

  it("are accepted with it, and the public ones are still there", async () =>
    assert.match(
      await ask(`${trust({ ...at, forS3: at.both })}\ngrep -c BEGIN ${at.both}`),
      /^[1-9]\d\d+\nboto3 accepts\nSynapse accepts$/,
    ));

  it("S3 with privateAuthority: boto3 has no others", async () =>
    assert.match(
      await ask(`${trust({ ...at, forS3: at.own })}\ngrep -c BEGIN "$AWS_CA_BUNDLE"`),
      /^1\nboto3 accepts\nSynapse accepts$/,
    ));
});
