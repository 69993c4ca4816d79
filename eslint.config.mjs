// The form of the TypeScript: `npm run lint`, part of `npm run check`.
import importX from "eslint-plugin-import-x";
import { readFileSync } from "node:fs";
import tseslint from "typescript-eslint";

/** From the ground up: what is here imports only itself and what stands before it. Types alone may come from anywhere. */
const FLOORS = ["core", "domain", "schema", "sizing", "keys", "layers", "settings"];
/** The layers in the order of the registry: each uses only the ones before it. */
const LAYERS = /const REGISTERED = \[(.*?)\] as const/s
  .exec(readFileSync(new URL("components/layers/registry.ts", import.meta.url), "utf8"))[1]
  .match(/\w+/g);
/** What stands on the components, and on each other in this order. */
const PROGRAMS = ["policy", "cli", "lab", "scripts"];

/** Names of folders or files to which no path of these files may lead up. */
const forbid = (files, patterns) => ({
  files,
  rules: {
    "@typescript-eslint/no-restricted-imports": [
      "error",
      {
        patterns: patterns
          .filter(([names]) => names.length)
          .map(([names, message]) => ({
            regex: `^(\\.\\./)+(${names.join("|")})(/|$)`,
            allowTypeImports: true,
            message,
          })),
      },
    ],
  },
});
const above = (list, i) => list.slice(i + 1);
const NOT_TESTS = [["test"], "only tests import tests: what others need belongs to lab/"];

export default tseslint.config(
  { ignores: ["node_modules/", ".scratch/", ".stryker/", "vendor/", "**/*.cjs", "**/*.mjs"] },
  {
    files: ["**/*.ts"],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true } },
    plugins: { "@typescript-eslint": tseslint.plugin, "import-x": importX },
    settings: {
      "import-x/resolver": { node: { extensions: [".ts", ".js"] } },
      "import-x/parsers": { "@typescript-eslint/parser": [".ts"] },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      complexity: ["error", 15],
      "max-params": ["error", 4],
      // Prettier takes care of code; it leaves comments as they are.
      "max-len": [
        "error",
        { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true, ignoreUrls: true },
      ],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: false }],
      "@typescript-eslint/consistent-type-imports": [
        "error",
        { fixStyle: "inline-type-imports", disallowTypeAnnotations: false },
      ],
      "import-x/no-cycle": ["error", { maxDepth: 20, ignoreExternal: true }],
      "no-restricted-properties": [
        "error",
        { object: "process", property: "argv", message: "runMain, parse and parseWords of cli/arguments.ts read it" },
      ],
    },
  },
  // What the stack registers is typed to the end: `any` would hide a misspelt field until the API server drops it.
  { files: ["components/**/*.ts"], rules: { "@typescript-eslint/no-explicit-any": "error" } },
  {
    // Here it is read; the engine starts the others as its plugins, with arguments of its own.
    files: ["cli/arguments.ts", "lab/command.ts", "lab/engine/providers/main.ts", "lab/engine/host/languageHost.ts"],
    rules: { "no-restricted-properties": "off" },
  },
  ...FLOORS.slice(0, -1).map((floor, i) =>
    forbid(
      [`components/${floor}/**/*.ts`],
      [
        [above(FLOORS, i), `a floor imports only what is below it: ${FLOORS.slice(0, i + 1).join(", ")}`],
        [[...PROGRAMS, "test"], "components do not depend on programs or tests"],
      ],
    ),
  ),
  ...LAYERS.map((layer, i) =>
    forbid(
      [`components/layers/${layer}/**/*.ts`],
      [
        [
          above(LAYERS, i),
          `a layer uses only those before it (components/layers/registry.ts): ${LAYERS.slice(0, i).join(", ") || "none"}`,
        ],
        [
          ["stack", "program", "outputs", "topology", "plan", "layers/registry", "registry", ...PROGRAMS, "test"],
          "a layer knows nothing of what is built from it",
        ],
      ],
    ),
  ),
  ...PROGRAMS.map((program, i) =>
    forbid(
      [`${program}/**/*.ts`],
      [[above(PROGRAMS, i), `programs build on each other in this order: ${PROGRAMS.join(", ")}`], NOT_TESTS],
    ),
  ),
  forbid(["examples/**/*.ts", "index.ts"], [NOT_TESTS]),
);
