/**
 * `npm run test:local [-- day,web,turn,calls,...]`: the tests of test/local against the local cluster, in a process
 * that trusts the stack's own CA; writes docs/proof/user.md from their results. Without names, all of them.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { runMain } from "../../cli/arguments";
import { LOCAL_TESTS } from "./localTests";
import { PROOF_FILE, renderProof, results, USER } from "./measured";
import { access, kubectl } from "../local/access";
import { ensureBrowser, ensureLivekitClient } from "../local/browser";
import { PROOF, ROOT } from "../common/folders";
import { namesFrom, runMocha } from "./mocha";
import { enter } from "../local/priority";

const USAGE = `npm run test:local [-- NAME,NAME...]
  Tests the stack on the local cluster (\`npm run local\` first) and writes docs/proof/user.md. Without names, all tests.
  NAME: ${LOCAL_TESTS.join(", ")}`;
const DIRECTORY = path.join("test", "local");
const FILE = "user.json";
const DOCUMENT = path.join(PROOF, "user.md");
/** Programs that serve a user's day: each is in the table of versions. */
const NAMESPACES = ["matrix", "coturn", "livekit", "minio", "metallb-system"];

function versions(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const n of NAMESPACES)
    for (const p of JSON.parse(kubectl("-n", n, "get", "pods", "-o", "json")).items)
      for (const c of p.spec.containers) {
        const m = /([^/]+):([^:@]+)$/.exec(c.image);
        if (m) found[m[1]!] = m[2]!;
      }
  for (const module of ["matrix-js-sdk", "@matrix-org/matrix-sdk-crypto-wasm"])
    found[module] = JSON.parse(
      fs.readFileSync(path.join(ROOT, "node_modules", module, "package.json"), "utf8"),
    ).version;
  return found;
}

async function test(names: string[]): Promise<void> {
  const a = await access();
  enter("load");
  const chosen = names.length === 0 ? LOCAL_TESTS : names;
  if (chosen.includes("web") || chosen.includes("calls")) ensureBrowser();
  if (chosen.includes("calls")) ensureLivekitClient();
  process.exitCode = runMocha(
    chosen.map((n) => path.join(DIRECTORY, `${n}.test.ts`)),
    { args: ["--timeout", "120000"], env: { NODE_EXTRA_CA_CERTS: a.caFile, [PROOF_FILE]: FILE } },
  );
  fs.mkdirSync(path.dirname(DOCUMENT), { recursive: true });
  fs.writeFileSync(DOCUMENT, renderProof(results(FILE), versions(), USER));
}

async function main(argv: string[]): Promise<void> {
  const names = namesFrom(argv, LOCAL_TESTS);
  await test(names).catch((error) => {
    console.error(`error: ${error.message}\nIs the local homeserver up? \`npm run local\` starts it.`);
    process.exitCode = 1;
  });
}

runMain(USAGE, main);
