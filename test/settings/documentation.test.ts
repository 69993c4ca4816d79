/** Every setting is documented, by its own schema. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { z } from "zod";
import { elementOf, docOf, optionsOf, shapeOf, typeOf } from "../../components/schema/walk";
import { settingsDocs } from "../../components/settings/docs";
import { settingsSchema } from "../../components/settings/schema";

const FILE = resolve(__dirname, "../../docs/settings.md");

/** Every field of the schema with its path, sections and members of lists too. */
function fields(schema: z.ZodType, path = ""): Array<[path: string, schema: z.ZodType]> {
  const below = (): Array<[string, z.ZodType]> => {
    switch (typeOf(schema)) {
      case "object":
        return Object.entries(shapeOf(schema)).flatMap(([key, child]) => fields(child, path ? `${path}.${key}` : key));
      case "array":
        return fields(elementOf(schema), `${path}[]`);
      case "union":
        return optionsOf(schema).options.flatMap((option) => fields(option, path));
      default:
        return [];
    }
  };
  return [[path, schema], ...below()];
}

describe("settings: documentation", () => {
  it("docs/settings.md is up to date (npx tsx scripts/settings-docs.ts)", () =>
    assert.equal(readFileSync(FILE, "utf8"), settingsDocs()));

  it("every setting says what it means, and what is allowed", () => {
    const rows = settingsDocs()
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    assert.ok(rows.length > 150);
    for (const row of rows) {
      const [, path, meaning, allowed] = row.split(/(?<!\\)\|/).map((c) => c.trim());
      assert.ok(meaning!.length > 2 && allowed!.length > 2, path);
    }
  });

  it("every field but a section, and the word that chooses one, says what is allowed: errors say it too", () => {
    const silent = fields(settingsSchema).filter(
      ([, schema]) => docOf(schema).allowed === undefined && !["object", "literal"].includes(typeOf(schema)),
    );
    assert.deepEqual(
      silent.map(([path]) => path),
      [],
    );
  });

  it("a row says the meaning, what is allowed and the default, each kind of default in its way", () => {
    const lines = settingsDocs().split("\n");
    for (const row of [
      // Required, or a default in words, fixed, of nothing, or of a part.
      "| `domain` | Base of the public host names. | a DNS name in lower case, such as chat.example.com | **required** |",
      "| `hostnames.web` | Element Web. | a DNS name in lower case, such as chat.example.com | chat.&lt;domain> |",
      "| `ssh.bastion.port` | Its SSH port. | a port: a whole number from 1 to 65535 | `22` |",
      "| `ssh.bastion.user` | Login name. Users other than root need sudo without a password. | a login name | `root` |",
      "| `firewall.trustedCidrs` | Further networks that may reach every port of the hosts: monitoring, backup, a second site. | a list, each: a network such as 10.0.0.0/8 or fd00::/8, with no bits set after the prefix | none |",
      "| `ssh.bastion` | A machine that SSH connections pass through. | a section |  |",
      // Lists of words name them; a secret is marked.
      "| `hosts[].roles` | Several roles on one machine, instead of `role`. | a list of control-plane, application, database, storage, call | none |",
      "| `hosts[].disks` | Disks that this stack may use. | a list | none |",
      "| `importSecrets.databasePassword` | databasePassword of the existing deployment. *Secret.* | at least 8 characters, none of them a line break | none |",
      "| `images.overrides.<image>` | Reference that replaces the image. The keys are those of components/layers/*/images.ts. | repository:tag, optionally with @sha256:...; the tag must not be `latest` | none |",
    ])
      assert.ok(lines.includes(row), row);
    // Options of a section have rows of their own, and sections their meaning above the table.
    assert.ok(lines.some((line) => line.startsWith("| `tls (own-ca)` | ")));
    assert.ok(lines.some((line) => line.startsWith("| `tls.email` | ")));
    const at = lines.indexOf("## hostnames");
    assert.deepEqual(lines.slice(at + 1, at + 6), [
      "",
      "Public host names. Each needs a DNS record.",
      "",
      "| setting | meaning | allowed | default |",
      "|---|---|---|---|",
    ]);
  });
});
