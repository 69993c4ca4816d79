/** Settings about the origin of images. Pure. */

import { objectName, section, text, recordOf } from "../../schema/fields";
import { parseImage } from "../../schema/syntax/text";

/** The section `images`. @param keys Keys of all layers' images */
export const imageSettings = (keys: readonly string[]) => ({
  images: section(
    {
      mirror: text(
        {
          doc: "Registry, with an optional path, that holds a copy of every image. `npm run render` writes the list of images to copy, images.txt.",
          allowed: "registry[:port][/path], in lower case, without https://",
        },
        (v) => /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)*\/?$/.test(v),
        "registry.example.com",
      ).optional(),
      pullSecret: objectName(
        "Name of a Secret of type kubernetes.io/dockerconfigjson. You create it in every namespace of the stack.",
      ).optional(),
      overrides: section(
        recordOf(keys, (key) =>
          text(
            {
              doc: `Reference that replaces the image of ${key}.`,
              allowed: "repository:tag, optionally with @sha256:...; the tag must not be `latest`",
              remedy: "name an exact version: a moving tag changes what runs without any change here",
            },
            (v) => {
              const ref = parseImage(v);
              return ref?.tag !== undefined && ref.tag !== "latest";
            },
            "example:1",
          ).optional(),
        ),
        { doc: "Images that replace the default ones, by their keys." },
      ).prefault({}),
    },
    { doc: "Where images come from." },
  ).prefault({}),
});
