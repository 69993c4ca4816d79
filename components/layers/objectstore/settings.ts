/** Settings of the object store. Pure. */
import { z } from "zod";
import { field, int, list, section } from "../../schema/fields";
import { s3Fields } from "../../schema/s3";
import { cpu, memoryMiB, storageGiB } from "../../schema/sizes";

export const objectStoreSettings = {
  objectStore: field(
    z.discriminatedUnion("kind", [
      section(
        {
          kind: z.literal("minio"),
          driveGiB: int(1, 1_000_000, {
            doc: "Space to use on each drive, GiB.",
            defaultText: "the disks' size",
          }).optional(),
        },
        { doc: "MinIO on the `storage` hosts, erasure coded: reads and writes survive the loss of one host." },
      ),
      section({ kind: z.literal("s3"), ...s3Fields }, { doc: "An existing S3; no `storage` hosts are needed." }),
    ]),
    {
      doc: "Store of the media.",
      allowed: "kind minio, or s3 with endpoint, bucket, accessKey and secretKey",
      example: { kind: "minio" },
    },
  ).prefault({ kind: "minio" }),
};

export const objectStoreOverrides = {
  minio: section(
    {
      nodes: int(3, 64, { doc: "MinIO pods, one per host." }).optional(),
      drivesPerNode: int(1, 32, { doc: "Drives of each MinIO pod." }).optional(),
      pools: list(int(3, 64, { doc: "Nodes of one server pool." }), {
        doc: "Nodes of each MinIO server pool, oldest first. A pool's size cannot change: to grow, append a pool.",
      }).optional(),
      parity: int(1, 8, { doc: "Parity drives of an erasure set." }).optional(),
      driveGiB: storageGiB("Size of each drive, GiB."),
      cpu: cpu(),
      memoryMiB: memoryMiB(256),
    },
    { doc: "MinIO." },
  ).prefault({}),
};
