/** What users may do, and what that needs. */
import type { CheckInput } from "../../core/layer";
import type { WorkerClass } from "../../domain/workerClasses";

export function checkHomeserver(given: CheckInput): void {
  checkRegistration(given);
  checkSso(given);
  checkRest(given);
  checkPools(given);
}

function checkRegistration({ settings, report }: CheckInput): void {
  const { registration, emailSmtp } = settings;
  const protectedByProof = registration.requireEmail || registration.requireToken;
  if (registration.enabled && !protectedByProof && !registration.allowOpen) {
    report.add({
      path: "registration.enabled",
      given: "true, with neither requireEmail nor requireToken",
      allowed:
        "registration that asks for an e-mail address or a token: open servers are found by scanners and filled with spam accounts within days, and other servers then block yours",
      remedy:
        "set registration.requireToken: true (or requireEmail: true with emailSmtp); or registration.allowOpen: true if you know what you do, for example in a closed network",
    });
  }
  if (registration.enabled && registration.requireEmail && !emailSmtp) {
    report.add(
      {
        path: "registration.requireEmail",
        given: "true, without emailSmtp",
        allowed: "true only where e-mail can be sent",
        remedy: "fill in emailSmtp, or use registration.requireToken",
      },
      ["emailSmtp"],
    );
  }
  if (registration.allowOpen && protectedByProof) {
    report.add({
      path: "registration.allowOpen",
      given: "true, with requireEmail or requireToken",
      allowed: "one or the other",
      remedy: "remove registration.allowOpen",
    });
  }
  if (emailSmtp && (emailSmtp.user === undefined) !== (emailSmtp.password === undefined)) {
    const missing = emailSmtp.user === undefined ? "user" : "password";
    report.add({
      path: `emailSmtp.${missing}`,
      given: "nothing",
      allowed: "user and password, or neither",
      remedy: `add emailSmtp.${missing}`,
    });
  }
}

function checkSso({ settings, report }: CheckInput): void {
  const { sso } = settings;
  if (!sso) return;
  sso.oidc.forEach((provider, i) => {
    const first = sso.oidc.findIndex((other) => other.id === provider.id);
    if (first < i)
      report.add(
        {
          path: `sso.oidc[${i}].id`,
          given: `"${provider.id}", as sso.oidc[${first}] is`,
          allowed: "an id of its own for each provider",
          remedy: "rename the newer one: users' links hang on the id",
        },
        [`sso.oidc[${first}].id`],
      );
    if (!provider.scopes.includes("openid"))
      report.add({
        path: `sso.oidc[${i}].scopes`,
        given: provider.scopes.join(", ") || "an empty list",
        allowed: "a list with openid: without it the provider answers as plain OAuth",
        remedy: "add openid, or leave scopes out",
      });
  });
  if (!sso.passwordLogin && sso.oidc.length === 0) {
    report.add(
      {
        path: "sso.passwordLogin",
        given: "false, without any provider in sso.oidc",
        allowed: "false only where a provider is left to log in with",
        remedy: "add a provider to sso.oidc, or leave passwordLogin true",
      },
      ["sso.oidc"],
    );
  }
}

function checkRest({ settings, report }: CheckInput): void {
  const { federation, media, retention, serverName, hostnames } = settings;
  if (federation.domainAllowList && !federation.enabled) {
    report.add({
      path: "federation.domainAllowList",
      given: `${federation.domainAllowList.length} servers, while federation.enabled is false`,
      allowed: "a list only where federation is on",
      remedy: "set federation.enabled: true, or remove the list",
    });
  }
  federation.domainAllowList?.forEach((name, i) => {
    if (name === serverName)
      report.add(
        {
          path: `federation.domainAllowList[${i}]`,
          given: `"${name}", this server itself`,
          allowed: "other servers",
          remedy: "remove it",
        },
        ["serverName", "domain"],
      );
  });
  if (retention && media.localRetentionDays !== undefined && media.localRetentionDays < retention.maxLifetimeDays) {
    report.add(
      {
        path: "media.localRetentionDays",
        given: `${media.localRetentionDays}, while messages are kept ${retention.maxLifetimeDays} days (retention.maxLifetimeDays)`,
        allowed: "at least as long as the messages that show the media",
        remedy: `set it to ${retention.maxLifetimeDays} or more, or to 0`,
      },
      ["retention"],
    );
  }
  for (const name of ["web", "admin", "rtc"] as const) {
    if (hostnames[name] === serverName)
      report.add(
        {
          path: `hostnames.${name}`,
          given: `"${hostnames[name]}", the server name`,
          allowed: "another name: /.well-known/matrix is served at the server name",
          remedy: `use ${name === "web" ? "chat" : name}.${settings.domain}`,
        },
        ["serverName", "domain"],
      );
  }
}

/** Classes that Synapse allows one process of, and why. */
const SINGLETONS: Partial<Record<WorkerClass, string>> = {
  main: "there is one main process by design",
  ephemeral: "it writes typing notifications",
  presence: "it writes presence",
  "to-device": "it writes to-device messages",
  account: "it writes account data and push rules",
  background: "run_background_tasks_on names one process",
  "user-directory": "update_user_directory_from_worker names one process",
};

function checkPools({ settings, report }: CheckInput): void {
  for (const [cls, pool] of Object.entries(settings.overrides.pools)) {
    const why = SINGLETONS[cls as WorkerClass];
    for (const key of ["replicas", "maxReplicas"] as const) {
      const n = pool[key];
      if (why && n !== undefined && n > 1) {
        report.add({
          path: `overrides.pools.${cls}.${key}`,
          given: String(n),
          allowed: `1: Synapse refuses a second process of this class (${why})`,
          remedy: "leave it out; give the one process more cpu and memoryMiB instead",
        });
      }
    }
    if (pool.replicas !== undefined && pool.maxReplicas !== undefined && pool.maxReplicas < pool.replicas) {
      report.add(
        {
          path: `overrides.pools.${cls}.maxReplicas`,
          given: String(pool.maxReplicas),
          allowed: `at least replicas (${pool.replicas})`,
          remedy: "raise maxReplicas or lower replicas",
        },
        [`overrides.pools.${cls}.replicas`],
      );
    }
  }
}
