/**
 * `npm run vendor:schema`: the part of Kubernetes' own OpenAPI that this stack's objects need, without descriptions,
 * as JSON schema that refuses unknown fields; and which of their fields the API server drops when they hold nothing
 * (false, 0, "", [], {}), by its Go types. From the Go modules k8s.io/*, so both can be generated anywhere.
 */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse, runMain } from "../cli/arguments";

const USAGE = `npm run vendor:schema
  Writes the part of Kubernetes' schema that the stack's objects need into vendor/kubernetes, from the Go modules k8s.io/*.`;
/** The version that the manifests are written for. */
const VERSION = "v1.36.4";
const KINDS: Array<[string, string]> = [
  ["core.v1", "Namespace"],
  ["core.v1", "ConfigMap"],
  ["core.v1", "Secret"],
  ["core.v1", "Service"],
  ["core.v1", "ServiceAccount"],
  ["core.v1", "PersistentVolumeClaim"],
  ["core.v1", "Node"],
  ["apps.v1", "Deployment"],
  ["apps.v1", "StatefulSet"],
  ["apps.v1", "DaemonSet"],
  ["batch.v1", "Job"],
  ["batch.v1", "CronJob"],
  ["policy.v1", "PodDisruptionBudget"],
  ["autoscaling.v2", "HorizontalPodAutoscaler"],
  ["networking.v1", "NetworkPolicy"],
  ["networking.v1", "Ingress"],
  ["networking.v1", "IngressClass"],
  ["rbac.v1", "Role"],
  ["rbac.v1", "RoleBinding"],
  ["rbac.v1", "ClusterRole"],
  ["rbac.v1", "ClusterRoleBinding"],
  ["storage.v1", "StorageClass"],
  ["scheduling.v1", "PriorityClass"],
  ["admissionregistration.v1", "ValidatingAdmissionPolicy"],
  ["admissionregistration.v1", "ValidatingAdmissionPolicyBinding"],
  ["admissionregistration.v1", "ValidatingWebhookConfiguration"],
  ["admissionregistration.v1", "MutatingWebhookConfiguration"],
];
const EXTRA = [
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
];

/** JSONSchemaProps describe schemas and may hold anything. */
const OPEN = new Set(["io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"]);

function convert(node: any): any {
  if (Array.isArray(node)) return node.map(convert);
  if (node === null || typeof node !== "object") return node;
  const out: any = {};
  for (const [k, v] of Object.entries<any>(node)) {
    if (k === "description" || k.startsWith("x-kubernetes") || k === "default") continue;
    if (k === "$ref") {
      out.$ref = v.replace("#/definitions/", "#/$defs/");
      continue;
    }
    if (k === "format") {
      if (v === "int-or-string") out.type = ["integer", "string"];
      continue;
    }
    if (k === "properties") {
      out.properties = Object.fromEntries(Object.entries(v).map(([p, s]) => [p, convert(s)]));
      continue;
    }
    out[k] = convert(v);
  }
  if (node.format === "int-or-string") out.type = ["integer", "string"];
  if (out.properties && out.additionalProperties === undefined) out.additionalProperties = false;
  return out;
}

const modules = new Map<string, string>();

/** Directory of a Go module, fetched once. */
function moduleDir(name: string, version: string): string {
  const dir =
    modules.get(name) ??
    JSON.parse(
      execFileSync("go", ["mod", "download", "-json", `${name}@${version}`], {
        encoding: "utf8",
        env: { ...process.env, GOFLAGS: "-mod=mod" },
        cwd: "/",
      }),
    ).Dir;
  modules.set(name, dir);
  return dir;
}

/** Fields of a Go struct as JSON names them, those of embedded ones among them, with their type and tag. */
function goFields(source: string, type: string): Array<{ name: string; type: string; options: string[] }> {
  const body = new RegExp(`^type ${type} struct \\{\\n([\\s\\S]*?)^\\}`, "m").exec(source)?.[1];
  if (body === undefined) throw new Error(`type ${type} is not in the Go source where it is expected`);
  return [...body.matchAll(/^\t(\w+)(?: +(\S+))? +`json:"([^"]*)"/gm)].flatMap(([, field, fieldType, tag]) => {
    const [name, ...options] = tag!.split(",") as [string, ...string[]];
    return options.includes("inline") ? goFields(source, field!) : [{ name, type: fieldType!, options }];
  });
}

/** A field that may be omitted and is not a pointer is dropped when it is empty; a struct never is. */
function droppedWhenEmpty(name: string, definition: any): string[] {
  const parts = /^io\.k8s\.(api|apimachinery|apiextensions-apiserver|kube-aggregator)\.(?:(pkg)\.)?(.+)\.(\w+)$/.exec(
    name,
  );
  if (!parts) throw new Error(`${name}: the Go module of this kind is not known`);
  const [, module, pkg, folder, type] = parts as unknown as [string, string, string | undefined, string, string];
  const dir = path.join(
    moduleDir(`k8s.io/${module}`, VERSION.replace("v1", "v0")),
    pkg ?? "",
    folder.replace(/\./g, "/"),
  );
  const source = fs
    .readdirSync(dir)
    .filter((f) => /^types.*\.go$/.test(f))
    .map((f) => fs.readFileSync(path.join(dir, f), "utf8"))
    .join("\n");
  return goFields(source, type)
    .filter(
      (f) =>
        f.options.includes("omitempty") &&
        !f.type.startsWith("*") &&
        definition.properties[f.name] &&
        !definition.properties[f.name].$ref,
    )
    .map((f) => f.name);
}

function write(): void {
  const { definitions } = JSON.parse(
    fs.readFileSync(path.join(moduleDir("k8s.io/kubernetes", VERSION), "api/openapi-spec/swagger.json"), "utf8"),
  );
  const wanted = [...KINDS.map(([group, kind]) => `io.k8s.api.${group}.${kind}`), ...EXTRA];
  const $defs: Record<string, any> = {};
  const add = (name: string): void => {
    if ($defs[name]) return;
    const definition = definitions[name];
    if (!definition) throw new Error(`${name} is not in Kubernetes ${VERSION}`);
    $defs[name] = OPEN.has(name)
      ? {}
      : name.endsWith(".Quantity") || name.endsWith(".IntOrString")
        ? { type: ["string", "integer", "number"] }
        : convert(definition);
    if (!OPEN.has(name))
      for (const ref of JSON.stringify(definition).matchAll(/"#\/definitions\/([^"]+)"/g)) add(ref[1]!);
  };
  wanted.forEach(add);
  const kinds = Object.fromEntries(
    wanted.flatMap((name) =>
      (definitions[name]["x-kubernetes-group-version-kind"] ?? []).map((g: any) => [
        `${g.group ? `${g.group}/` : ""}${g.version} ${g.kind}`,
        name,
      ]),
    ),
  );
  const dropped = Object.fromEntries(
    Object.entries($defs)
      .filter(([, d]) => d.properties)
      .map(([name, d]) => [name, droppedWhenEmpty(name, d)])
      .filter(([, fields]) => fields!.length),
  );
  const file = path.join(__dirname, "../vendor/kubernetes/schema.json");
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(
    path.join(path.dirname(file), "dropped.json"),
    `{\n${Object.entries(dropped)
      .map(([name, fields]) => `${JSON.stringify(name)}: ${JSON.stringify(fields)}`)
      .join(",\n")}\n}\n`,
  );
  fs.writeFileSync(file, `${JSON.stringify({ version: VERSION, kinds, $defs })}\n`);
  console.log(`${file}: ${Object.keys(kinds).length} kinds, ${Math.round(fs.statSync(file).size / 1024)} KiB`);
}

async function main(argv: string[]): Promise<void> {
  parse(argv, {});
  write();
}

runMain(USAGE, main);
