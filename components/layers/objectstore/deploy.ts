/** How the layer is made, with what it gets from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { ObjectStore } from "./ObjectStore";

export const deploy = ({ ctx, secrets, after }: Building): Resource[] => [
  new ObjectStore("objectstore", { ctx, secrets }, after()),
];
