/**
 * `npm run vendor`: extracts the operators' manifests from their Go modules, at the versions below, and writes
 * vendor/<name>/<version>.json and vendor/versions.json, so that preview and tests need no network.
 * `npm run vendor -- --check` compares the files with their hashes, offline. To update one: change its version, run.
 *
 * JSON, one object per line: read in milliseconds (the same YAML takes seconds), and a diff shows which object changed.
 * Descriptions within CRD schemas are left out: documentation, and three quarters of the bytes.
 */
import { execFileSync } from "node:child_process";
import * as crypto from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { parse as parseOptions, runMain } from "../cli/arguments";

const USAGE = `npm run vendor [-- --check]
  Takes the operators' manifests out of their Go modules, at the versions that this script names, into vendor/.
  --check  only compares the files with their hashes, offline; exit code 1 when one differs`;
const ROOT = path.join(__dirname, "../vendor");
const HELM = "helm.sh/helm/v3/cmd/helm@v3.21.0";

interface Source {
  module: string;
  version: string;
  /** The source, for versions.json. */
  files: string[];
  read: (dir: string) => any[];
}

const SOURCES: Record<string, Source> = {
  "cloudnative-pg": {
    module: "github.com/cloudnative-pg/cloudnative-pg",
    version: "v1.30.0",
    files: ["releases/cnpg-1.30.0.yaml"],
    read: (dir) => documents(dir, "releases/cnpg-1.30.0.yaml"),
  },
  "plugin-barman-cloud": {
    module: "github.com/cloudnative-pg/plugin-barman-cloud",
    version: "v0.15.0",
    files: ["manifest.yaml"],
    read: (dir) => documents(dir, "manifest.yaml"),
  },
  metallb: {
    module: "go.universe.tf/metallb",
    version: "v0.16.1",
    files: ["config/manifests/metallb-native.yaml"],
    read: (dir) => documents(dir, "config/manifests/metallb-native.yaml"),
  },
  "metrics-server": {
    module: "sigs.k8s.io/metrics-server",
    version: "v0.9.0",
    files: ["apiservice", "deployment", "rbac", "service"].map((f) => `manifests/base/${f}.yaml`),
    read: (dir) =>
      ["apiservice", "deployment", "rbac", "service"]
        .flatMap((f) => documents(dir, `manifests/base/${f}.yaml`))
        .map(kustomizeMetricsServer),
  },
  "cert-manager": {
    // The chart's own templates: CRDs, controller, webhook and CA injector. Its start-up check is a hook Job: this
    // stack's dependencies do the same.
    module: "github.com/cert-manager/cert-manager",
    version: "v1.21.2",
    files: ["deploy/charts/cert-manager"],
    read: (dir) =>
      helmTemplate(path.join(dir, "deploy/charts/cert-manager"), "cert-manager", "v1.21.2", [
        "crds.enabled=true",
        "startupapicheck.enabled=false",
      ]),
  },
  "local-path-provisioner": {
    module: "github.com/rancher/local-path-provisioner",
    version: "v0.0.33",
    files: ["deploy/local-path-storage.yaml"],
    read: (dir) => documents(dir, "deploy/local-path-storage.yaml"),
  },
  "prometheus-operator": {
    module: "github.com/prometheus-operator/prometheus-operator",
    version: "v0.92.1",
    files: ["bundle.yaml"],
    // Kinds that this stack never uses; the operator checks which exist and turns off the other controllers.
    read: (dir) =>
      documents(dir, "bundle.yaml").filter(
        (o) => !/^(prometheusagents|thanosrulers|scrapeconfigs)\./.test(o.metadata.name),
      ),
  },
};

function go(...args: string[]): string {
  return execFileSync("go", args, {
    encoding: "utf8",
    cwd: os.tmpdir(),
    maxBuffer: 1 << 28,
    env: { ...process.env, GOFLAGS: "-mod=mod", GONOSUMDB: "*" },
  });
}

const documents = (dir: string, file: string): any[] =>
  parseAllDocuments(fs.readFileSync(path.join(dir, file), "utf8"))
    .map((d) => d.toJS())
    .filter((o) => o?.kind);

/** Adds the label of the module's kustomization, on everything and in the selectors. */
function kustomizeMetricsServer(o: any): any {
  const label = { "k8s-app": "metrics-server" };
  o.metadata.labels = { ...o.metadata.labels, ...label };
  if (o.kind === "Deployment") {
    o.spec.selector = { matchLabels: label };
    o.spec.template.metadata = { labels: label };
  }
  if (o.kind === "Service") o.spec.selector = label;
  return o;
}

/** The source tree's Chart.yaml says v0.0.0; a release sets it. Rendered for a new Kubernetes, without a cluster. */
function helmTemplate(chart: string, name: string, version: string, set: string[]): any[] {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "vendor-chart-"));
  try {
    fs.cpSync(chart, copy, { recursive: true });
    execFileSync("chmod", ["-R", "u+w", copy]);
    const file = path.join(copy, "Chart.yaml");
    fs.writeFileSync(
      file,
      fs.readFileSync(file, "utf8").replace(/^(version|appVersion): v0\.0\.0$/gm, `$1: ${version}`),
    );
    if (parse(fs.readFileSync(file, "utf8")).appVersion !== version)
      throw new Error(`${chart}/Chart.yaml no longer says v0.0.0: read it and adapt helmTemplate`);
    const out = go(
      "run",
      HELM,
      "template",
      name,
      copy,
      "--namespace",
      name,
      "--kube-version",
      "1.36.0",
      ...set.flatMap((s) => ["--set", s]),
    );
    return parseAllDocuments(out)
      .map((d) => d.toJS())
      .filter((o) => o?.kind);
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
}

/** Without documentation; a property that is called `description` stays. */
function compactSchema(node: any, properties = false): any {
  if (Array.isArray(node)) return node.map((n) => compactSchema(n));
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([k, v]) => properties || k !== "description" || typeof v !== "string")
      .map(([k, v]) => [k, compactSchema(v, k === "properties" && !properties)]),
  );
}

function compact(o: any): any {
  if (o.metadata) delete o.metadata.creationTimestamp;
  delete o.status;
  return o.kind === "CustomResourceDefinition" ? { ...o, spec: compactSchema(o.spec) } : o;
}

const sha256 = (text: string): string => crypto.createHash("sha256").update(text).digest("hex");
const versionsFile = path.join(ROOT, "versions.json");

function update(): void {
  const versions: Record<string, object> = {};
  for (const [name, source] of Object.entries(SOURCES)) {
    const { Dir } = JSON.parse(go("mod", "download", "-json", `${source.module}@${source.version}`));
    const objects = source.read(Dir).map(compact);
    if (objects.length < 4) throw new Error(`${name}: only ${objects.length} objects in ${source.files.join(", ")}`);
    const text = `[\n${objects.map((o) => JSON.stringify(o)).join(",\n")}\n]\n`;
    const file = `${name}/${source.version}.json`;
    fs.rmSync(path.join(ROOT, name), { recursive: true, force: true });
    fs.mkdirSync(path.join(ROOT, name), { recursive: true });
    fs.writeFileSync(path.join(ROOT, file), text);
    versions[name] = {
      module: source.module,
      version: source.version,
      files: source.files,
      file,
      sha256: sha256(text),
      objects: objects.length,
    };
    console.log(`${file}: ${objects.length} objects, ${Math.round(text.length / 1024)} KiB`);
  }
  fs.writeFileSync(versionsFile, `${JSON.stringify(versions, null, 2)}\n`);
}

/** Problems: a file that was edited by hand, is missing, or is of another version than SOURCES says. */
export function check(): string[] {
  const versions: Record<string, { version: string; file: string; sha256: string }> = JSON.parse(
    fs.readFileSync(versionsFile, "utf8"),
  );
  const problems = Object.keys(versions)
    .filter((n) => !SOURCES[n])
    .map((n) => `${n}: in versions.json, but no source`);
  for (const [name, source] of Object.entries(SOURCES)) {
    const v = versions[name];
    if (v?.version !== source.version)
      problems.push(`${name}: needs ${source.version}, but ${v?.version ?? "nothing"} is vendored: run npm run vendor`);
    else if (!fs.existsSync(path.join(ROOT, v.file))) problems.push(`${v.file}: missing: run npm run vendor`);
    else if (sha256(fs.readFileSync(path.join(ROOT, v.file), "utf8")) !== v.sha256)
      problems.push(
        `${v.file}: differs from the record in versions.json; changes belong in components/layers/cluster/operators/operators.ts`,
      );
  }
  return problems;
}

async function main(argv: string[]): Promise<void> {
  if (!parseOptions(argv, { check: { type: "boolean" } }).check) return update();
  const problems = check();
  problems.forEach((p) => console.error(p));
  process.exitCode = problems.length ? 1 : 0;
}

if (require.main === module) runMain(USAGE, main);
