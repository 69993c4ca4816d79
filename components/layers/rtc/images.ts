/** Images of this layer. Each tag is an exact version; a digest pins it to one content. Pure. */
import { images } from "../../core/images";

export const IMAGES = images({
  livekit: { repository: "docker.io/livekit/livekit-server", tag: "v1.13.5", source: "tag v1.13.5 of livekit/livekit" },
  lkJwt: {
    repository: "ghcr.io/element-hq/lk-jwt-service",
    tag: "0.5.0",
    source: "tag v0.5.0 of element-hq/lk-jwt-service; its workflow tags images without the v",
  },
});
