import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { keysAreProtected } from "../core/identity";
import type { Settings } from "../settings/types";

/** Name of the resource. It says what to do, because the engine's error shows only the name. */
export const DESTROY_GUARD = "destroy-needs-deletionProtection-false-and-savedKeys";

/**
 * The resource that a `destroy` deletes first. The engine deletes in the order of dependencies and checks protection
 * only when it reaches a resource: without this one, `destroy --skip-preview` deleted Synapse and the public services
 * before it reached the protected keys. The guard depends on everything (through the resources that no other depends
 * on), so it is deleted first and alone. While it is protected, nothing is deleted.
 */
export class DestroyGuard extends pulumi.ComponentResource {
  constructor(args: {
    settings: Settings;
    /** Resources that no other resource comes after: `MatrixStack.last`; at least one. */
    after: pulumi.Resource[];
    /** Rejects when the settings about keys are wrong. */
    checked: pulumi.Input<object>;
  }) {
    super("matrix-ha:secrets:DestroyGuard", "guard", {});
    // Waits for the check, even with `--skip-preview`: with a wrong `savedKeys` the guard stays protected.
    const guarded = pulumi.output(args.checked).apply(() => args.after[0]!);
    // Its value is not used. RandomId is the simplest type of the random provider: it needs nothing and never changes.
    new random.RandomId(
      DESTROY_GUARD,
      { byteLength: 4 },
      { parent: this, dependsOn: [...args.after, guarded], protect: keysAreProtected(args.settings) },
    );
    this.registerOutputs({});
  }
}
