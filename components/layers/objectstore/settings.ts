/** Settings of the object store. Pure. */
import { z } from "zod";
import { field, int, list, oneOf, section } from "../../schema/fields";
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
          survives: oneOf(["host", "zone"], {
            doc: "What may be lost while media can still be read and written: one storage host, or every storage host of a zone. `zone` needs six storage hosts for each pool, two in each of three zones. Decide before the first deployment: a pool of MinIO never changes, and a check before MinIO's start refuses another one.",
            remedy: "with storage hosts in three zones, two in each, write `survives: zone` in a new stack",
          }).default("host"),
        },
        {
          doc: "MinIO on the `storage` hosts, erasure coded: reads and writes survive the loss of one host, or of a zone.",
        },
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
