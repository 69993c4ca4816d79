/** Names of the files of test/local, as `npm run test:local -- a,b` takes them. */
import * as fs from "node:fs";
import * as path from "node:path";

const SUFFIX = ".test.ts";
/** They kill and restart something: tests after them that check the cluster's health would have to wait. */
const LAST = ["calls"];
const found = fs
  .readdirSync(path.resolve(__dirname, "../../test/local"))
  .filter((f) => f.endsWith(SUFFIX))
  .map((f) => f.slice(0, -SUFFIX.length))
  .sort();
/** In the order in which they run. */
export const LOCAL_TESTS: readonly string[] = [...found.filter((n) => !LAST.includes(n)), ...LAST];
