/**
 * Results that stay in the repository (docs/proof/*.json) until they are measured again, even if the cluster no longer
 * exists.
 */
import * as fs from "node:fs";
import * as path from "node:path";
import { PROOF } from "../common/folders";

export class Kept<T> {
  private readonly file: string;
  constructor(
    name: string,
    private readonly nothing: T,
  ) {
    this.file = path.join(PROOF, name);
  }
  read(): T {
    return fs.existsSync(this.file) ? JSON.parse(fs.readFileSync(this.file, "utf8")) : this.nothing;
  }
  write(value: T): void {
    fs.mkdirSync(PROOF, { recursive: true });
    fs.writeFileSync(this.file, `${JSON.stringify(value, null, 1)}\n`);
  }
}
