import assert from "node:assert/strict";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { evaluate, messageOf } from "../../cli/evaluate";
import { exampleConfig } from "../../cli/exampleStack";

/** As text, since the order of keys is part of what a message gives back. */
const through = (message: { toJavaScript(): unknown }): string => JSON.stringify(message.toJavaScript());

describe("evaluating without messages", () => {
  it("gives back what a message of protobuf gives back, for every input of a stack", async () => {
    const { resources } = await evaluate({ stack: "test", config: exampleConfig(100) });
    assert.ok(resources.length > 300, `${resources.length}`);
    for (const { inputs, urn } of resources) {
      // The other way round, so that sorting has something to do.
      const given = Object.fromEntries(Object.entries(inputs as Record<string, JavaScriptValue>).reverse());
      assert.equal(through(messageOf(given)), through(Struct.fromJavaScript(given)), urn);
    }
  });

  it("leaves the translation in place for others", async () => {
    const before = Struct.fromJavaScript;
    await evaluate({ stack: "test", config: exampleConfig(100) });
    assert.equal(Struct.fromJavaScript, before);
  });
});
