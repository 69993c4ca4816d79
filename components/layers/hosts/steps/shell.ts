/**
 * What every host step is made of: a strict bash script that changes only what differs and says what it changed. Pure.
 */

export interface HostStep {
  /** Short, kebab-case: part of the resource's name. */
  name: string;
  /** One phrase for people: what the step is for. */
  why: string;
  /** A complete bash script, run as root; a second run changes nothing. Holds no secret. */
  script: string;
  /** Secrets, if ever a step needs one: standard input is the only way in that no log and no error message repeats. */
  stdin?: string;
}

/** Where a script finds the machine's files. Tests give a directory of their own; hosts have "". */
export interface StepOptions {
  root?: string;
}

/** A word that the shell takes as it is. */
export const quote = (word: string): string => `'${word.replace(/'/g, `'\\''`)}'`;
