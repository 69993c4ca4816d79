import { strict as assert } from "node:assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { connections, FILE, parts, picture } from "../../scripts/architecture";
import { capacityPictures } from "../../scripts/capacity";
import { generatedPages } from "../../scripts/readme";
import { planFor } from "../../cli/plan";
import { NOT_BUILT } from "../../lab/images/catalog";
import { edges } from "../../components/topology";

const ROOT = resolve(__dirname, "../..");
const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(ROOT, "docs"))
    .filter((f) => f.endsWith(".md"))
    .map((f) => `docs/${f}`),
];
const text = (page: string): string => readFileSync(join(ROOT, page), "utf8");
/** Anchors as GitHub derives them from headings, and those that a page sets itself. */
const anchors = (page: string): string[] => [
  ...text(page)
    .split("\n")
    .filter((l) => /^#+ /.test(l))
    .map((l) =>
      l
        .replace(/^#+ /, "")
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replace(/ /g, "-"),
    ),
  ...[...text(page).matchAll(/<a id="([^"]+)">/g)].map((m) => m[1]!),
];

describe("the pictures of what a user costs", () => {
  it("are current, and shown: npx tsx scripts/capacity.ts", () => {
    const page = text("docs/proof/capacity.md");
    for (const { file, text: svg } of capacityPictures()) {
      assert.equal(text(file), svg, file);
      assert.ok(page.includes(`](${file.split("/").at(-1)})`), file);
    }
  });
});

describe("the picture of the architecture", () => {
  it("is current: npx tsx scripts/architecture.ts", () => assert.equal(readFileSync(FILE, "utf8"), picture()));
  for (const set of [
    "federation.enabled=true",
    "tls={mode: own-ca}",
    "rtc.enabled=false",
    "objectStore={kind: s3, endpoint: https://s3.example.com, bucket: media, accessKey: AKIAEXAMPLE, secretKey: 0123456789abcdef}",
  ]) {
    it(`has a box for every part with ${set.split(/[,:] /)[0]}`, () => {
      const { settings, plan } = planFor({ stack: "small", set: [set] });
      assert.ok(connections(edges({ settings, plan }), parts(settings, plan)).length > 10);
    });
  }
});

describe("the documentation", () => {
  it("the generated parts of its pages are current: npx tsx scripts/readme.ts", () => {
    const pages = Object.entries(generatedPages());
    assert.deepEqual(
      pages.map(([file]) => file),
      ["README.md", "docs/plan.md"],
    );
    for (const [file, wanted] of pages) assert.equal(text(file), wanted, file);
  });

  it("names only files and headings that exist", () => {
    const broken = PAGES.flatMap((page) =>
      [...text(page).matchAll(/\]\(([^)\s]+)\)/g)]
        .map((m) => m[1]!)
        .filter((l) => !/^(https?:|mailto:)/.test(l))
        .filter((link) => {
          const [file, anchor] = link.split("#") as [string, string?];
          const target = file === "" ? page : join(dirname(page), file);
          if (!existsSync(join(ROOT, target))) return true;
          return anchor !== undefined && target.endsWith(".md") && !anchors(target).includes(anchor);
        })
        .map((link) => `${page}: ${link}`),
    );
    assert.deepEqual(broken, []);
  });

  it("has a row for each program that the lab cannot build, with tests that exist", () => {
    const rows = text("docs/stand-ins.md")
      .split("\n")
      .filter((l) => l.startsWith("| ") && !l.startsWith("| Program"));
    // What a row calls a program whose image has another name.
    const NAMED: Record<string, string> = {
      nginxIngress: "NGINX ingress controller",
      lkJwt: "lk-jwt-service",
      elementWeb: "Element Web",
      admin: "Ketesa",
      barmanPlugin: "plugin-barman-cloud",
      barmanSidecar: "plugin-barman-cloud",
      grafana: "Grafana",
      busybox: "busybox",
    };
    const missing = Object.keys(NOT_BUILT).filter(
      (key) => !rows.some((r) => r.includes(NAMED[key] ?? (key.startsWith("certManager") ? "cert-manager" : key))),
    );
    assert.deepEqual(missing, []);
    const named = rows.flatMap((r) => [...r.matchAll(/`(test\/[^`]+\.ts)`/g)].map((m) => m[1]!));
    assert.ok(named.length > 15, `${named.length} tests`);
    assert.deepEqual(
      named.filter((file) => !existsSync(join(ROOT, file))),
      [],
    );
  });

  it("names only commands that exist", () => {
    const scripts = Object.keys(JSON.parse(text("package.json")).scripts);
    const wrong = PAGES.flatMap((page) =>
      [...text(page).matchAll(/npm run (?:--silent )?([\w:-]+)/g)]
        .filter((m) => !scripts.includes(m[1]!))
        .map((m) => `${page}: ${m[0]}`),
    );
    assert.deepEqual([...new Set(wrong)], []);
  });

  it("names only paths in code spans that exist", () => {
    const paths = /`((?:components|cli|lab|policy|scripts|test|vendor|examples|docs|images)\/[\w./-]+)`/g;
    const wrong = PAGES.flatMap((page) =>
      [...text(page).matchAll(paths)]
        .map((m) => m[1]!)
        // The walk through a new layer makes these.
        .filter((p) => !(page === "CONTRIBUTING.md" && p.startsWith("components/layers/bot/")))
        .filter((p) => !existsSync(join(ROOT, p)))
        .map((p) => `${page}: ${p}`),
    );
    assert.deepEqual([...new Set(wrong)], []);
  });
});
