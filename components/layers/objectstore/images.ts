/** Images of this layer. Each tag is an exact version; a digest pins it to one content. Pure. */
import { images } from "../../core/images";

export const IMAGES = images({
  minio: {
    repository: "localhost/matrix-ha/minio",
    tag: "20260212",
    source: "lab/images/recipes/minio: built from github.com/minio/minio (Docker Hub's images ended in September 2026)",
  },
  mc: {
    repository: "localhost/matrix-ha/mc",
    tag: "20250313",
    source: "lab/images/recipes/mc: built from github.com/minio/mc",
  },
});
