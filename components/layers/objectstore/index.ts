export { ObjectStore, type Bucket, type ObjectStoreArgs } from "./ObjectStore";
export { objectStoreEdges } from "./edges";
export { POOL_NODES, minioLayout, minioPools, type Layout, type LayoutInput } from "../../domain/minioLayout";
export { BACKUP_BUCKET, MEDIA_BUCKET } from "./provision";
