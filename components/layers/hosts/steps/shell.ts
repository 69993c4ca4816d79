/** The parts of a host step: a strict bash script that changes only what differs and reports its changes. Pure. */

/** One step of preparing a host. */
export interface HostStep {
  /** In kebab-case; part of the resource's name. */
  name: string;
  /** One phrase: the purpose; rendered into the script files. */
  why: string;
  /** A complete bash script for root. A second run changes nothing. It contains no secrets. */
  script: string;
  /** Secrets for the script: unlike arguments, standard input does not appear in logs and errors. @default none */
  stdin?: string;
}

/** Options for tests. */
export interface StepOptions {
  /** Prefix of all absolute paths. @default "" */
  root?: string;
}

/** A word in single quotes, for the shell. */
export const quote = (word: string): string => `'${word.replace(/'/g, `'\\''`)}'`;
