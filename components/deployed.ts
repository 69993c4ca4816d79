/** Asks the engine what the stack's last deployment left behind. */
import * as pulumi from "@pulumi/pulumi";
import { formatErrors } from "./core/errors";
import type { PlanInput } from "./core/layer";
import { MessageOnly } from "./core/messageOnly";
import { losses } from "./holds";
import { isPlainObject } from "./schema/walk";

/**
 * The outputs of this stack's last deployment, from its state; empty before the first. The engine answers this itself
 * (pkg/resource/deploy/builtins.go), for `preview` and `up` alike, and no resource is registered for it.
 */
async function deployedOutputs(): Promise<Record<string, unknown>> {
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const answer: unknown = await pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", { name });
  const outputs = isPlainObject(answer) ? answer.outputs : undefined;
  return isPlainObject(outputs) ? outputs : {};
}

/** @throws MessageOnly, and so fails the deployment, when the settings would lose what the deployed stack holds */
export async function refuseLosses(input: PlanInput): Promise<void> {
  const errors = losses(await deployedOutputs(), input);
  if (errors.length > 0)
    throw new MessageOnly(formatErrors(errors, "data of the deployed stack would be lost, so nothing was changed"));
}
