/**
 * `npm run test:local [-- day,web,turn,calls,...]`: the tests of test/local against the local cluster, in a process that trusts
 * the stack's own CA, and docs/proof/user.md from what they saw. Without names, all of them.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { LOCAL_TESTS } from "../../test/local/helpers/names";
import { renderProof, results, USER } from "../../test/local/helpers/proof";
import { access, kubectl } from "./access";
import { ensureBrowser, ensureLivekitClient } from "./browser";
import { ROOT } from "./config";
import { PROOF } from "./kept";
import { asideOfTheNodes } from "./priority";

const DIRECTORY = path.join("test", "local");
const DOCUMENT = path.join(PROOF, "user.md");
/** What a user's day stands on: each is in the table of versions. */
const NAMESPACES = ["matrix", "coturn", "livekit", "minio", "metallb-system"];

function versions(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const n of NAMESPACES) for (const p of JSON.parse(kubectl("-n", n, "get", "pods", "-o", "json")).items) for (const c of p.spec.containers) {
    const m = /([^/]+):([^:@]+)$/.exec(c.image);
    if (m) found[m[1]!] = m[2]!;
  }
  for (const module of ["matrix-js-sdk", "@matrix-org/matrix-sdk-crypto-wasm"]) found[module] = JSON.parse(fs.readFileSync(path.join(ROOT, "node_modules", module, "package.json"), "utf8")).version;
  return found;
}

async function main(): Promise<void> {
  const a = await access();
  asideOfTheNodes();
  const names = process.argv.slice(2).flatMap((x) => x.split(","));
  const unknown = names.filter((n) => !LOCAL_TESTS.includes(n));
  if (unknown.length) throw new Error(`no test named ${unknown.join(", ")}; there are ${LOCAL_TESTS.join(", ")}`);
  const chosen = names.length === 0 ? LOCAL_TESTS : names;
  if (chosen.includes("web") || chosen.includes("calls")) ensureBrowser();
  if (chosen.includes("calls")) ensureLivekitClient();
  const mocha = path.join(ROOT, "node_modules", "mocha", "bin", "mocha.js");
  const done = spawnSync(process.execPath, [mocha, "--no-config", "--require", "tsx", "--require", `./${DIRECTORY}/helpers/proof.ts`, "--exit", "--timeout", "120000", ...chosen.map((n) => path.join(DIRECTORY, `${n}.test.ts`))], {
    cwd: ROOT, stdio: "inherit", env: { ...process.env, NODE_EXTRA_CA_CERTS: a.caFile },
  });
  fs.mkdirSync(path.dirname(DOCUMENT), { recursive: true });
  fs.writeFileSync(DOCUMENT, renderProof(results(), versions(), USER));
  process.exitCode = done.status ?? 1;
}

main().catch((error) => { console.error(`error: ${error.message}\nIs the local homeserver up? \`npm run local\` starts it.`); process.exitCode = 1; });
