/** How the layer is made, with what it gets from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { HaproxyRouter } from "./HaproxyRouter";

export const deploy = ({ ctx, after }: Building): Resource[] => [new HaproxyRouter("router", { ctx }, after())];
