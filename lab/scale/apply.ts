/**
 * The objects of a stack by server-side apply, without the engine: what `npm run render` writes, in its order, each
 * with strict validation. Answers in seconds whether the API server admits everything.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Evaluation } from "../../cli/evaluate";
import { isKubernetes, objectTitle } from "../../components/layers/resources";
import { Refusal } from "../scenarios/api";
import type { Objects } from "./objects";

/** A custom resource waits for its definition to be served. */
const DEFINED_SECONDS = 20;

/** Titles of the objects that were not admitted, with the API server's reason; empty where all were. */
export async function applyAll(objects: Objects, evaluation: Evaluation): Promise<string[]> {
  const refused: string[] = [];
  for (const r of evaluation.resources.filter(isKubernetes))
    await admitted(objects, r.inputs).catch((error: Error) => refused.push(`${objectTitle(r)}: ${error.message}`));
  return refused;
}

async function admitted(objects: Objects, object: any): Promise<void> {
  for (const started = Date.now(); ; await sleep(200))
    try {
      await objects.apply(object, "pulumi");
      return;
    } catch (error) {
      const absent = (error instanceof Refusal && error.code === 404) || /has no kind/.test((error as Error).message);
      if (!absent || Date.now() - started > DEFINED_SECONDS * 1000) throw error;
    }
}
