/** PostgreSQL and its programs from the image: its root file system read-only, a data folder at /mnt. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { capture } from "../capture";
import type { Network } from "./network";
import { rootfsOf } from "./programs";

export const PG = "/usr/lib/postgresql/18/bin";
/** User of the image's PostgreSQL. */
export const UID = 26;

/** Shell lines that execute `argv` in an image, with `dir`/data at /mnt. */
export const inImage = (image: string, dir: string, argv: string[], uid: number): string =>
  `mkdir -p ${dir}/root; mount --bind ${rootfsOf(image)} ${dir}/root; mount -o remount,bind,ro ${dir}/root; mount --bind ${dir}/data ${dir}/root/mnt; mount -t tmpfs t ${dir}/root/tmp; mount -t tmpfs -o mode=1777 t ${dir}/root/dev; : > ${dir}/root/dev/null; mount --bind /dev/null ${dir}/root/dev/null; : > ${dir}/root/dev/urandom; mount --bind /dev/urandom ${dir}/root/dev/urandom; mkdir -m 1777 ${dir}/root/dev/shm; exec env -i PATH=${PG}:/usr/sbin:/usr/bin:/bin LANG=C.UTF-8 chroot --userspec=${uid}:${uid} ${dir}/root ${argv.join(" ")}`;

/** Runs a program of the image on a data folder's parent until it ends. */
export function runOn(net: Network, dir: string, argv: string): void {
  execFileSync(
    "unshare",
    [
      "--mount",
      "bash",
      "-c",
      `mkdir -p ${net.dir}/r; mount --bind ${rootfsOf("postgresql")} ${net.dir}/r; mount --bind ${dir} ${net.dir}/r/mnt; exec chroot --userspec=${UID}:${UID} ${net.dir}/r ${PG}/${argv}`,
    ],
    { stdio: "pipe" },
  );
}

/** A new database in `dir`/data that accepts every client, replication included; returns the folder. */
export function initDatabase(net: Network, dir: string): string {
  fs.mkdirSync(dir);
  fs.chownSync(dir, UID, UID);
  runOn(net, dir, "initdb -D /mnt/data -U postgres --encoding=UTF8 --locale=C --auth=trust --data-checksums");
  const data = path.join(dir, "data");
  fs.appendFileSync(
    path.join(data, "postgresql.conf"),
    "\nlisten_addresses = '*'\nunix_socket_directories = '/tmp'\nport = 5432\n",
  );
  fs.appendFileSync(path.join(data, "pg_hba.conf"), "\nhost all,replication all 0.0.0.0/0 trust\n");
  return data;
}

export interface Database {
  host: string;
  port: number;
  name: string;
  /** Default: the superuser. */ user?: string;
}

export async function query(
  net: Network,
  { host, port, name, user = "postgres" }: Database,
  sql: string,
): Promise<string> {
  const r = await capture("unshare", [
    "--mount",
    "bash",
    "-c",
    `mkdir -p ${net.dir}/r; mount --bind ${rootfsOf("postgresql")} ${net.dir}/r; exec chroot ${net.dir}/r ${PG}/psql -X -At -F '|' -h ${host} -p ${port} -U ${user} -d ${name} -c "$0"`,
    sql,
  ]);
  if (r.status !== 0) throw new Error(r.stderr);
  return r.stdout.trim();
}
