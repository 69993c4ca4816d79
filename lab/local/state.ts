/**
 * What the local driver remembers between runs: generated values and what was applied. A stand-in for the engine's
 * state on one machine; a real environment uses the engine's own, encrypted.
 */
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

export const RUN_DIR = process.env.MATRIX_HA_RUN ?? path.join(os.homedir(), ".local/state/matrix-ha/local");
export const CACHE_DIR = process.env.MATRIX_HA_CACHE ?? path.join(os.homedir(), ".cache/matrix-ha");

export interface Applied {
  type: string;
  /** Digest of the inputs that were applied. */
  digest: string;
  /** What deletion needs: apiVersion, kind, namespace, name; or a command's connection and delete text. */
  handle?: any;
  protect?: boolean;
  retain?: boolean;
  /** It was there before the driver first applied it: `down` leaves it. */
  existed?: boolean;
}

interface Contents { generated: Record<string, any>; applied: Record<string, Applied> }

export class State {
  private constructor(private readonly file: string, private readonly contents: Contents) {}

  static open(file = path.join(RUN_DIR, "driver", "state.json")): State {
    const contents = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : { generated: {}, applied: {} };
    return new State(file, contents);
  }
  /** Nothing was ever applied. */
  static isNew(file = path.join(RUN_DIR, "driver", "state.json")): boolean { return !fs.existsSync(file); }
  /** The value of this resource is made anew, and with it what follows from it. */
  forget(name: string): void {
    const keys = Object.keys(this.contents.generated).filter((k) => k.endsWith(`::${name}`));
    if (!keys.length) throw new Error(`no generated value is called ${name}; there are ${Object.keys(this.contents.generated).map((k) => k.replace(/^.*::/, "")).sort().join(", ")}`);
    for (const k of keys) delete this.contents.generated[k];
    this.save();
  }
  get generated(): Contents["generated"] { return this.contents.generated; }
  get applied(): Contents["applied"] { return this.contents.applied; }

  /** Written at once and whole: a crash leaves the old file or the new one. It holds secrets, so only its owner reads it. */
  save(): void {
    fs.mkdirSync(path.dirname(this.file), { recursive: true, mode: 0o700 });
    const draft = `${this.file}.tmp`;
    fs.writeFileSync(draft, JSON.stringify(this.contents), { mode: 0o600 });
    fs.renameSync(draft, this.file);
  }
}
