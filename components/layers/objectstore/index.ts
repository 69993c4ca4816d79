export { ObjectStore, type Bucket, type ObjectStoreArgs } from "./ObjectStore";
export { objectStoreEdges } from "./edges";
export { BACKUP_BUCKET, MEDIA_BUCKET } from "./provision";
