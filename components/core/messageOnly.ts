import * as pulumi from "@pulumi/pulumi";
import { SettingsInvalid } from "./errors";

/**
 * An error for the operator: the engine prints its message only. It has no stack trace, because the SDK colours the
 * trace before it discards it. On Node 20 that does not end for a path such as node_modules/@pulumi/output.ts until
 * half a gigabyte of memory is used (30 s without any output).
 */
export class MessageOnly extends pulumi.RunError {
  constructor(message: string) {
    super(message);
    this.stack = `Error: ${message}`;
  }
}

/** What `run` returns. Errors of settings and plans end the program with their text alone. */
export function explained<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof SettingsInvalid) throw new MessageOnly(error.message);
    throw error;
  }
}
