/** The fields of an S3 target. Pure. */
import type { z } from "zod";
import { isS3Endpoint } from "./syntax/text";
import { privateAuthority, secret, text } from "./fields";

/** For media and for backups. */
export const s3Fields = {
  endpoint: text(
    {
      doc: "URL of the S3 API.",
      allowed: "an https:// URL, or http:// to a private address",
      remedy: "give the URL of the S3 API without the bucket: https://s3.eu-central-1.amazonaws.com",
    },
    isS3Endpoint,
    "https://s3.example.com",
  ),
  region: text({ doc: "Region, in the provider's spelling." }).default("us-east-1"),
  bucket: text(
    { doc: "Bucket. It must exist.", allowed: "a bucket name: 3 to 63 lower-case letters, digits, '-' and '.'" },
    (v) => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(v),
  ),
  accessKey: secret({ doc: "Access key id." }),
  secretKey: secret({ doc: "Secret access key." }),
  privateAuthority: privateAuthority("the endpoint"),
};

/** An S3 target in complete settings. */
export type S3Settings = z.output<z.ZodObject<typeof s3Fields>>;
