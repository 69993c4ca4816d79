/** Names of the files of test/local, as `npm run test:local -- a,b` takes them. */
import * as fs from "node:fs";
import * as path from "node:path";

const SUFFIX = ".test.ts";
export const LOCAL_TESTS: readonly string[] = fs.readdirSync(path.resolve(__dirname, "..")).filter((f) => f.endsWith(SUFFIX)).map((f) => f.slice(0, -SUFFIX.length));
