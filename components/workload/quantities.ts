/** Kubernetes quantities, made in one place. Pure. */
export const milliCpu = (cores: number): string => `${Math.max(1, Math.round(cores * 1000))}m`;
export const mebi = (mib: number): string => `${Math.round(mib)}Mi`;
export const gibi = (gib: number): string => `${Math.ceil(gib)}Gi`;
