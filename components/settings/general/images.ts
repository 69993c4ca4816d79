/** Settings about the origin of images. Pure. */

import { recordOf, secret, section, text } from "../../schema/fields";
import { isDnsName, parseImage } from "../../schema/syntax/text";

/** Name of the Secret that the stack makes from `images.dockerConfig`. */
export const PULL_SECRET = "matrix-ha-registry";

/** Whether a text has a login for some registry: a credential helper of somebody's computer is none. */
function isDockerConfig(text: string): boolean {
  try {
    const { auths } = JSON.parse(text) as { auths?: Record<string, { auth?: unknown; username?: unknown }> };
    const logins = Object.values(auths ?? {});
    return logins.length > 0 && logins.every((l) => typeof (l?.auth ?? l?.username) === "string");
  } catch {
    return false;
  }
}

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
      pullSecret: text(
        {
          doc: "Name of the Secret of type kubernetes.io/dockerconfigjson by which pods pull their images. Without `dockerConfig` you make it, in each namespace before that namespace's pods.",
          allowed: "a Kubernetes object name: lower-case letters, digits, '-' and '.'",
          defaultText: `${PULL_SECRET} with dockerConfig, else none`,
        },
        (v) => isDnsName(v),
      ).optional(),
      dockerConfig: secret(
        {
          doc: "Contents of a config.json with the login of a registry, as `docker login`, `podman login` or `skopeo login --authfile` write it. The stack makes the Secret `pullSecret` from it wherever its pods run, before they start.",
          allowed:
            'the contents of a config.json with the login itself in it: {"auths": {"registry.example.com": {"auth": "..."}}}',
          remedy:
            "skopeo login --authfile /tmp/auth.json REGISTRY && pulumi config set --secret --path 'matrix-ha:images.dockerConfig' < /tmp/auth.json && rm /tmp/auth.json",
        },
        isDockerConfig,
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
