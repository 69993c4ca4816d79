/** Images of this layer. Each tag is an exact version; a digest pins it to one content. Pure. */
import { images } from "../../core/images";

export const IMAGES = images({
  nginx: {
    repository: "docker.io/nginxinc/nginx-unprivileged",
    tag: "1.30.6",
    source: "nginxinc/docker-nginx-unprivileged",
  },
  elementWeb: {
    repository: "docker.io/vectorim/element-web",
    tag: "v1.12.32",
    source: "getumbrel/umbrel-apps element/docker-compose.yml; element-hq/element-web",
  },
  admin: {
    repository: "ghcr.io/etkecc/ketesa",
    tag: "v1.5.0",
    source: "etkecc/ketesa (formerly Synapse Admin), docker/Dockerfile: files in /var/public",
  },
});
