/** Where Synapse's pods find their files. Pure. */
export const MOUNTS = {
  shared: "/conf/shared",
  class: "/conf/class",
  secrets: "/secrets",
  email: "/conf/email",
  data: "/data",
  tmp: "/tmp",
} as const;

/** Files of the shared ConfigMap. */
export const SHARED_FILES = {
  homeserver: "homeserver.yaml",
  log: "log.yaml",
  wait: "wait.py",
  trim: "trim.py",
  lost: "lost_events.py",
  sessions: "fresh_sessions.py",
  check: "check.py",
} as const;
/**
 * What a file of it defines, as Python names it: `log.yaml` and `homeserver.yaml` refer so to what lies beside them.
 */
export const pythonName = (file: string, defined: string): string => `${file.replace(/[.]py$/, "")}.${defined}`;
/** The one file of a class's ConfigMap. */
export const CLASS_FILE = "class.yaml";
export const EMAIL_FILE = "email.yaml";

/** Keys of the Secret that is mounted at MOUNTS.secrets. */
export const SECRET_FILES = {
  signingKey: "signing.key",
  macaroon: "macaroon-secret-key",
  form: "form-secret",
  registration: "registration-shared-secret",
  replication: "worker-replication-secret",
  turn: "turn-shared-secret",
  redis: "redis-password",
} as const;
export const oidcSecretFile = (id: string): string => `oidc-${id.replace(/[^A-Za-z0-9._-]/g, "-")}`;
