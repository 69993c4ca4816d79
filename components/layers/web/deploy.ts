/** How the layer is made, with what it gets from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { Web } from "./Web";

export const deploy = ({ ctx, after }: Building): Resource[] => [new Web("web", { ctx }, after())];
