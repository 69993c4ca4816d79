/** Makes the layer, with what it takes from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { Hosts } from "./Hosts";

export const deploy = (stack: Building): Resource[] => [new Hosts("hosts", { ctx: stack.ctx }, { parent: stack.self })];
