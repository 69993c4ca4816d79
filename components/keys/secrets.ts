/** Every generated secret of the stack. */
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { keysAreProtected } from "../core/identity";
import type { SecretSpec } from "../core/secrets";
import type { Settings } from "../settings/types";

/** Letters and digits: 238 bits. */
const USUAL_LENGTH = 40;

/** Arguments of StackSecrets. */
export interface StackSecretsArgs {
  settings: Settings;
  /** The declarations of all layers; labels must be unique. */
  specs: readonly SecretSpec[];
}

/** The secrets that layers declare: imported where the operator gives them, else generated; protected if `fatal`. */
export class StackSecrets extends pulumi.ComponentResource {
  private readonly values = new Map<string, pulumi.Output<string>>();

  constructor(
    private readonly baseName: string,
    { settings, specs }: StackSecretsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("matrix-ha:secrets:StackSecrets", baseName, {}, opts);
    for (const spec of specs.filter((s) => s.when?.(settings) ?? true)) {
      if (this.values.has(spec.label)) throw new Error(`two layers declare a secret "${spec.label}"`);
      const given = spec.importable && settings.importSecrets[spec.importable];
      this.values.set(spec.label, given === undefined ? this.generated(spec, settings) : pulumi.secret(given));
    }
    this.registerOutputs({});
  }

  /** The value of a declared secret. @throws Error when no layer declares it, or its `when` is false */
  of(spec: SecretSpec): pulumi.Output<string> {
    const value = this.values.get(spec.label);
    if (!value) throw new Error(`no layer of this stack declares the secret "${spec.label}"`);
    return value;
  }

  private generated(spec: SecretSpec, settings: Settings): pulumi.Output<string> {
    // Always RandomPassword: the id of the provider's other types is their value, and ids are not secret.
    const password = new random.RandomPassword(
      `${this.baseName}-${spec.label}`,
      { length: spec.length ?? USUAL_LENGTH, special: false },
      {
        parent: this,
        ...(spec.fatal ? { protect: keysAreProtected(settings) } : {}),
        ...(spec.formerType ? { aliases: [{ type: spec.formerType }] } : {}),
      },
    );
    const { from } = spec;
    return pulumi.secret(from ? pulumi.secret(password.result).apply(from) : password.result);
  }
}
