/** Every generated secret of the stack. Protected where the loss is fatal; imported where the operator gives it. */
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { keysAreProtected } from "../core/identity";
import type { SecretSpec } from "../core/secrets";
import type { Settings } from "../settings/types";

const USUAL_LENGTH = 40;

export interface StackSecretsArgs {
  settings: Settings;
  /** What the layers declare. */
  specs: readonly SecretSpec[];
}

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

  /** The value of a declared secret. */
  of(spec: SecretSpec): pulumi.Output<string> {
    const value = this.values.get(spec.label);
    if (!value) throw new Error(`no layer of this stack declares the secret "${spec.label}"`);
    return value;
  }

  private generated(spec: SecretSpec, settings: Settings): pulumi.Output<string> {
    // Only passwords: the id of random's other types is their value.
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
