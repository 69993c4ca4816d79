/** A stack that was deployed, deployed again: nothing changes, and nothing seems to have changed. */
import assert from "node:assert/strict";
import { measured } from "../../lab/proof/measured";
import { errorsOf, must, names, run, up, UP } from "./helpers/pulumi";

describe("deployed again without a change", () => {
  it("up: no operation, in less than a minute", async () => {
    const done = await up();
    measured(`${done.seconds.toFixed(0)} s, ${JSON.stringify(done.events.summary())}`);
    assert.deepEqual(names(done), []);
    assert.ok(done.seconds < 60, `${done.seconds} s`);
  });

  it("refresh: no drift from what autoscalers, operators and webhooks have written since", async () => {
    const done = await run(["refresh", "--yes", "--skip-preview", "--expect-no-changes"]);
    measured(`${done.seconds.toFixed(0)} s, ${JSON.stringify(done.events.summary())}`);
    assert.equal(done.code, 0, errorsOf(done));
  });

  it("preview after it: no operation, without a warning", async () => {
    const done = await must(["preview", "--diff", "--expect-no-changes"]);
    measured(`${done.seconds.toFixed(0)} s`);
    assert.deepEqual(done.events.diagnostics("warning"), []);
  });

  it("two at once: the second is refused, and the first finishes", async () => {
    const both = await Promise.all([run(UP), run(UP)]);
    const [good, refused] = [...both].sort((a, b) => (a.code ?? 1) - (b.code ?? 1)) as [
      (typeof both)[0],
      (typeof both)[0],
    ];
    assert.equal(good.code, 0, errorsOf(good));
    assert.notEqual(refused.code, 0);
    assert.match(refused.text, /currently locked/);
    measured(
      `refused after ${refused.seconds.toFixed(0)} s: ${/the stack is currently locked by [^\n]*/.exec(refused.text)?.[0]}`,
    );
  });
});
