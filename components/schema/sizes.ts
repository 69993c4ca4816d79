/** Fields of `overrides`: sizes that replace the plan's. Pure. */
import { MAX_REPLICAS } from "../domain/workerClasses";
import { decimal, int } from "./fields";

/** Requested cores of a pod. */
export const cpu = () =>
  decimal(0.01, 1024, { doc: "Requested cores of each pod.", allowed: "cores, more than 0" }).optional();
/** Requested memory of a pod. @param min Fewest MiB that the program runs with. @default 16 */
export const memoryMiB = (min = 16) =>
  int(min, 16_777_216, {
    doc: "Requested memory of each pod, MiB. The limit is higher: 1.5 times, unless the layer sets another.",
  }).optional();
/** Number of pods. @param min Fewest that survive a failure */
export const replicas = (min: number, doc = "Pods.") => int(min, MAX_REPLICAS, { doc }).optional();
/** Size of a volume, GiB. */
export const storageGiB = (doc: string) => int(1, 1_000_000, { doc }).optional();
