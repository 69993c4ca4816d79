/** YAML for programs that read version 1.1 (PyYAML, some readers of Kubernetes) and for those that read 1.2. Pure. */
import { Document, Scalar, parse, visit } from "yaml";

/** Only these can be taken for something other than text: `on`, `1_000`, `12:30`, `0o7`, `=`, `<<`, a date and time. */
const WORD = /^([-+.=<~\w:]{1,40}|\d{4}-[-+.\w: ]{1,40})$/;

/** Does some reader take these plain characters for a number, a truth, a time, a merge or PyYAML's "default value"? */
function ambiguous(text: string): boolean {
  if (!WORD.test(text)) return false;
  if (text === "=" || text === "<<") return true;
  return (["1.1", "1.2"] as const).some((version) => parse(text, { version }) !== text);
}

/**
 * A value as YAML that readers of 1.1 and of 1.2 read alike: text that one of them would take for something else is
 * quoted. Lines are not folded.
 *
 * @example yamlText({ brand: "on" }) is `brand: "on"\n`
 */
export function yamlText(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === "string" && ambiguous(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0 });
}
