/** What the import writes: the stack file, the commands for its secrets, the report. Pure. */
import { formatError, type SettingsError } from "../../components/core/errors";
import { quote } from "../../components/layers/hosts/steps/shell";
import { yamlText } from "../../components/core/yaml";
import { pathText } from "../../components/schema/walk";
import type { Draft } from "./draft";
import { LISTS, type Finding, type List } from "./finding";
import { KNOWN_VERSION } from "./known";

/** Settings that no configuration of Synapse has, with an example of each. */
const TO_WRITE: ReadonlyArray<[setting: string, comment: string]> = [
  ["ccu", "# Users that are connected at the same moment in the busiest hour.\n  # matrix-ha:ccu: 1000"],
  [
    "tls",
    "# Certificates: acme, issuer, own-ca or given.\n  # matrix-ha:tls: { mode: acme, email: admin@example.com }",
  ],
  [
    "addressPools",
    "# Free addresses for the ingress.\n  # matrix-ha:addressPools:\n  #   - { name: public, addresses: [203.0.113.10-203.0.113.13] }",
  ],
  [
    "hosts",
    "# The machines; Pulumi.small.yaml has a complete example.\n  # matrix-ha:hosts:\n  #   - { name: app-1, role: application, address: 10.20.1.11, cpu: 16, memoryGiB: 32, hostKey: ssh-ed25519 AAAA... }",
  ],
];

/** Pulumi.NAME.yaml. @param given Settings of --ccu and --hosts */
export function stackText(draft: Draft, given: Record<string, unknown>): string {
  const settings = { ...draft.settings, ...given };
  const missing = TO_WRITE.filter(([setting]) => settings[setting] === undefined).map(
    ([, comment]) => `  # STILL TO WRITE. ${comment.slice(2)}\n`,
  );
  const body = yamlText({
    "pulumi:disable-default-providers": ["kubernetes"],
    ...Object.fromEntries(Object.entries(settings).map(([key, value]) => [`matrix-ha:${key}`, value])),
  });
  return [
    "# Written by `npm run import` from the configuration of an existing Synapse; docs/settings.md explains every setting.",
    "# Its secrets are not in here: secrets.sh sets them, encrypted.",
    "config:",
    `${missing.join("\n")}${body.replace(/^(?=.)/gm, "  ")}`,
  ].join("\n");
}

/** Secrets that the old files did not hold, and that a person puts there. */
export const awaited = (findings: readonly Finding[]): string[] => [
  ...new Set(findings.flatMap(({ list, awaits }) => (list === "decision" && awaits !== undefined ? [awaits] : []))),
];

/** The name of a secret's file is the path of its setting, in characters that every file system takes. */
export const secretFile = (path: string): string => path.replace(/[^A-Za-z0-9._[\]-]/g, "_");

/** The commands that set the secrets. No value is on a command line: each is read from its file. */
export function secretsScript(stack: string, paths: readonly string[]): string {
  const lines = paths.map((path) => `put ${quote(path)} ${quote(secretFile(path))}`);
  return `#!/bin/sh
# Sets the secrets of the old server in the stack ${stack}, encrypted. Run it in the folder of the project, after
# \`pulumi stack init ${stack}\`; it may run again. Afterwards delete this folder: its files are in clear.
set -eu
folder=$(CDPATH='' cd -- "$(dirname -- "$0")/secrets" && pwd)
missing=0
put() {
  if [ ! -f "$folder/$2" ]; then
    echo "missing: $folder/$2 (the report says where it is from)" >&2
    missing=1
    return
  fi
  pulumi config set --stack ${quote(stack)} --secret --path "matrix-ha:$1" <"$folder/$2"
}
${lines.join("\n")}
exit "$missing"
`;
}

const TITLES: Record<List, string> = {
  taken: "Taken",
  replaced: "Replaced by what the stack decides",
  dropped: "Dropped",
  decision: "Needs a decision",
};

const line = ({ option, setting, why }: Finding): string =>
  `- \`${option}\`${setting ? ` → \`${setting}\`` : ""}${why ? `: ${why}` : ""}`;

export interface Report {
  stack: string;
  findings: readonly Finding[];
  notes: readonly string[];
  open: readonly SettingsError[];
}

export function reportText({ stack, findings, notes, open }: Report): string {
  const sections = LISTS.map((list): [string, string[]] => [
    TITLES[list],
    findings.filter((f) => f.list === list).map(line),
  ]);
  const all: Array<[string, string[]]> = [...sections, ["To know besides", notes.map((note) => `- ${note}`)]];
  return (
    [
      `# What became of the old configuration (stack ${stack})`,
      `Every option that was found is in one of these lists. Options are those of Synapse ${KNOWN_VERSION}. No value is in here.`,
      ...all.map(([title, lines]) => `## ${title} (${lines.length})\n\n${lines.join("\n") || "None."}`),
      `## What the stack file still lacks (${open.length})\n\n${open.length > 0 ? `\`\`\`text\n${open.map(formatError).join("\n")}\n\`\`\`` : "Nothing."}`,
    ].join("\n\n") + "\n"
  );
}

export const pathsOf = (draft: Draft): string[] => draft.secrets.map(({ path }) => pathText(path));
