/** What a program in Go needs that calls servers outside: addresses, the proxy, private authorities. Pure. */
import { AUTHORITIES, goTrusts } from "../../../core/authorities";
import { digest } from "../../../core/workload/digest";
import { CONFIG_HASH } from "../../../core/workload/metadata";
import type { EnvValue, HostAlias } from "../../../core/workload/pod";
import type { Settings } from "../../../settings/types";
import { aliased } from "./hostAliases";
import { proxyEnv } from "./proxy";

/** Parts of a pod of an operator; all of them are empty where no setting asks for them. */
export interface CallsOut {
  pod: { hostAliases?: HostAlias[] };
  annotations: Record<string, string>;
  volumes: Array<{ name: string; configMap: { name: string; defaultMode: number } }>;
  env: Record<string, EnvValue>;
  mounts: Array<{ name: string; mountPath: string; readOnly: true }>;
}

const FOLDER = "/etc/matrix-ha/authorities";

export function callsOut(settings: Settings): CallsOut {
  const { trustedAuthorities } = settings;
  const trusts = trustedAuthorities !== undefined;
  return {
    pod: aliased(settings),
    // The authorities are read once, so other ones restart it.
    annotations: trusts ? { [CONFIG_HASH]: digest(trustedAuthorities) } : {},
    volumes: trusts ? [{ name: AUTHORITIES, configMap: { name: AUTHORITIES, defaultMode: 0o444 } }] : [],
    env: { ...proxyEnv(settings), ...(trusts ? goTrusts(FOLDER) : {}) },
    mounts: trusts ? [{ name: AUTHORITIES, mountPath: FOLDER, readOnly: true }] : [],
  };
}
