/** The stack's program: settings in, layers composed, outputs out. index.ts runs it under the engine, the tools in process. */
import * as pulumi from "@pulumi/pulumi";
import { StackSecrets } from "./secrets";

export async function program(): Promise<Record<string, pulumi.Input<any>>> {
  const s = new StackSecrets("secrets", { settings: { importSecrets: {}, deletionProtection: true } as any });
  return { k: s.signingKey, d: s.databasePassword };
}
