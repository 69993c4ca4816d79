/** Where Synapse's pods find their files. Pure. */
export const MOUNTS = {
  shared: "/conf/shared", class: "/conf/class", secrets: "/secrets", email: "/conf/email", data: "/data", tmp: "/tmp",
} as const;

/** Files of the shared ConfigMap. */
export const SHARED_FILES = { homeserver: "homeserver.yaml", log: "log.yaml", wait: "wait.py", trim: "trim.py", check: "check.py" } as const;
/** The one file of a class's ConfigMap. */
export const CLASS_FILE = "class.yaml";
export const EMAIL_FILE = "email.yaml";

/** Keys of the Secret that is mounted at MOUNTS.secrets. */
export const SECRET_FILES = {
  signingKey: "signing.key", macaroon: "macaroon-secret-key", form: "form-secret", registration: "registration-shared-secret",
  replication: "worker-replication-secret", turn: "turn-shared-secret", redis: "redis-password",
} as const;
export const oidcSecretFile = (id: string): string => `oidc-${id.replace(/[^A-Za-z0-9._-]/g, "-")}`;
