/** The schema of the pinned Synapse, as its package has it: by that, an upgrade can be taken back or not. */
import assert from "node:assert/strict";
import { IMAGES } from "../../components/layers/registry";
import { minorOf, SCHEMAS } from "../../components/layers/synapse/schemaVersions";
import { Network } from "../../lab/real/network";
import { FILES_AT, synapsePython } from "../../lab/real/synapsePython";

const READ = `from synapse.storage.schema import SCHEMA_COMPAT_VERSION, SCHEMA_VERSION
print(SCHEMA_VERSION, SCHEMA_COMPAT_VERSION)`;

describe("Synapse's schema", () => {
  let net: Network;
  before(async () => {
    net = await new Network().start();
  });
  after(() => net.close());

  it("has the numbers that npm run diff goes by", async () => {
    const { status, output } = await synapsePython(net, {
      files: { "read.py": READ },
      env: {},
      args: [`${FILES_AT}/read.py`],
    });
    assert.equal(status, 0, output);
    const { version, compat } = SCHEMAS[minorOf(IMAGES.synapse.tag)!]!;
    assert.equal(output.trim().split("\n").at(-1), `${version} ${compat}`);
  });
});
