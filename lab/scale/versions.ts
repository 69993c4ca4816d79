/** Versions of what test:scale runs. */
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT } from "../common/folders";
import { described, findParts } from "../engine/parts";

/** Of a module in a go.mod of the lab. */
const module = (file: string, name: string): string =>
  new RegExp(`^\\s*(?:require )?${name} (\\S+)`, "m").exec(fs.readFileSync(path.join(ROOT, "lab", file), "utf8"))![1]!;

export const versions = (): Record<string, string> => ({
  Kubernetes: module("cluster/src/go.mod", "k8s.io/kubernetes"),
  etcd: module("cluster/src/go.mod", "go.etcd.io/etcd/server/v3"),
  KWOK: module("scale/src/go.mod", "sigs.k8s.io/kwok"),
  "Pulumi's parts": described(findParts()),
  Node: process.version,
});
