/** Settings of the object store. Pure. */
import { z } from "zod";
import { bool, field, int, list, oneOf, section, text } from "../../schema/fields";
import { s3Fields } from "../../schema/s3";
import { cpu, memoryMiB, storageGiB } from "../../schema/sizes";

const moveFrom = () =>
  section(
    {
      store: text(
        {
          doc: "The store that held the media until now: `minio`, or endpoint and bucket of an S3, such as `https://s3.example.com/media`. A deployment that changes the store without this setting is refused, and prints the value.",
          allowed: "`minio`, or an endpoint with its bucket, as the refused deployment prints it",
          remedy: "copy the value from the message of the refused deployment",
        },
        (v) => v === "minio" || /^https?:\/\/[^\s/]+(\/[^\s/]+)*\/[^\s/]+$/.test(v),
        "minio",
      ),
      survives: oneOf(["host", "zone"], {
        doc: "What `objectStore.survives` said of the MinIO that is being left: its pools keep their layout.",
      }).default("host"),
      copied: bool({
        doc: "Say `true` when every object is in the new store. Only then may `moveFrom` be removed, and MinIO with it.",
      }).default(false),
    },
    {
      doc: "A move of the media to another store. While it is here, the former store stays: MinIO keeps running with its hosts and drives, and new media go to the new store. docs/operate.md has the steps.",
    },
  ).optional();

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
          moveFrom: moveFrom(),
          survives: oneOf(["host", "zone"], {
            doc: "What may be lost while media can still be read and written: one storage host, or every storage host of a zone. `zone` needs six storage hosts for each pool, two in each of three zones. Decide before the first deployment: a pool of MinIO never changes, and a check before MinIO's start refuses another one.",
            remedy: "with storage hosts in three zones, two in each, write `survives: zone` in a new stack",
          }).default("host"),
        },
        {
          doc: "MinIO on the `storage` hosts, erasure coded: reads and writes survive the loss of one host, or of a zone.",
        },
      ),
      section(
        { kind: z.literal("s3"), ...s3Fields, moveFrom: moveFrom() },
        { doc: "An existing S3; no `storage` hosts are needed." },
      ),
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
