/** Where Synapse's pods find their files. Pure. */

/** Folders by what is mounted there. */
export const MOUNTS = {
  shared: "/conf/shared",
  class: "/conf/class",
  secrets: "/secrets",
  email: "/conf/email",
  extra: "/conf/extra",
  /** Only where there are `appservices`. */
  appservices: "/conf/appservices",
  /** Only where there are `terms`. */
  terms: "/conf/terms",
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
  only: "only_one.py",
  replace: "replace_lost.py",
  /** Only in a data centre among others. */
  centre: "one_centre.py",
  check: "check.py",
  reasons: "reasons.py",
  /** Only where there are `appservices`. */
  appservices: "appservice_queue.py",
  /** Only with `ldap`. */
  ldap: "ldap_login.py",
  /** Only where there are `trustedAuthorities`. */
  authorities: "authorities.crt",
} as const;
/**
 * Python's name of what a file of the shared ConfigMap defines; `log.yaml` and `homeserver.yaml` use it.
 * @example pythonName("lost_events.py", "EndWhenLost") gives "lost_events.EndWhenLost"
 */
export const pythonName = (file: string, defined: string): string => `${file.replace(/[.]py$/, "")}.${defined}`;
/** The one file of a class's ConfigMap. */
export const CLASS_FILE = "class.yaml";
/** The one file of the Secret for e-mail, passwords and LDAP. */
export const EMAIL_FILE = "email.yaml";

/** The one file of a class's Secret for `synapse.extra` and `synapse.modules`. */
export const EXTRA_FILE = "extra.yaml";

/** Keys of the Secret that is mounted at MOUNTS.secrets. */
export const SECRET_FILES = {
  signingKey: "signing.key",
  macaroon: "macaroon-secret-key",
  form: "form-secret",
  registration: "registration-shared-secret",
  replication: "worker-replication-secret",
  turn: "turn-shared-secret",
  redis: "redis-password",
  /** Only where registration asks for a captcha. */
  captchaPublic: "recaptcha-public-key",
  captchaPrivate: "recaptcha-private-key",
} as const;
/** Key of a provider's client secret in that Secret. */
export const oidcSecretFile = (id: string): string => `oidc-${id.replace(/[^A-Za-z0-9._-]/g, "-")}`;
