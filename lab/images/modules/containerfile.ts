/** The recipe of an image of Synapse with the Python packages of modules, from a stack's settings. Pure. */
import { SettingsInvalid } from "../../../components/core/errors";
import { IMAGES } from "../../../components/layers/synapse/images";
import { imageSuffix, packagesOf } from "../../../components/layers/synapse/extra/image";
import { resolveSettings } from "../../../components/settings";
import { applySets } from "../../../components/settings/stackFile";
import type { Settings } from "../../../components/settings/types";

/** Where the packages are in the image: last in Python's path, so that they hide nothing of Synapse. */
const FOLDER = "/opt/synapse-modules";

/**
 * Nothing but the listed packages is installed: what a module depends on and the image lacks has to be on the list. The
 * last step loads each module, so that an image without one of them cannot be built.
 */
export function containerfile(base: string, modules: readonly string[], hashes: boolean): string {
  const classes = modules.map((name) => {
    const [, module, cls] = /^(.*)\.([^.]+)$/.exec(name)!;
    return `from ${module} import ${cls}`;
  });
  return `FROM ${base} AS packages
USER root
COPY requirements.txt /requirements.txt
RUN python -m venv /pip && /pip/bin/pip install --no-cache-dir --no-deps ${hashes ? "--require-hashes " : ""}--target ${FOLDER} -r /requirements.txt

FROM ${base}
USER root
COPY --from=packages ${FOLDER} ${FOLDER}
RUN python -c "import sysconfig; open(sysconfig.get_path('purelib') + '/synapse-modules.pth', 'w').write('${FOLDER}\\n')" && python -c "${classes.join("; ")}"
USER 991:991
`;
}

/** An image that has to be made. */
export interface ModulesImage {
  /** Its files by name. */
  files: Record<string, string>;
  /** Its tag. */
  tag: string;
  /** The image that it is made from. */
  base: string;
}

/** The image for the modules of a stack; undefined where they need no packages. @param base The image below it */
export function modulesImage(settings: Settings, base: string): ModulesImage | undefined {
  const packages = packagesOf(settings);
  if (packages.length === 0) return undefined;
  const withPackages = settings.synapse.modules.filter((m) => m.packages.length > 0).map((m) => m.module);
  const hashes = packages.every((line) => line.includes("--hash="));
  return {
    files: {
      Containerfile: containerfile(base, withPackages, hashes),
      "requirements.txt": `${packages.join("\n")}\n`,
    },
    tag: `${IMAGES.synapse.tag}${imageSuffix(packages)}`,
    base,
  };
}

/**
 * The settings of a stack whose image is not made yet: that error does not count.
 *
 * @throws SettingsInvalid with all others
 */
export function settingsBefore(config: Record<string, unknown>, stack: string): Settings {
  const { settings, errors } = resolveSettings(config, stack);
  if (settings) return settings;
  const at = `images.overrides.${IMAGES.synapse.key}`;
  const refused = errors.find((e) => e.path === at);
  const suffix = refused && /-modules-[0-9a-f]{10}/.exec(refused.allowed)?.[0];
  if (errors.length > 1 || suffix === undefined) throw new SettingsInvalid(errors.filter((e) => e.path !== at));
  return settingsBefore(applySets(config, [`${at}=localhost/not-made-yet:0${suffix}`]), stack);
}

/** What to do with the files. */
export const modulesImageText = ({ tag, base }: ModulesImage, dir: string): string =>
  `${dir}: Containerfile and requirements.txt of an image from ${base}. Where that image is in a registry of yours, give it
with --from. Build and push it, with your registry in place of registry.example.com/matrix-ha:

  podman build -t registry.example.com/matrix-ha/synapse:${tag} ${dir}
  podman push registry.example.com/matrix-ha/synapse:${tag}

(docker takes the same arguments.) Then, in Pulumi.STACK.yaml under config:

  matrix-ha:images:
    overrides:
      synapse: registry.example.com/matrix-ha/synapse:${tag}
`;
