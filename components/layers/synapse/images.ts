/** Images of this layer. Each tag is an exact version; a digest pins it to one content. Pure. */
import { images } from "../../core/images";

export const IMAGES = images({
  synapse: {
    repository: "localhost/matrix-ha/synapse",
    tag: "1.163.2",
    source: "lab/images/recipes/synapse: matrix-synapse 1.163.2 and synapse-s3-storage-provider 1.7.0 of PyPI",
  },
});
