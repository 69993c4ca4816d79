/** Writes docs/routing.md from the routing table; `--check` only says whether it is up to date. */
import * as fs from "node:fs";
import * as path from "node:path";
import { renderRoutingDocs } from "../components/layers/synapse/routingDocs";

const file = path.join(__dirname, "..", "docs", "routing.md");
const wanted = renderRoutingDocs();
if (process.argv.includes("--check")) {
  if (!fs.existsSync(file) || fs.readFileSync(file, "utf8") !== wanted) {
    console.error("docs/routing.md is out of date: run `npx tsx scripts/routing-docs.ts`");
    process.exit(1);
  }
} else {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, wanted);
}
