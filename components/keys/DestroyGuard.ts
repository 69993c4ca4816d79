import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { keysAreProtected } from "../core/identity";
import type { Settings } from "../settings/types";

/** The engine's error shows nothing else of it. */
export const DESTROY_GUARD = "destroy-needs-deletionProtection-false-and-savedKeys";

/**
 * What a `destroy` meets first. The engine deletes in the order of dependencies and looks at protection only when it
 * comes to a resource: without this one, `destroy --skip-preview` had taken Synapse and the doors before it met what is
 * protected. It comes after everything (by way of what nothing else comes after), so it is the first to go, alone, and
 * where it is protected nothing goes.
 */
export class DestroyGuard extends pulumi.ComponentResource {
  constructor(args: {
    settings: Settings;
    /** What nothing else of the stack comes after. */ after: pulumi.Resource[];
    /** Fails where the settings about keys are wrong. */ checked: pulumi.Input<object>;
  }) {
    super("matrix-ha:secrets:DestroyGuard", "guard", {});
    // After the check, even under `--skip-preview`: with a wrong `savedKeys` it stays protected.
    const guarded = pulumi.output(args.checked).apply(() => args.after[0]!);
    // No value of it is used. Of random's types it is the plainest: made by itself, never changed.
    new random.RandomId(
      DESTROY_GUARD,
      { byteLength: 4 },
      { parent: this, dependsOn: [...args.after, guarded], protect: keysAreProtected(args.settings) },
    );
    this.registerOutputs({});
  }
}
