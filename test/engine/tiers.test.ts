/** Every generated secret of each stack file, made by the engine without a cluster: none is in the state in clear. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { readStackConfig, stackNames } from "../../components/settings/stackFile";
import { engineEnvironment } from "../../lab/engine/home";
import { provideParts } from "../../lab/engine/parts";
import { ROOT } from "../../lab/common/folders";
import { projectFolder } from "../../lab/local/engine";
import { measured } from "../../lab/proof/measured";
import { leaks, secretsIn } from "./helpers/secretsOf";

/** What generates, and the components that it is in; nothing that asks for a cluster. */
const TARGETS = [
  "**MatrixStack::matrix",
  "**StackSecrets::secrets",
  "**StackSecrets$random:**",
  "**ClusterFoundation::cluster",
  "**TlsMaterial::cluster-tls",
  "**TlsMaterial$tls:**",
].flatMap((t) => ["--target", t]);

describe("generated secrets of every size", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-tiers-"));
  after(() => fs.rmSync(dir, { recursive: true, force: true }));
  let env: NodeJS.ProcessEnv;
  before(() => {
    fs.mkdirSync(path.join(dir, "state"));
    fs.writeFileSync(path.join(dir, "passphrase"), "tiers", { mode: 0o600 });
    env = {
      ...process.env,
      ...engineEnvironment(path.join(dir, "home"), provideParts()),
      PULUMI_BACKEND_URL: `file://${dir}/state`,
      PULUMI_CONFIG_PASSPHRASE_FILE: path.join(dir, "passphrase"),
      PULUMI_DEBUG_COMMANDS: "true",
      KUBECONFIG: path.join(dir, "none"),
    };
  });

  for (const stack of stackNames(ROOT)) {
    it(`Pulumi.${stack}.yaml`, () => {
      const project = path.join(dir, stack),
        config = readStackConfig(stack, ROOT);
      const pulumi = (...args: string[]): string => {
        const done = spawnSync("pulumi", [...args, "--non-interactive"], {
          cwd: project,
          env,
          encoding: "utf8",
          maxBuffer: 1 << 28,
        });
        assert.equal(done.status, 0, `pulumi ${args.join(" ")}: ${done.stdout}\n${done.stderr}`.slice(-3000));
        return done.stdout + done.stderr;
      };
      projectFolder(config, project, stack, env);
      pulumi("stack", "init", stack, "--secrets-provider", "passphrase");
      projectFolder(config, project, stack, env);
      const events = path.join(dir, `${stack}.json`);
      const console = pulumi("up", "--yes", "--skip-preview", ...TARGETS, "--event-log", events);
      const secrets = secretsIn(pulumi("stack", "export", "--show-secrets")),
        urns = new Set(secrets.map((s) => s.of));
      measured(`${urns.size} resources with secrets`);
      assert.ok(urns.has("secrets-signing-key") && urns.size >= 14, [...urns].join(", "));
      const texts: Array<[string, string]> = [
        ["console", console],
        ["events", fs.readFileSync(events, "utf8")],
        ["state", pulumi("stack", "export")],
        ["ids", pulumi("stack", "--show-ids", "--show-urns")],
        ["diff", pulumi("preview", "--diff", ...TARGETS)],
      ];
      assert.deepEqual(leaks(secrets, texts), []);
    });
  }
});
