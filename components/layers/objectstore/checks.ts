/** Checks of MinIO's sizes: refuses those with which it would not run. */
import type { CheckInput } from "../../core/layer";
import { hasMinio, minioSurvives, storeName } from "../../domain/mediaStore";

/** A move from the store to itself. */
export function checkMove({ settings: { objectStore }, report }: CheckInput): void {
  if (objectStore.moveFrom?.store !== storeName(objectStore)) return;
  report.add(
    {
      path: "objectStore.moveFrom.store",
      given: `"${objectStore.moveFrom.store}", which is the present store`,
      allowed: "the store that held the media before",
      remedy: "remove objectStore.moveFrom, or give the settings of the new store",
    },
    ["objectStore"],
  );
}

export function checkMinio({ input, settings, report }: CheckInput): void {
  if (!hasMinio(settings)) {
    if (Object.keys(input.overrides.minio).length > 0)
      report.add({
        path: "overrides.minio",
        given: "sizes of MinIO, while objectStore.kind is s3",
        allowed: "nothing here: with s3, no MinIO is installed",
        remedy: "remove overrides.minio",
      });
    return;
  }
  const { nodes, drivesPerNode, parity } = settings.overrides.minio;
  // There the plan checks the parity: it depends on the drives that are lost with a zone.
  if (minioSurvives(settings) === "zone") return;
  if (parity !== undefined && drivesPerNode !== undefined && parity < drivesPerNode) {
    report.add({
      path: "overrides.minio.parity",
      given: `${parity}, with ${drivesPerNode} drives per node`,
      allowed: `at least ${drivesPerNode}: the loss of a node takes ${drivesPerNode} drives of an erasure set`,
      remedy: `set parity to ${drivesPerNode}, or use fewer drives per node`,
    });
  }
  if (
    nodes !== undefined &&
    drivesPerNode !== undefined &&
    parity !== undefined &&
    parity * 2 > nodes * drivesPerNode
  ) {
    report.add({
      path: "overrides.minio.parity",
      given: `${parity}, with ${nodes} x ${drivesPerNode} = ${nodes * drivesPerNode} drives`,
      allowed: `at most half of the drives: ${Math.floor((nodes * drivesPerNode) / 2)}`,
      remedy: "lower parity, or add nodes or drives",
    });
  }
}
