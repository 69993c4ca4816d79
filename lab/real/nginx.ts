/** The pinned nginx in its own root file system. */
import { rootfsOf } from "./programs";

/**
 * A command that becomes nginx with these arguments. A folder has the same path inside as outside, and can be written.
 */
export function nginxIn(dir: string, ...args: string[]): [command: string, args: string[]] {
  const script = [
    "set -e",
    `mkdir -p ${dir}/root ${dir}/skeleton${dir}`,
    `mount -t overlay nginx -o lowerdir=${dir}/skeleton:${rootfsOf("nginx")} ${dir}/root`,
    `mount --bind ${dir} ${dir}/root${dir}`,
    `mount -t tmpfs dev ${dir}/root/dev`,
    `: > ${dir}/root/dev/null`,
    `mount --bind /dev/null ${dir}/root/dev/null`,
    `exec chroot ${dir}/root nginx "$@"`,
  ].join("; ");
  return ["unshare", ["--mount", "bash", "-c", script, "nginx", ...args]];
}

/** The same with `nginx.conf` of the folder, and its errors in `error.log` there. */
export const nginxWithConf = (dir: string): [command: string, args: string[]] =>
  nginxIn(dir, "-e", `${dir}/error.log`, "-c", `${dir}/nginx.conf`);
