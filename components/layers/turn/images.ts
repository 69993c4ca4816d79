/** Images of this layer. Each tag is an exact version; a digest pins it to one content. Pure. */
import { images } from "../../core/images";

export const IMAGES = images({
  coturn: {
    repository: "docker.io/coturn/coturn",
    tag: "4.17.0-r0-debian",
    source: "docker/coturn/README.md of coturn/coturn",
  },
});
