/**
 * heisenbridge beside a matrix-ha stack, in a namespace of its own: it reads its registration from that stack's outputs
 * and lets through what it needs, nothing else. README.md has every command.
 */
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { bridge } from "./bridge";

const config = new pulumi.Config("matrix-ha-heisenbridge");
const made = bridge({
  stack: config.require("homeserverStack"),
  id: config.get("id") ?? "heisenbridge",
  image: config.get("image") ?? "hif1/heisenbridge:1.15.4",
  owner: config.get("owner") || undefined,
  provider: new k8s.Provider("kubernetes"),
});

export const namespace = made.namespace;
export const service = made.service;
