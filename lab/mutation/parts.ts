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

const layer = (name: string, ...tests: string[]): Part => ({
  folders: [`components/layers/${name}`],
  tests: [`test/${name}/*.test.ts`, ...tests],
});

export const PARTS: Record<string, Part> = {
  router: layer("router"),
  redis: layer("redis"),
  postgres: layer("postgres"),
  synapse: layer("synapse", "test/router/*.test.ts"),
  policies: {
    folders: ["components/layers/cluster/policies"],
    tests: ["test/cluster/policiesFromEdges.test.ts", "test/cluster/acme.test.ts"],
  },
  // The tests of whole plans in test/sizing take seconds each; these hold every function alone.
  sizing: { folders: ["components/sizing"], tests: ["test/sizing/numbers/*.test.ts"] },
  settings: { folders: ["components/settings", "components/schema"], tests: ["test/settings/*.test.ts"] },
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
