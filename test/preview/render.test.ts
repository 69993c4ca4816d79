/** The reviewer's comment: restarts with reasons, losses, errors, and never more text than GitHub accepts. */
import assert from "node:assert/strict";
import { COMMENT_LIMIT, MARKER, render, SUMMARY_LIMIT } from "../../scripts/preview/render";
import { change, engineResult, report, RETENTION } from "./helpers/reports";

const RUN = "https://github.example/someone/matrix/actions/runs/1";

describe("the preview's comment", () => {
  it("begins with the marker by which a later run finds it", () =>
    assert.ok(render([report("small", [])]).startsWith(MARKER)));

  it("says in one row a stack what is created, updated, replaced and deleted, what restarts, and what the engine took", () => {
    const text = render([report("small", RETENTION), report("large", [])]);
    assert.match(text, /^\| `small` \| 0 \| 2 \| \*\*2\*\* \| 0 \| 2 \| 0 \| 0 \| 955 resources, 43 s, 1\.2 GiB \|$/m);
    assert.match(text, /^\| `large` \| 0 \| 0 \| 0 \| 0 \| 0 \| 0 \| 0 \|/m);
    assert.doesNotMatch(text, /### large/, "nothing to say of it");
  });

  it("says which workloads restart, and why, once a reason", () => {
    const text = render([report("small", RETENTION)]);
    assert.match(text, /\*\*2 workloads restart\*\*/);
    assert.match(
      text,
      /^- StatefulSet `matrix\/synapse-main`, `matrix\/synapse-media`: `its configuration changed \(ConfigMap synapse-shared-2\)`$/m,
    );
    assert.match(render([report("small", [change("cluster", "update", "ClusterRole x")])]), /No workload restarts/);
  });

  it("counts by layer", () =>
    assert.match(render([report("small", RETENTION)]), /^\| synapse \| {2}\| 2 \| 2 \| {2}\| 2 \|$/m));

  it("a replacement that loses data, and a deletion, are in a red box; a new name for new content is not", () => {
    const calm = render([report("small", RETENTION)]);
    assert.doesNotMatch(calm, /CAUTION|REPLACED/);
    assert.match(calm, /Replaced under a new name.*`matrix\/synapse-shared-2`.*Job `matrix\/synapse-check-2`/);
    const loud = render([
      report("small", [
        ...RETENTION,
        change("minio", "replace", "StatefulSet minio/minio", {
          fields: [{ path: "spec.volumeClaimTemplates.0", from: "a", to: "b" }],
        }),
        change("postgres", "delete", "Cluster matrix/synapse-postgres"),
      ]),
    ]);
    assert.match(
      loud,
      /> \[!CAUTION\]\n> \*\*REPLACED: 1 resource is deleted and created again\*\*.*StatefulSet `minio\/minio`/,
    );
    assert.match(loud, /^> \*\*DELETED: 1 resource\*\*: Cluster `matrix\/synapse-postgres`$/m);
    assert.ok(loud.indexOf("REPLACED") < loud.indexOf("workloads restart"), "first");
  });

  it("a patch removed from a node does not count as a lost node", () => {
    const text = render([report("small", [change("hosts", "delete", "NodePatch db-1")])]);
    assert.doesNotMatch(text, /CAUTION/);
    assert.match(text, /Removed from objects that stay: NodePatch `db-1`/);
  });

  it("errors and warnings of the engine are quoted", () => {
    const text = render([
      report("small", [], { ok: false, errors: ["2 settings are wrong:\n  ccu"], warnings: ["a deprecated field"] }),
    ]);
    assert.match(text, /\*\*failed\*\*, 955 resources/);
    assert.match(text, /Errors[\s\S]*> 2 settings are wrong:\n> {3}ccu/);
    assert.match(text, /\[!WARNING\][\s\S]*> a deprecated field/);
    assert.match(text, /^\| `small` .* \| 1 \| \*\*1\*\* \|/m);
  });

  it("a value that a preview cannot read is explained where it is complained of", () =>
    assert.match(
      render([report("small", [], { ok: false, errors: ["domain\n  given: [encrypted by pulumi]"] })]),
      /is a placeholder for an encrypted value that a preview cannot read/,
    ));

  it("a stack without a result, without a base, or that does not evaluate, is told and not left out", () => {
    assert.match(render([{ stack: "small" }]), /^\| `small` .*\*\*no result\*\* \|$/m);
    assert.match(render([{ stack: "small" }]), /There is no result of the engine/);
    const fresh = render([
      {
        stack: "new",
        engine: engineResult("new"),
        changes: { stack: "new", base: "b", problem: "The base has no Pulumi.new.yaml" },
      },
    ]);
    assert.match(fresh, /No comparison[\s\S]*has no Pulumi\.new\.yaml/);
    const broken = render([
      {
        stack: "s",
        engine: engineResult("s"),
        changes: { stack: "s", base: "b", problem: "ccu is wrong", failed: true },
      },
    ]);
    assert.match(broken, /^\| `s` .* \| \*\*1\*\* \| 955/m);
    assert.match(broken, /does not evaluate[\s\S]*ccu is wrong/);
  });

  it("against the state, the engine's own answer is shown, and the comparison is not claimed", () => {
    const text = render([
      {
        stack: "small",
        engine: engineResult("small", { against: "state", operations: { same: 953, update: 2 }, changes: RETENTION }),
      },
    ]);
    assert.match(text, /compared with what is deployed/);
    assert.match(text, /955 resources against the state/);
    assert.match(text, /2 workloads restart/);
  });

  it("says so when nothing changes", () =>
    assert.match(render([report("small", []), report("large", [])]), /\*\*Nothing\.\*\*/));

  it("no value ends its fence, its table or its code span", () => {
    const nasty = "a ``` b | c";
    const text = render([
      report("small", [
        change("synapse", "update", `ConfigMap x/${nasty}`, {
          fields: [{ path: "data", from: "1", to: nasty }],
          restarts: nasty,
        }),
      ]),
    ]);
    const opened = /^(`{3,})text$/gm;
    for (const [, fence] of text.matchAll(opened)) assert.ok(fence!.length > 3, "longer than what is inside");
    assert.ok(text.includes("```` a ``` b \\| c ````"));
  });

  describe("however much changes", () => {
    const many = Array.from({ length: 3000 }, (_, i) =>
      change("synapse", i % 3 ? "update" : "delete", `Deployment matrix/worker-with-a-long-name-${i}`, {
        fields: [
          {
            path: `spec.template.spec.containers.synapse.env.SOME_NAME_${i}`,
            from: "x".repeat(50),
            to: "y".repeat(50),
          },
        ],
        restarts: `reason ${i}`,
      }),
    );
    for (const [what, reports] of Object.entries({
      "three large stacks": ["small", "large", "local"].map((s) => report(s, many)),
      "errors without end": [
        report("small", many, {
          ok: false,
          errors: Array.from({ length: 500 }, (_, i) => `error ${i} ${"z".repeat(300)}`),
        }),
      ],
    })) {
      it(`${what} fit a comment, which says where the rest is`, () => {
        const text = render(reports, { runUrl: RUN, head: "f".repeat(40) });
        assert.ok(text.length <= COMMENT_LIMIT, `${text.length}`);
        assert.match(text, /more lines|do not fit/);
        assert.ok(text.includes(`all of it: ${RUN}`));
        assert.equal(text.split("<details>").length, text.split("</details>").length, "what is opened is closed");
        assert.equal((text.match(/^(> )?`{3,}/gm) ?? []).length % 2, 0, "each fence is closed");
      });
    }
    it("one stack's changes leave room for another's errors", () => {
      const text = render([report("large", many), report("small", [], { ok: false, errors: ["ccu is wrong"] })], {
        runUrl: RUN,
      });
      assert.ok(text.length <= COMMENT_LIMIT);
      assert.match(text, /### small[\s\S]*> ccu is wrong/);
    });
    it("some changes are shown with every field, as far as they fit", () => {
      const text = render([report("small", many.slice(0, 200))], { runUrl: RUN });
      assert.ok(text.length <= COMMENT_LIMIT);
      assert.match(text, /small: every change with its fields/);
      assert.match(text, /SOME_NAME_1: x+ -> y+|SOME_NAME_1: /);
    });
    it("the summary of the run has them all", () => {
      const text = render([report("small", many)], { limit: SUMMARY_LIMIT });
      assert.ok(text.length <= SUMMARY_LIMIT);
      assert.ok(text.includes("SOME_NAME_2999"));
    });
  });
});
