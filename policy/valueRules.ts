/** Rules about the form of values: they must be as the API server writes them, else the engine sees false changes. */
import { isDefinition, OPERATORS, vendoredObjects } from "../components/layers/cluster";
import { canonical } from "../components/core/workload";
import dropped from "../vendor/kubernetes/dropped.json";
import kubernetes from "../vendor/kubernetes/schema.json";
import type { KubernetesObject, Rule } from "./types";

/** A value in an object, with its schema. */
interface Value {
  path: string;
  value: any;
  schema: any;
  /** Kubernetes' own name of its type. */
  type?: string;
}

const definitions: Record<string, any> = kubernetes.$defs;
let custom: Map<string, any> | undefined;

/** For Kubernetes' own kinds by reference to their type, for operators' kinds from their definitions. */
function schemaOf({ apiVersion, kind }: KubernetesObject): any {
  const own = (kubernetes.kinds as Record<string, string>)[`${apiVersion} ${kind}`];
  if (own) return { $ref: `#/$defs/${own}` };
  custom ??= new Map(
    Object.values(OPERATORS)
      .flatMap((o) => vendoredObjects(o.name))
      .filter(isDefinition)
      .flatMap((crd) =>
        crd.spec.versions.map(
          (v) => [`${crd.spec.group}/${v.name} ${crd.spec.names.kind}`, v.schema.openAPIV3Schema] as const,
        ),
      ),
  );
  return custom.get(`${apiVersion} ${kind}`);
}

/** The items or fields of a value, each with its own schema. */
function* inside({ path, value, schema }: Value): Generator<{ path: string; value: any; schema: any }> {
  if (Array.isArray(value))
    for (const [i, v] of value.entries()) yield { path: `${path}[${i}]`, value: v, schema: schema?.items };
  else if (value !== null && typeof value === "object") {
    const { properties, additionalProperties } = schema ?? {};
    for (const [k, v] of Object.entries(value))
      yield { path: path ? `${path}.${k}` : k, value: v, schema: properties?.[k] ?? additionalProperties };
  }
}

function* values(value: any, schema: any, path = ""): Generator<Value> {
  const type: string | undefined = schema?.$ref?.replace("#/$defs/", "");
  const here: Value = { path, value, schema: type ? definitions[type] : schema, type };
  yield here;
  for (const v of inside(here)) yield* values(v.value, v.schema, v.path);
}

const valuesOf = (o: KubernetesObject): Value[] => [...values(o.inputs, schemaOf(o))];

/**
 * In definitions, a quantity is recognised by its pattern; CloudNativePG's volume sizes, which its operator passes on,
 * are plain strings there.
 */
const isQuantity = (v: Value): boolean =>
  v.type?.endsWith(".Quantity") ||
  (v.schema?.["x-kubernetes-int-or-string"] && v.schema.pattern?.includes("[KMGTPE]i")) ||
  (typeof v.value === "string" && /^spec\.(storage|walStorage)\.size$/.test(v.path));

export const quantities: Rule = {
  id: "23",
  demands: "quantities as Kubernetes writes them: 1Gi, not 1024Mi",
  check: ({ objects }) =>
    objects.flatMap((object) =>
      valuesOf(object)
        .filter((v) => isQuantity(v) && (typeof v.value !== "string" || canonical(v.value) !== v.value))
        .map((v) => ({
          object,
          what: `${v.path} is ${JSON.stringify(v.value)}${typeof v.value === "string" && canonical(v.value) ? `, which Kubernetes writes ${canonical(v.value)}` : ", which is not a quantity as Kubernetes writes it"}`,
        })),
    ),
};

const isEmpty = (value: any): boolean =>
  value === false ||
  value === 0 ||
  value === "" ||
  (typeof value === "object" && value !== null && Object.keys(value).length === 0);

export const noEmptyValues: Rule = {
  id: "24",
  demands: "no value that the API server drops as empty: `readOnly: false`, `initialDelaySeconds: 0`, `volumes: []`",
  check: ({ objects }) =>
    objects.flatMap((object) =>
      valuesOf(object).flatMap((v) =>
        ((v.type && (dropped as Record<string, string[]>)[v.type]) || [])
          .filter((field) => field in (v.value ?? {}) && isEmpty(v.value[field]))
          .map((field) => ({
            object,
            what: `${v.path ? `${v.path}.` : ""}${field} is ${JSON.stringify(v.value[field])}: leave it out`,
          })),
      ),
    ),
};

export const VALUE_RULES: Rule[] = [quantities, noEmptyValues];
