/** No generated secret in what the SDK tells the engine for its debug log. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { hideResponsesInDebugLog, withoutResponse } from "../../components/core/debugLog";

const RUNTIME = path.dirname(require.resolve("@pulumi/pulumi/runtime"));
const sdkLog = require("@pulumi/pulumi/log");

describe("the SDK's debug log", () => {
  it("says that a resource is there, and not what the provider answered", () => {
    const said = withoutResponse(
      "RegisterResource RPC finished: resource:secrets-signing-key[random:index/randomPassword:RandomPassword]; err: null, resp: urn:x,none,result,hunter2\n,more,hunter2",
    );
    assert.match(
      said,
      /^RegisterResource RPC finished: resource:secrets-signing-key\[.*\]; err: null, resp: \(not logged/,
    );
    assert.doesNotMatch(said, /hunter2/);
  });

  it("is left alone otherwise", () =>
    assert.equal(
      withoutResponse("Registering resource: t=a, name=respite: b"),
      "Registering resource: t=a, name=respite: b",
    ));

  it("goes through that, however often it was asked for", async () => {
    const before = sdkLog.debug,
      heard: string[] = [];
    try {
      sdkLog.debug = async (message: string) => {
        heard.push(message);
      };
      hideResponsesInDebugLog();
      const once = sdkLog.debug;
      hideResponsesInDebugLog();
      assert.equal(sdkLog.debug, once);
      await sdkLog.debug("x; resp: hunter2");
      assert.match(heard.join(), /^x; resp: \(not logged/);
    } finally {
      sdkLog.debug = before;
    }
  });

  it("writes answers in that form alone: a new SDK may not", () => {
    const files = fs
      .readdirSync(RUNTIME)
      .filter((f) => f.endsWith(".js"))
      .map((f) => fs.readFileSync(path.join(RUNTIME, f), "utf8"));
    const answers = files.flatMap((t) => t.match(/log\.debug\(`[^`]*\$\{\w*(?:response|resp|result)\b[^`]*`/gi) ?? []);
    assert.ok(answers.length >= 4, `${answers.length} found`);
    assert.deepEqual(
      answers.filter((a) => !/resp: \$\{innerResponse\}`$/.test(a)),
      [],
    );
    assert.ok(
      files.some((t) => /\blog\.debug\(/.test(t)) &&
        files.every((t) => !/import \{[^}]*debug[^}]*\} from|\{ debug \} = require/.test(t)),
      "called on the module",
    );
  });
});
