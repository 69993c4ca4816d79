/**
 * Which version of Synapse can run on the database of which other: whether an upgrade can be taken back. Pure.
 *
 * A new Synapse writes its SCHEMA_COMPAT_VERSION into the database; a Synapse whose SCHEMA_VERSION is below the number
 * there refuses to start (synapse/storage/prepare_database.py: "Cannot use this database as it is too new").
 */

/** What a version writes into the database, and what it can read. */
export interface Schema {
  /** SCHEMA_VERSION: the newest schema that it knows. */
  version: number;
  /** SCHEMA_COMPAT_VERSION: the oldest SCHEMA_VERSION that may run on a database which it has upgraded. */
  compat: number;
}

/**
 * By minor version of Synapse; patch versions of one have the same. From synapse/storage/schema/__init__.py of the
 * packages on PyPI (1.155.0, 1.156.0, 1.157.2 and so on up to 1.163.2). A newly pinned version needs its line;
 * `npm run test:real -- test/real/synapseSchema.test.ts` compares the pinned version's with the real package.
 */
export const SCHEMAS: Readonly<Record<string, Schema>> = {
  "1.155": { version: 94, compat: 84 },
  "1.156": { version: 94, compat: 84 },
  "1.157": { version: 94, compat: 84 },
  "1.158": { version: 94, compat: 84 },
  "1.159": { version: 94, compat: 84 },
  "1.160": { version: 94, compat: 84 },
  "1.161": { version: 94, compat: 84 },
  "1.162": { version: 94, compat: 84 },
  "1.163": { version: 94, compat: 84 },
};

/** The minor version of a tag. @example minorOf("v1.163.2-r1") is "1.163"; undefined for "latest" */
export const minorOf = (tag: string): string | undefined => /^v?(\d+\.\d+)(?!\d)/.exec(tag)?.[1];

/** Whether the older version starts on a database that the newer one has upgraded, and why. */
export interface WayBack {
  open: "yes" | "no" | "unknown";
  reason: string;
}

/** @param schemas Default: those that are known */
export function wayBack(older: string, newer: string, schemas: Readonly<Record<string, Schema>> = SCHEMAS): WayBack {
  const known = (tag: string): Schema | undefined => {
    const minor = minorOf(tag);
    return minor !== undefined && Object.hasOwn(schemas, minor) ? schemas[minor] : undefined;
  };
  const [from, to] = [known(older), known(newer)];
  const missing = [...new Set([...(from ? [] : [older]), ...(to ? [] : [newer])])];
  if (!from || !to)
    return {
      open: "unknown",
      reason: `the schema of ${missing.join(" and of ")} is not in components/layers/synapse/schemaVersions.ts; read SCHEMA_VERSION and SCHEMA_COMPAT_VERSION in synapse/storage/schema/__init__.py of both packages`,
    };
  return to.compat <= from.version
    ? {
        open: "yes",
        reason: `${newer} leaves a database for schema ${to.compat} and later, and ${older} knows ${from.version}`,
      }
    : {
        open: "no",
        reason: `${newer} leaves a database for schema ${to.compat} and later, and ${older} knows only ${from.version}`,
      };
}
