export { PostgresCluster, type PostgresClusterArgs } from "./PostgresCluster";
export { postgresEdges } from "./edges";
export { type BackupTarget } from "./backups";
export { DATABASE, INSTANCE_LABELS, INSTANCE_PORTS } from "./cnpgCluster";
export { POOLER_LABELS } from "./pooler";
