/** What `npm run mutate` tries: the pure code of the parts that decide, with the unit tests that hold each of them. */
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT } from "../common/folders";

export interface Part {
  /** Folders whose pure files are changed. */
  folders: string[];
  /** Unit tests that must notice. */
  tests: string[];
}

const layer = (name: string, tests: string[]): Part => ({ folders: [`components/layers/${name}`], tests });

// The fast tests, which hold each function alone. Those that register resources, start a shell or plan whole stacks
// take seconds for each change.
export const PARTS: Record<string, Part> = {
  router: layer("router", ["test/router/!(component|routing).test.ts"]),
  redis: layer("redis", ["test/redis/!(component).test.ts"]),
  postgres: layer("postgres", ["test/postgres/!(postgres).test.ts"]),
  synapse: layer("synapse", [
    "test/synapse/!(component).test.ts",
    "test/router/decisions.test.ts",
    "test/router/routing*.test.ts",
  ]),
  policies: layer("cluster/policies", ["test/cluster/policiesFromEdges.test.ts", "test/cluster/acme.test.ts"]),
  sizing: { folders: ["components/sizing"], tests: ["test/sizing/numbers/*.test.ts"] },
  settings: {
    folders: ["components/settings", "components/schema"],
    tests: ["test/settings/!(bad|breakout|everySetting|settings|stackFile).test.ts"],
  },
};

function filesBelow(folder: string): string[] {
  return fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((f) => {
    const file = `${folder}/${f.name}`;
    if (f.isDirectory()) return filesBelow(file);
    return f.name.endsWith(".ts") ? [file] : [];
  });
}

/** Files of a part without wiring: components, which import Pulumi to make resources, only pass values on. */
export const pureFiles = ({ folders }: Part): string[] =>
  folders
    .flatMap(filesBelow)
    .filter((f) => !/^import (?!type ).*from "@pulumi\//m.test(fs.readFileSync(path.join(ROOT, f), "utf8")))
    .sort();
