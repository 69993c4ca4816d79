/** Where images come from. Pure. */
import { objectName, section, text, recordOf } from "../../schema/fields";
import { parseImage } from "../../schema/syntax/text";

/** @param keys Of all layers' images. */
export const imageSettings = (keys: readonly string[]) => ({
  images: section(
    {
      mirror: text(
        {
          doc: "Registry, and path in it, that holds a copy of every image. `npm run render` writes images.txt, the list to copy.",
          allowed: "registry[:port][/path], without https://",
        },
        (v) => /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)*\/?$/.test(v),
        "registry.example.com",
      ).optional(),
      pullSecret: objectName(
        "Secret of type kubernetes.io/dockerconfigjson, in every namespace of the stack.",
      ).optional(),
      overrides: section(
        recordOf(keys, (key) =>
          text(
            {
              doc: `Reference in place of the image of ${key}.`,
              allowed: "repository:tag, perhaps with @sha256:..., the tag not `latest`",
              remedy: "name an exact version: a moving tag changes what runs without any change here",
            },
            (v) => {
              const ref = parseImage(v);
              return ref?.tag !== undefined && ref.tag !== "latest";
            },
            "example:1",
          ).optional(),
        ),
        { doc: "Images in place of the table's, by its keys." },
      ).prefault({}),
    },
    { doc: "Where images come from." },
  ).prefault({}),
});
