/** Mocha's spec reporter, and at the end a summary per suite for docs/proof/real.md. A skipped test fails the run. */
const fs = require("node:fs");
const {
  reporters,
  Runner: { constants: C },
} = require("mocha");
module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const suites = new Map();
    const of = (test) => {
      let s = test.parent;
      while (s.parent && !s.parent.root) s = s.parent;
      const key = s.title;
      if (!suites.has(key))
        suites.set(key, { suite: key, passed: 0, failed: 0, pending: 0, from: Date.now(), seconds: 0 });
      return suites.get(key);
    };
    runner.on(C.EVENT_SUITE_BEGIN, (s) => {
      if (s.parent && s.parent.root) of({ parent: s });
    });
    runner.on(C.EVENT_SUITE_END, (s) => {
      if (s.parent && s.parent.root) {
        const x = of({ parent: s });
        x.seconds = (Date.now() - x.from) / 1000;
      }
    });
    runner.on(C.EVENT_TEST_PASS, (t) => {
      of(t).passed += 1;
    });
    // At once, so that a run that hangs later has still reported the failure.
    runner.on(C.EVENT_TEST_FAIL, (t, error) => {
      of(t).failed += 1;
      process.stdout.write(`      ${String(error.message).slice(0, 3000)}\n`);
    });
    runner.on(C.EVENT_TEST_PENDING, (t) => {
      of(t).pending += 1;
    });
    runner.on(C.EVENT_RUN_END, () => {
      if (process.env.REAL_REPORT) fs.writeFileSync(process.env.REAL_REPORT, JSON.stringify([...suites.values()]));
    });
  }
};
