/** Builds the layer from what the layers before it provide. */
import type { Resource } from "@pulumi/pulumi";
import type { Building } from "../../core/layer";
import { Replacer } from "./Replacer";
import { SynapseServer } from "./SynapseServer";
import { turnUris } from "../../domain/turnUris";
import { ObjectStore } from "../objectstore/ObjectStore";
import { PostgresCluster } from "../postgres/PostgresCluster";
import { RedisSentinel } from "../redis/RedisSentinel";

export function deploy({ ctx, secrets, get, after }: Building): Resource[] {
  const objects = get(ObjectStore);
  const postgres = get(PostgresCluster);
  const args = { ctx, secrets, s3: objects.media, databaseSecretName: postgres.databaseSecretName };
  return [
    new SynapseServer(
      "synapse",
      { ...args, turnUris: turnUris(ctx.settings) },
      after(postgres.ready, get(RedisSentinel).ready, objects.ready),
    ),
    new Replacer("synapse-replacer", { ctx }, after()),
  ];
}
