/** Resources that only set fields of an object that is another's: taking one away does not take the object. Pure. */
import type { RegisteredResource } from "../../cli/evaluate";

/** The resource under the kind that its type has in Pulumi, such as NodePatch: as `Node` its deletion would read as the loss of a node. */
export const asPatch = (r: RegisteredResource): RegisteredResource =>
  (/^kubernetes:.*Patch$/.test(r.type) && r.inputs?.kind && !String(r.inputs.kind).endsWith("Patch") ? { ...r, inputs: { ...r.inputs, kind: `${r.inputs.kind}Patch` } } : r);

export const isPatch = (kind: string): boolean => kind.endsWith("Patch");
