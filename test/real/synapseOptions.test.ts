/**
 * The list of Synapse's options by which `synapse.extra` is checked is that of the pinned Synapse: made anew from its
 * source and by asking the real one, it is the same. UPDATE_OPTIONS=1 writes it.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { format, resolveConfig } from "prettier";
import { IMAGES } from "../../components/layers/synapse/images";
import { optionProblems } from "../../components/layers/synapse/extra/options";
import { count } from "../../lab/real/counts";
import { Network } from "../../lab/real/network";
import { SYNAPSE_SOURCE } from "../../lab/real/programs";
import { FILES_AT, synapsePython } from "../../lab/real/synapsePython";
import { ASKED_PY, documentedExamples, optionList, type Asked } from "../../lab/real/synapseOptions";
import known from "../../lab/real/known-keys.json";

const FILE = path.resolve(__dirname, "../../components/layers/synapse/extra/options.json");
const markdown = (): string =>
  fs.readFileSync(path.join(SYNAPSE_SOURCE, "docs/usage/configuration/config_documentation.md"), "utf8");

const BASE = `server_name: example.org
report_stats: false
public_baseurl: https://matrix.example.org/
signing_key: ed25519 a_test AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
macaroon_secret_key: m
form_secret: f
url_preview_enabled: true
url_preview_ip_range_blacklist: [10.0.0.0/8]
email: { smtp_host: smtp.example.org, notif_from: a@example.org }
redis: { enabled: true }
instance_map: { main: { host: main, port: 9093 } }
worker_replication_secret: r
`;
/** As the main process, and as one of the others. */
const FILES = { "main.yaml": BASE, "worker.yaml": `${BASE}worker_app: synapse.app.generic_worker\nworker_name: w\n` };

/** A text in place of a list: Synapse makes a set of its letters. */
const MISTAKEN = "next_link_domain_whitelist: matrix.org\n";

describe("The list of Synapse's options", () => {
  let net: Network;
  before(async () => {
    net = await new Network().start();
  });
  after(() => net.close());

  it("is that of the pinned Synapse", async () => {
    const { status, output } = await synapsePython(net, {
      files: { ...FILES, "asked.py": ASKED_PY },
      env: {},
      args: [`${FILES_AT}/asked.py`, ...Object.keys(FILES).map((name) => `${FILES_AT}/${name}`)],
    });
    assert.equal(status, 0, output);
    const asked = JSON.parse(/^OPTIONS (.*)$/m.exec(output)![1]!) as Asked;
    const version = IMAGES.synapse.tag;
    assert.ok(fs.readFileSync(path.join(SYNAPSE_SOURCE, "PKG-INFO"), "utf8").includes(`\nVersion: ${version}\n`));
    const made = await format(JSON.stringify(optionList(version, markdown(), asked, known.keys)), {
      ...(await resolveConfig(FILE)),
      parser: "json",
    });
    if (process.env.UPDATE_OPTIONS) fs.writeFileSync(FILE, made);
    assert.equal(
      fs.readFileSync(FILE, "utf8"),
      made,
      "UPDATE_OPTIONS=1 npm run test:real -- test/real/synapseOptions.test.ts",
    );
    count("options of Synapse in the committed list", Object.keys(JSON.parse(made).options).length);
  });

  it("takes every example of Synapse's documentation", () => {
    let examples = 0;
    for (const { option, yaml } of documentedExamples(markdown())) {
      const read = parse(yaml) as Record<string, unknown>;
      if (!read || !Object.hasOwn(read, option) || yaml === MISTAKEN) continue;
      assert.deepEqual(optionProblems([option], read[option]), [], yaml);
      examples++;
    }
    assert.ok(examples > 200, String(examples));
    count("examples of Synapse's documentation that the list takes", examples);
  });

  it("has each option that Synapse read in a configuration of this stack", () => {
    const strange = known.keys.filter((key) => {
      const value = key
        .replace(/\[\]/g, ".[]")
        .split(".")
        .slice(1)
        .reduceRight<unknown>((inner, part) => (part === "[]" ? [inner] : { [part]: inner }), null);
      return optionProblems([key.split(/[.[]/)[0]!], value).some((p) => p.kind === "unknown");
    });
    assert.deepEqual(strange, []);
  });
});
