/** Fields of `overrides`: sizes in place of the plan's. Pure. */
import { MAX_REPLICAS } from "../domain/workerClasses";
import { decimal, int } from "./fields";

export const cpu = () =>
  decimal(0.01, 1024, { doc: "Requested cores of each pod.", allowed: "cores, more than 0" }).optional();
export const memoryMiB = (min = 16) =>
  int(min, 16_777_216, { doc: "Memory of each pod, MiB: request and limit." }).optional();
export const replicas = (min: number, doc = "Pods.") => int(min, MAX_REPLICAS, { doc }).optional();
export const storageGiB = (doc: string) => int(1, 1_000_000, { doc }).optional();
