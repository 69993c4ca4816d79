/**
 * Validates custom resources against the CRDs that the operators bring, as the API server would: unknown fields are
 * errors (it would drop them), quantities may be numbers or strings. Rules in CEL are not evaluated.
 */
import Ajv, { type ValidateFunction } from "ajv";
import { isDefinition, OPERATORS, vendoredObjects } from "../../components/layers/cluster";

/** Patterns are Go's: a flag within them is one of the whole expression here. */
const goPattern = Object.assign(
  (pattern: string, flags: string): RegExp =>
    new RegExp(pattern.replace("(?i)", ""), pattern.includes("(?i)") ? `${flags}i` : flags),
  { code: "goPattern" },
);

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, code: { regExp: goPattern } });
const schemas = new Map<string, any>();
const compiled = new Map<string, ValidateFunction>();

function load(): void {
  if (schemas.size) return;
  for (const operator of Object.values(OPERATORS)) {
    for (const crd of vendoredObjects(operator.name).filter(isDefinition)) {
      for (const v of crd.spec.versions)
        schemas.set(`${crd.spec.group}/${v.name} ${crd.spec.names.kind}`, v.schema.openAPIV3Schema);
    }
  }
}

/** OpenAPI of a CRD as JSON schema that knows no fields but its own. */
function closed(node: any): any {
  if (node === null || typeof node !== "object") return node;
  if (Array.isArray(node)) return node.map(closed);
  const {
    "x-kubernetes-int-or-string": intOrString,
    "x-kubernetes-preserve-unknown-fields": open,
    "x-kubernetes-embedded-resource": embedded,
    nullable,
    anyOf: _anyOf,
    ...rest
  } = node;
  if (intOrString) return { type: ["integer", "string"] };
  const out: any = Object.fromEntries(
    Object.entries(rest)
      .filter(([k]) => !k.startsWith("x-kubernetes-") && k !== "default" && k !== "format" && k !== "example")
      .map(([k, v]) => [
        k,
        k === "properties"
          ? Object.fromEntries(Object.entries<any>(v as object).map(([n, s]) => [n, closed(s)]))
          : k === "items" || k === "additionalProperties" || k === "allOf" || k === "oneOf" || k === "not"
            ? closed(v)
            : v,
      ]),
  );
  if (nullable && typeof out.type === "string") out.type = [out.type, "null"];
  // metadata is an empty object in CRDs: the API server knows its fields.
  if (out.type === "object" && out.properties && out.additionalProperties === undefined && !open && !embedded)
    out.additionalProperties = false;
  return out;
}

function validator(key: string): ValidateFunction | undefined {
  load();
  const schema = schemas.get(key);
  if (!schema) return undefined;
  let validate = compiled.get(key);
  if (!validate) {
    const root = closed(schema);
    root.properties = {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      ...root.properties,
      metadata: { type: "object", required: ["name"] },
    };
    validate = ajv.compile(root);
    compiled.set(key, validate);
  }
  return validate;
}

/** Problems of an object, or undefined when no vendored CRD defines its kind. */
export function crdProblems(object: any): string[] | undefined {
  const validate = validator(`${object.apiVersion} ${object.kind}`);
  if (!validate) return undefined;
  if (validate(object)) return [];
  return (validate.errors ?? []).map(
    (e) =>
      `${e.instancePath || "/"} ${e.message}${e.params?.additionalProperty ? ` (${e.params.additionalProperty})` : ""}`,
  );
}
