/** The recipe of an image with the Python packages of a stack's modules. */
import assert from "node:assert/strict";
import { parseImagesArgs } from "../../lab/images";
import { modulesImage, modulesImageText, settingsBefore } from "../../lab/images/modules/containerfile";
import type { SettingsInvalid } from "../../components/core/errors";
import { resolveSettings } from "../../components/settings";
import { minimal } from "../helpers/example";

const BASE = "localhost/matrix-ha/synapse:1.163.2";
const HASH = `--hash=sha256:${"c".repeat(64)}`;
const stack = (...packages: string[]): Record<string, unknown> => ({
  ...minimal(),
  synapse: { modules: [{ module: "ldap_auth_provider.LdapAuthProviderModule", packages }, { module: "a.b.C" }] },
});

describe("npm run images -- synapse", () => {
  it("writes a recipe that installs the listed packages, nothing else, and loads the modules that need them", () => {
    const { files, tag } = modulesImage(
      settingsBefore(stack("matrix-synapse-ldap3==0.4.0", "ldap3==2.9.1"), "t"),
      BASE,
    )!;
    assert.deepEqual(Object.keys(files), ["Containerfile", "requirements.txt"]);
    assert.equal(files["requirements.txt"], "ldap3==2.9.1\nmatrix-synapse-ldap3==0.4.0\n");
    const recipe = files.Containerfile!;
    assert.match(recipe, /^FROM localhost\/matrix-ha\/synapse:1\.163\.2 AS packages$/m);
    assert.match(
      recipe,
      /pip install --no-cache-dir --no-deps --target \/opt\/synapse-modules -r \/requirements\.txt$/m,
    );
    assert.match(recipe, /python -c "from ldap_auth_provider import LdapAuthProviderModule"$/m);
    assert.match(recipe, /\.write\('\/opt\/synapse-modules\\n'\)/);
    // Sha-256 of the two lines.
    assert.equal(tag, "1.163.2-modules-e73ebe54ec");
  });

  it("with hashes pip checks every file", () => {
    const { files } = modulesImage(settingsBefore(stack(`ldap3==2.9.1 ${HASH}`), "t"), BASE)!;
    assert.match(files.Containerfile!, /--no-deps --require-hashes --target/);
    assert.equal(files["requirements.txt"], `ldap3==2.9.1 ${HASH}\n`);
  });

  it("prints the setting with which the stack is accepted", () => {
    const config = stack("ldap3==2.9.1");
    const text = modulesImageText(modulesImage(settingsBefore(config, "t"), BASE)!, "out");
    const [, synapse] = /^ {6}synapse: (\S+)$/m.exec(text)!;
    assert.deepEqual(resolveSettings({ ...config, images: { overrides: { synapse } } }, "t").errors, []);
    assert.ok(text.includes(`podman build -t ${synapse} out\n`) && text.includes(`podman push ${synapse}\n`));
  });

  it("needs no packages where the modules have none, and reports every other error", () => {
    assert.equal(modulesImage(settingsBefore(stack(), "t"), BASE), undefined);
    assert.throws(
      () => settingsBefore({ ...stack("ldap3==2.9.1"), ccu: 0 }, "t"),
      (error: SettingsInvalid) => error.errors.map((e) => e.path).join() === "ccu",
    );
  });

  it("asks for the stack", () => {
    assert.throws(() => parseImagesArgs(["synapse"]), /needs the stack/);
    assert.throws(() => parseImagesArgs(["list", "--stack", "a"]), /--stack goes with synapse, not with list/);
    assert.throws(() => parseImagesArgs(["synapse", "x", "--stack", "a"]), /takes no names/);
    assert.equal(parseImagesArgs(["synapse", "--stack", "a", "--out", "b"]).out, "b");
  });
});
