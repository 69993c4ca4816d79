/** The list of PostgreSQL's parameters against the server that it was taken from. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { parameterProblem, type Parameter, type ParameterData } from "../../components/layers/postgres/parameters";
import { count } from "../../lab/real/counts";
import { Network } from "../../lab/real/network";
import { accepted, parameterFolder, parametersOf, serverVersion } from "../../lab/real/postgresParameters";

const FILE = path.resolve(__dirname, "../../components/layers/postgres/parameters.json");

/** Values that are right, wrong, or at the edge of a parameter's range. */
function values(p: Parameter): string[] {
  switch (p.type) {
    case "bool":
      return ["TRUE", "of", "o", "2", "enabled"];
    case "enum":
      return [p.values![0].toUpperCase(), `${p.values![0]}x`, "yes"];
    case "integer":
    case "real": {
      const beyond = [p.min!, p.min! - 1, p.max!, p.max! + 1].map(String);
      return [...beyond, "64 MB", "64kb", "5min", "1.5", "0x10", "ten"];
    }
    default:
      return [];
  }
}

/**
 * Not asked of the server: it looks at more than the value (how much memory there is, what the kernel or the build can
 * do), or refuses it in the company of others.
 */
const DEPENDS: ReadonlyArray<[RegExp, string]> = [
  [/\./, "a value of an extension is read when its library is loaded; a wrong one is only a warning then"],
  [/^max_stack_depth$/, "the limit of the process's stack"],
  [/^(wal_level|wal_log_hints)$/, "the operator refuses more than the server"],
  [/_flush_after$|^effective_io_concurrency$|^maintenance_io_concurrency$/, "0 only where the kernel cannot prefetch"],
  [/^(io_method|io_max_concurrency|debug_io_direct|dynamic_shared_memory_type|shared_memory_type)$/, "the build"],
  [/^(ssl|bonjour|krb_.*|gss_.*|jit.*|log_statement_stats|log_.*_stats|recovery_.*)$/, "the build, or each other"],
];

describe("PostgreSQL's parameters, for real", () => {
  let net: Network, dir: string;
  const listed = JSON.parse(fs.readFileSync(FILE, "utf8")) as ParameterData;
  before(async () => {
    net = await new Network().start();
    dir = parameterFolder(net);
  });
  after(() => net.close());

  it("the list is the server's own", async () => {
    assert.equal(listed.server, await serverVersion(dir));
    assert.deepEqual(listed.parameters, await parametersOf(dir));
  });

  it("a value is refused here exactly when the server refuses it", async () => {
    const asked = Object.entries(listed.parameters)
      .filter(([name, p]) => !p.internal && !DEPENDS.some(([pattern]) => pattern.test(name)))
      .filter(([name]) => !listed.refusedByOperator.includes(name))
      .flatMap(([name, p]) => values(p).map((value): [string, string] => [name, value]));
    const answers = await accepted(dir, asked);
    assert.equal(answers.length, asked.length);
    const differ = asked.flatMap(([name, value], i) =>
      (parameterProblem(name, value) === undefined) === answers[i]
        ? []
        : [`${name} = "${value}": the server ${answers[i] ? "takes" : "refuses"} it`],
    );
    assert.deepEqual(differ, []);
    count("values of PostgreSQL's parameters", asked.length);
  });
});
