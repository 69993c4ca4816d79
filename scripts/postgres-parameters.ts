/**
 * `npx tsx scripts/postgres-parameters.ts`: writes down what the real PostgreSQL accepts in postgresql.conf
 * (pg_settings of the server that test/real starts) and what the operator refuses (its source, from Go's proxy).
 * Needs root, and the programs of `npm run test:real`. To be run for each new version of either.
 */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { parse, runMain } from "../cli/arguments";
import { inOwnNamespaces } from "../lab/real/namespaces";
import { Network } from "../lab/real/network";
import {
  dataFile,
  operatorSource,
  parameterFolder,
  parametersOf,
  refusedByOperator,
  serverVersion,
} from "../lab/real/postgresParameters";
import versions from "../vendor/versions.json";

const USAGE = `npx tsx scripts/postgres-parameters.ts
  Writes components/layers/postgres/parameters.json from the real server and the operator's source.
  Needs root on Debian; run \`npm run test:real -- test/real/parameters.test.ts\` once before, which installs the server.`;
const FILE = path.resolve(__dirname, "../components/layers/postgres/parameters.json");

const { version } = versions["cloudnative-pg"];

async function write(source: string): Promise<void> {
  const net = await new Network().start();
  try {
    const dir = parameterFolder(net);
    const data = {
      server: await serverVersion(dir),
      operator: version,
      refusedByOperator: refusedByOperator(source),
      parameters: await parametersOf(dir),
    };
    fs.writeFileSync(FILE, dataFile(data));
    console.log(`${Object.keys(data.parameters).length} parameters of PostgreSQL ${data.server}`);
  } finally {
    await net.close();
  }
}

runMain(USAGE, async (argv) => {
  parse(argv, {});
  const { REAL_NAMESPACES, OPERATOR_SOURCE } = process.env;
  if (REAL_NAMESPACES === "1" && OPERATOR_SOURCE) return write(OPERATOR_SOURCE);
  // In the namespaces there is no network.
  const env = { ...process.env, REAL_NAMESPACES: "1", OPERATOR_SOURCE: operatorSource(version) };
  const again = inOwnNamespaces("postgres-parameters", [process.execPath, ...process.execArgv, __filename]);
  process.exitCode = spawnSync("unshare", again, { stdio: "inherit", env }).status ?? 1;
});
