/** Validates objects of Kubernetes' own kinds against Kubernetes' own schema; unknown fields are errors. */
import Ajv, { type ValidateFunction } from "ajv";
import schema from "../../vendor/kubernetes/schema.json";

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: "kubernetes", $defs: (schema as any).$defs });
const compiled = new Map<string, ValidateFunction>();

/** Problems of an object, or undefined when Kubernetes itself has no such kind. */
export function kubernetesProblems(object: any): string[] | undefined {
  const key = `${object.apiVersion} ${object.kind}`;
  const name = (schema as any).kinds[key];
  if (!name) return undefined;
  let validate = compiled.get(name);
  if (!validate) {
    validate = ajv.compile({ $ref: `kubernetes#/$defs/${name}` });
    compiled.set(name, validate);
  }
  if (validate(object)) return [];
  return (validate.errors ?? []).map(
    (e) =>
      `${e.instancePath || "/"} ${e.message}${e.params?.additionalProperty ? ` (${e.params.additionalProperty})` : ""}`,
  );
}
