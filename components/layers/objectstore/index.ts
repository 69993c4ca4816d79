export { ObjectStore, type Bucket, type ObjectStoreArgs } from "./ObjectStore";
export { objectStoreEdges } from "./edges";
export { BACKUP_BUCKET, BACKUP_USER, MEDIA_BUCKET, MEDIA_USER } from "./provision";
