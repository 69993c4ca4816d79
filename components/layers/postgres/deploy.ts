/** How the layer is made, with what it gets from the layers before it. */
import type { Resource } from "@pulumi/pulumi";
import { AUTHORITIES_FILE } from "../../core/authorities";
import type { Building } from "../../core/layer";
import { PostgresCluster } from "./PostgresCluster";
import { ClusterFoundation } from "../cluster/ClusterFoundation";
import { ObjectStore } from "../objectstore/ObjectStore";

export function deploy({ ctx, secrets, get, after }: Building): Resource[] {
  const cluster = get(ClusterFoundation);
  const objects = get(ObjectStore);
  const backup = objects.backup && {
    ...objects.backup,
    accessKeyKey: "accessKey",
    secretKeyKey: "secretKey",
    ...(objects.backup.withAuthorities
      ? { endpointCa: { name: objects.backup.secretName, key: AUTHORITIES_FILE } }
      : {}),
  };
  const operators = [cluster.ready("cloudnative-pg"), cluster.ready("plugin-barman-cloud")];
  return [new PostgresCluster("postgres", { ctx, secrets, backup }, after(...operators, objects.ready))];
}
