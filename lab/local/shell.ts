/** `npm run local -- shell`: in a pod or on a node; or in a helper container, if the pod's image has no shell. */
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { IMAGES } from "../../components/layers/registry";
import type { Request } from "./arguments";
import { ENV, getItems, interactive, KUBECTL, requireCluster } from "./kubectl";
import { sshArguments, sshNodes } from "./nodes";
import { mainContainer, onePod, podsOf } from "./select";

const SHELLS = ["bash", "sh"];

/** Image of a helper container: has shell, curl, nc and ps where the lab's images are, otherwise busybox. */
const helperImage = (container: any): string =>
  String(container.image).startsWith("localhost/matrix-ha/")
    ? "localhost/matrix-ha/base:1"
    : `${IMAGES.busybox.repository}:${IMAGES.busybox.tag}`;

/**
 * The helper runs as the container's own user: Pod Security does not allow root, and only this user may inspect the
 * container's processes.
 */
export function helperProfile(pod: any, container: any): any {
  const context = { ...pod.spec.securityContext, ...container.securityContext };
  return {
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
      ...(context.runAsUser === undefined
        ? {}
        : {
            runAsNonRoot: context.runAsUser !== 0,
            runAsUser: context.runAsUser,
            runAsGroup: context.runAsGroup ?? context.runAsUser,
          }),
    },
  };
}

export async function shell(request: Request): Promise<number> {
  requireCluster();
  const [word, ...command] = request.words as [string, ...string[]];
  const terminal = Boolean(process.stdin.isTTY && process.stdout.isTTY);
  if (sshNodes().has(word)) return interactive("ssh", sshArguments(word, command, terminal));
  const pod = onePod(podsOf(getItems("pods", "-A"), word));
  const container = mainContainer(pod);
  const { name, namespace } = pod.metadata;
  const where = ["-n", namespace, "exec", name, "-c", container.name];
  if (request.helper) return helper(pod, container, command, terminal);
  const probe = (program: string): { ok: boolean; absent: boolean; text: string } => {
    const done = spawnSync(KUBECTL, [...where, "--", program, "-c", ":"], { env: ENV, encoding: "utf8" });
    return {
      ok: done.status === 0,
      absent: /executable file not found|no such file or directory|not found in \$PATH/i.test(done.stderr ?? ""),
      text: (done.stderr ?? "").trim(),
    };
  };
  if (command.length)
    return interactive(KUBECTL, [
      ...where,
      ...(terminal ? ["-it"] : process.stdin.isTTY ? [] : ["-i"]),
      "--",
      ...command,
    ]);
  let last = "";
  for (const program of SHELLS) {
    const p = probe(program);
    if (p.ok) {
      console.error(`${namespace}/${name}, container ${container.name} on ${pod.spec.nodeName}`);
      return interactive(KUBECTL, [...where, terminal ? "-it" : "-i", "--", program]);
    }
    if (!p.absent) throw new Error(`${namespace}/${name}: ${p.text}`);
    last = p.text;
  }
  console.error(`The image of ${namespace}/${name} (${container.image}) has no shell${last ? "" : " that answers"}.
  a helper container beside it, in its network and process namespaces, as its user:
      npm run local -- shell --helper ${word}
  The container's files are then under /proc/1/root. A helper stays listed in the pod until the pod is replaced.`);
  return 1;
}

function helper(pod: any, container: any, command: string[], terminal: boolean): number {
  const { name, namespace } = pod.metadata;
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "matrix-ha-helper-"));
  try {
    const profile = path.join(dir, "profile.json");
    fs.writeFileSync(profile, JSON.stringify(helperProfile(pod, container)));
    console.error(
      `helper beside ${namespace}/${name}, container ${container.name} on ${pod.spec.nodeName}; its files: /proc/1/root`,
    );
    return interactive(KUBECTL, [
      "-n",
      namespace,
      "debug",
      name,
      `--image=${helperImage(container)}`,
      "--image-pull-policy=IfNotPresent",
      `--target=${container.name}`,
      "--profile=general",
      `--custom=${profile}`,
      "--quiet",
      ...(terminal ? ["-it"] : ["-i", "--attach"]),
      "--",
      ...(command.length ? command : ["sh"]),
    ]);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
