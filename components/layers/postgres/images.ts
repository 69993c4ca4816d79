/** Images of this layer. Each tag is an exact version; a digest pins it to one content. Pure. */
import { images } from "../../core/images";

export const IMAGES = images({
  postgresql: {
    repository: "ghcr.io/cloudnative-pg/postgresql",
    tag: "18.6-standard-trixie",
    source: "cloudnative-pg/postgres-containers",
  },
  pgbouncer: {
    repository: "ghcr.io/cloudnative-pg/pgbouncer",
    tag: "1.26.1",
    source: "cloudnative-pg/pgbouncer-containers",
  },
});
