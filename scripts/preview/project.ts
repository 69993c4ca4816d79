/** The stack's file in the folder in which the engine runs the checkout's program. */
import * as fs from "node:fs";
import * as path from "node:path";
import { parseDocument, visit } from "yaml";
import { SECRET_PLACEHOLDER } from "../../components/schema/syntax/keys";
import { saltOf, stackFileOf } from "../../lab/engine/project";

/** Keys of a stack file that name the encryption of its secrets; a runner has none of these. */
const ENCRYPTION = ["encryptionsalt", "secretsprovider", "encryptedkey"];

/**
 * The stack file in a form that a runner without its keys can use: every encrypted value becomes a placeholder, which
 * the settings accept wherever they expect a secret. Pure.
 */
export function withPlaceholders(stackFile: string): string {
  const document = parseDocument(stackFile);
  if (document.errors.length) throw new Error(`the stack's file is not valid YAML: ${document.errors[0]!.message}`);
  for (const key of ENCRYPTION) document.delete(key);
  visit(document, {
    Map: (_, node) => {
      if (node.items.length === 1 && typeof node.get("secure") === "string")
        return document.createNode(SECRET_PLACEHOLDER) as any;
      return undefined;
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** The stack's own file: with the team's backend its secrets are decrypted. */
export function copyStackFile(root: string, folder: string, stack: string): void {
  fs.copyFileSync(path.join(root, stackFileOf(stack)), path.join(folder, stackFileOf(stack)));
}

export const removeStackFile = (folder: string, stack: string): void =>
  fs.rmSync(path.join(folder, stackFileOf(stack)), { force: true });

/** The stack's file with placeholders, under the salt that `pulumi stack init` wrote into the folder. */
export function writePlaceholders(root: string, folder: string, stack: string): void {
  fs.writeFileSync(
    path.join(folder, stackFileOf(stack)),
    saltOf(folder, stack) + withPlaceholders(fs.readFileSync(path.join(root, stackFileOf(stack)), "utf8")),
    { mode: 0o600 },
  );
}
