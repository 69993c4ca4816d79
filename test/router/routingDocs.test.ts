/** docs/routing.md and the routing table are one. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { renderRoutingDocs } from "../../components/layers/synapse/routingDocs";

describe("docs/routing.md", () => {
  it("lists every route as the router has it", () => {
    assert.equal(fs.readFileSync(path.join(__dirname, "../../docs/routing.md"), "utf8"), renderRoutingDocs());
  });
});
