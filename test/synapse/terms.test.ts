/** The terms that users accept: what Synapse is told, the pages, and the way to them. */
import assert from "node:assert/strict";
import { evaluate } from "../../cli/evaluate";
import { plan } from "../../components/plan";
import { resolveSettings } from "../../components/settings";
import { classify, resourcesOf } from "../../components/layers/synapse/routingTable";
import { termsFiles, termsItems, termsOption } from "../../components/layers/synapse/terms";
import { fixturePlan, fixtureSettings } from "../fixtures/plan";
import { rich } from "../helpers/richStack";

const TERMS = {
  version: "2026-11",
  name: "Terms of use",
  page: "<h1>Terms</h1><p>100% {{ kind }}</p>",
  atRegistration: true,
  notice: "100% new: %(consent_uri)s",
  refuseWithout: "Accept %(consent_uri)s",
};

describe("terms", () => {
  it("without them Synapse has no such option, and the path is refused", () => {
    assert.deepEqual(termsOption(fixtureSettings()), {});
    const table = { plan: fixturePlan(), federation: false };
    assert.equal(classify({ method: "GET", path: "/_matrix/consent" }, table), undefined);
    assert.ok(!resourcesOf("main", table).includes("consent"));
  });

  it("Synapse gets them, with every % but the link's doubled", () => {
    assert.deepEqual(termsOption({ ...fixtureSettings(), terms: TERMS }), {
      user_consent: {
        template_dir: "/conf/terms",
        version: "2026-11",
        policy_name: "Terms of use",
        require_at_registration: true,
        server_notice_content: { msgtype: "m.text", body: "100%% new: %(consent_uri)s" },
        block_events_error: "Accept %(consent_uri)s",
      },
    });
  });

  it("the main process answers, and no worker", () => {
    const table = { plan: fixturePlan(), federation: true, terms: true };
    for (const method of ["GET", "POST"])
      assert.equal(classify({ method, path: "/_matrix/consent" }, table)?.class, "main");
    assert.ok(resourcesOf("main", table).includes("consent"));
    for (const { class: cls } of fixturePlan().synapse.pools)
      if (cls !== "main") assert.ok(!resourcesOf(cls, table).includes("consent"), cls);
  });

  it("the text is no template, whatever is in it", () => {
    const { "terms.html": page } = termsFiles(TERMS)!;
    assert.match(page!, /\{% raw %\}<h1>Terms<\/h1><p>100% \{\{ kind \}\}<\/p>\{% endraw %\}/);
    assert.deepEqual(termsItems(TERMS), { "terms.html": "en/2026-11.html", "success.html": "en/success.html" });
  });

  it("every process and the check have the folder, and another text restarts them", async function () {
    this.timeout(180_000);
    const of = async (page: string) => {
      const e = await evaluate({
        stack: "t",
        config: { ...(await rich()), serverNotices: {}, terms: { version: "2026-11", page } },
      });
      return e.resources.flatMap(({ inputs }) =>
        ["Deployment", "StatefulSet", "Job"].includes(inputs?.kind) &&
        inputs.metadata.labels["app.kubernetes.io/name"] === "synapse"
          ? [inputs]
          : [],
      );
    };
    const [first, second] = [await of("<p>a</p>"), await of("<p>b</p>")];
    const pods = first.filter((o) => /^synapse-(?!replace)/.test(o.metadata.name));
    assert.ok(pods.length >= 13, `${pods.length}`);
    for (const { metadata, spec } of pods) {
      const volume = spec.template.spec.volumes.find((v: any) => v.name === "terms");
      assert.ok(volume, metadata.name);
      assert.deepEqual(volume.configMap.items, [
        { key: "terms.html", path: "en/2026-11.html" },
        { key: "success.html", path: "en/success.html" },
      ]);
      const [container] = spec.template.spec.containers;
      assert.ok(container.volumeMounts.some((m: any) => m.name === "terms" && m.mountPath === "/conf/terms"));
    }
    const names = (all: any[]): string[] =>
      all
        .flatMap((o) => o.spec.template.spec.volumes ?? [])
        .flatMap((v: any) => (v.name === "terms" ? [v.configMap.name] : []));
    assert.notEqual(names(first)[0], names(second)[0]);
  });

  it("the settings give them", async () => {
    const { settings, errors } = resolveSettings(
      { ...(await rich()), terms: { version: "v1", page: "<p>x</p>" } },
      "t",
    );
    assert.deepEqual(errors, []);
    assert.ok(plan(settings!));
    assert.deepEqual(settings!.terms, {
      version: "v1",
      page: "<p>x</p>",
      name: "Privacy Policy",
      atRegistration: true,
    });
  });
});
