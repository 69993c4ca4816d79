/** Images of this layer. Each tag is an exact version; a digest pins it to one content. Pure. */
import { images } from "../../core/images";

export const IMAGES = images({
  redis: { repository: "docker.io/library/redis", tag: "8.0.6", source: "docker-library/official-images" },
  redisExporter: {
    repository: "quay.io/oliver006/redis_exporter",
    tag: "v1.86.0",
    source: "oliver006/redis_exporter; Debian testing packages 1.86",
  },
  haproxy: { repository: "docker.io/library/haproxy", tag: "3.2.26", source: "docker-library/official-images" },
});
