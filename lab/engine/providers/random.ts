/** random: passwords, strings, bytes, ids. A changed input makes a new value, as the real provider does. */
import * as crypto from "node:crypto";
import type { Kind } from "./kinds";

const CLASSES = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  numeric: "0123456789",
} as const;
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";
const TEXT = {
  length: undefined,
  keepers: undefined,
  lower: true,
  upper: true,
  numeric: true,
  number: undefined,
  special: true,
  overrideSpecial: undefined,
  minLower: 0,
  minUpper: 0,
  minNumeric: 0,
  minSpecial: 0,
};

const pick = (from: string, n: number): string[] =>
  Array.from({ length: n }, () => from[crypto.randomInt(from.length)]!);

function alphabets(i: any): Record<"lower" | "upper" | "numeric" | "special", string> {
  const special = i.overrideSpecial || SPECIAL;
  return {
    lower: i.lower ? CLASSES.lower : "",
    upper: i.upper ? CLASSES.upper : "",
    numeric: (i.number ?? i.numeric) ? CLASSES.numeric : "",
    special: i.special ? special : "",
  };
}

function text(i: any): string {
  const a = alphabets(i);
  const must = [
    ...pick(CLASSES.lower, i.minLower),
    ...pick(CLASSES.upper, i.minUpper),
    ...pick(CLASSES.numeric, i.minNumeric),
    ...pick(i.overrideSpecial || SPECIAL, i.minSpecial),
  ];
  const all = [...must, ...pick(Object.values(a).join(""), i.length - must.length)];
  for (let n = all.length - 1; n > 0; n--) {
    const m = crypto.randomInt(n + 1);
    [all[n], all[m]] = [all[m]!, all[n]!];
  }
  return all.join("");
}

function textProblems(i: any): Record<string, string> {
  if (!Number.isInteger(i.length) || i.length < 1) return { length: "must be a whole number of at least 1" };
  if (i.minLower + i.minUpper + i.minNumeric + i.minSpecial > i.length)
    return { length: "is less than minLower + minUpper + minNumeric + minSpecial" };
  if (!Object.values(alphabets(i)).join("")) return { lower: "one of lower, upper, numeric, special must be true" };
  return {};
}

const bytesOf = (b: Buffer): Record<string, string> => ({ base64: b.toString("base64"), hex: b.toString("hex") });
const countProblem =
  (key: string) =>
  (i: any): Record<string, string> =>
    Number.isInteger(i[key]) && i[key] >= 1 ? {} : { [key]: "must be a whole number of at least 1" };

export const RANDOM: Record<string, Kind> = {
  "random:index/randomPassword:RandomPassword": {
    inputs: TEXT,
    secretOutputs: ["result", "bcryptHash"],
    problems: textProblems,
    // No bcrypt hash: Node has no bcrypt, and the stack does not read the hash.
    create: async (i) => ({ id: "none", outputs: { result: text(i) } }),
    adopt: (id) => ({ id: "none", inputs: { length: id.length }, outputs: { result: id } }),
  },
  "random:index/randomString:RandomString": {
    inputs: TEXT,
    problems: textProblems,
    create: async (i) => {
      const result = text(i);
      return { id: result, outputs: { result } };
    },
    adopt: (id) => ({ id, inputs: { length: id.length }, outputs: { result: id } }),
  },
  "random:index/randomBytes:RandomBytes": {
    inputs: { length: undefined, keepers: undefined },
    secretOutputs: ["base64", "hex"],
    problems: countProblem("length"),
    // As with the real provider, the id is the value, and ids are never encrypted: this reveals a secret of this type.
    create: async (i) => {
      const b = crypto.randomBytes(i.length);
      return { id: b.toString("base64"), outputs: bytesOf(b) };
    },
    adopt: (id) => {
      const b = Buffer.from(id, "base64");
      return { id, inputs: { length: b.length }, outputs: bytesOf(b) };
    },
  },
  "random:index/randomId:RandomId": {
    inputs: { byteLength: undefined, keepers: undefined, prefix: undefined },
    problems: countProblem("byteLength"),
    create: async (i) => {
      const b = crypto.randomBytes(i.byteLength),
        p = i.prefix ?? "",
        url = b.toString("base64url");
      return {
        id: url,
        outputs: {
          b64Std: p + b.toString("base64"),
          b64Url: p + url,
          hex: p + b.toString("hex"),
          dec: p + BigInt(`0x${b.toString("hex")}`).toString(),
        },
      };
    },
  },
};
