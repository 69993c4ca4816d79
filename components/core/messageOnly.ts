import * as pulumi from "@pulumi/pulumi";

/**
 * An error that is the operator's to read: the engine prints its message alone. It has no stack trace either, which the
 * SDK would colour before it throws it away: on Node 20 that never ends for a path such as
 * node_modules/@pulumi/output.ts, until half a gigabyte is full (30 s in which nothing is said).
 */
export class MessageOnly extends pulumi.RunError {
  constructor(message: string) {
    super(message);
    this.stack = `Error: ${message}`;
  }
}
