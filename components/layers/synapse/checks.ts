/** Checks across the homeserver's settings: what users may do, and what that needs. Pure. */
import type { CheckInput } from "../../core/layer";
import { leastCacheGiB } from "../../domain/bodies";
import { isWorkerClass, type WorkerClass } from "../../domain/workerClasses";
import { WORKERS } from "../../domain/workers";
import type { OidcProvider, PoolOverride } from "../../settings/types";
import { checkExtra } from "./extra/checks";
import { planFront } from "../../sizing/front";
import { count } from "../../sizing/interpolate";
import { checkAppservices } from "./appservices/checks";
import { AUTOSCALED, workerClasses } from "../../sizing/synapsePools";
import { checkLdap } from "./ldapChecks";
import { checkPeople, longestRetention } from "./peopleChecks";
import { checkTerms } from "./terms";

/** Reports every contradiction in the homeserver's settings. */
export function checkHomeserver(given: CheckInput): void {
  checkRegistration(given);
  checkSmtpLogin(given);
  checkSso(given);
  checkLdap(given);
  checkRest(given);
  checkMedia(given);
  checkPools(given);
  checkPeople(given);
  checkTerms(given);
  checkExtra(given);
  checkAppservices(given);
}

function checkRegistration({ settings, report }: CheckInput): void {
  const { registration, emailSmtp } = settings;
  const protectedByProof = registration.requireEmail || registration.requireToken || registration.captcha !== undefined;
  if (registration.enabled && !protectedByProof && !registration.allowOpen) {
    report.add({
      path: "registration.enabled",
      given: "true, with neither requireEmail nor requireToken",
      allowed:
        "registration that asks for an e-mail address or a token: open servers are found by scanners and filled with spam accounts within days, and other servers then block yours",
      remedy:
        "set registration.requireToken: true (or requireEmail: true with emailSmtp); or registration.allowOpen: true if an open server is what you want, for example in a closed network",
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
    const others = registration.requireEmail || registration.requireToken ? "requireEmail or requireToken" : "captcha";
    report.add({
      path: "registration.allowOpen",
      given: `true, with ${others}`,
      allowed: "one or the other",
      remedy: "remove registration.allowOpen",
    });
  }
}

/** A server that asks for a login wants both. */
function checkSmtpLogin({ settings: { emailSmtp }, report }: CheckInput): void {
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

/** Where new users' names come from: one source, with the scope that it needs. */
function checkNames(provider: OidcProvider, path: string, report: CheckInput["report"]): void {
  const { localpart, localpartTemplate, confirmLocalpart, scopes } = provider;
  if (localpart !== undefined && localpartTemplate !== undefined)
    report.add({
      path: `${path}.localpartTemplate`,
      given: `a template, beside localpart: ${localpart}`,
      allowed: "one of the two",
      remedy: `remove ${path}.localpart, or the template`,
    });
  if (localpart === "ask" && confirmLocalpart)
    report.add({
      path: `${path}.confirmLocalpart`,
      given: "true, beside localpart: ask",
      allowed: "true where the provider names its users: here they choose the name themselves",
      remedy: `remove ${path}.confirmLocalpart`,
    });
  if (localpart === "email" && !scopes.includes("email"))
    report.add(
      {
        path: `${path}.localpart`,
        given: `email, while the scopes are ${scopes.join(", ")}`,
        allowed: "email with the scope email: without it the provider sends no address",
        remedy: `add email to ${path}.scopes`,
      },
      [`${path}.scopes`],
    );
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
          remedy: "rename the newer one: users' accounts are linked to the id",
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
    checkNames(provider, `sso.oidc[${i}]`, report);
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
  const kept = retention && longestRetention(retention);
  if (kept && media.localRetentionDays !== undefined && media.localRetentionDays < kept.days) {
    report.add(
      {
        path: "media.localRetentionDays",
        given: `${media.localRetentionDays}, while messages are kept ${kept.days} days (${kept.path})`,
        allowed: "at least as long as the messages that show the media",
        remedy: `set it to ${kept.days} or more, or to 0`,
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

/** An upload passes through the cache on its way to the object store. */
function checkMedia({ settings, report }: CheckInput): void {
  const { cacheGiB, maxUploadMiB } = settings.media;
  const { router } = planFront(settings);
  const least = leastCacheGiB(settings, router);
  if (cacheGiB >= least) return;
  report.add(
    {
      path: "media.cacheGiB",
      given: `${cacheGiB}, with uploads of up to ${maxUploadMiB.toLocaleString("en-US")} MiB (media.maxUploadMiB)`,
      allowed: `at least ${least}: half of it has room for an upload of the largest size from each router, and from each that is just being replaced: they are on a media process's disk until the object store has them`,
      remedy: `set media.cacheGiB: ${least} where the application hosts' system disks have room for three times that, or lower media.maxUploadMiB`,
    },
    ["media.maxUploadMiB"],
  );
}

function checkPools(given: CheckInput): void {
  const present = workerClasses(given.settings);
  for (const [cls, pool] of Object.entries(given.settings.overrides.pools)) {
    if (!isWorkerClass(cls) || pool === undefined) continue;
    if (present.includes(cls)) checkScaling(given, cls, pool);
    else
      given.report.add(
        {
          path: `overrides.pools.${cls}`,
          given: "sizes of a class that this deployment does not have",
          allowed: `a class of this deployment: ${present.join(", ")}`,
          remedy: whyAbsent(cls),
        },
        ["ccu", "federation", "presence", "appservices"],
      );
  }
}

/** Checks the number of processes: Synapse and the autoscaler do not accept every number. */
function checkScaling({ settings, report }: CheckInput, cls: WorkerClass, pool: PoolOverride): void {
  const { scaling, size } = WORKERS[cls];
  const path = `overrides.pools.${cls}`;
  if (scaling.mode === "single") {
    for (const key of ["replicas", "maxReplicas"] as const) {
      if ((pool[key] ?? 1) > 1)
        report.add({
          path: `${path}.${key}`,
          given: String(pool[key]),
          allowed: `1: Synapse refuses a second process of this class (${scaling.why})`,
          remedy: "leave it out; give the one process more cpu and memoryMiB instead",
        });
    }
    return;
  }
  if (pool.maxReplicas === undefined) return;
  const replicas = pool.replicas ?? count(size.replicas.row, settings.ccu);
  if (scaling.mode === "fixed" && pool.maxReplicas !== replicas)
    report.add({
      path: `${path}.maxReplicas`,
      given: String(pool.maxReplicas),
      allowed: `only for autoscaled classes (${AUTOSCALED.join(", ")})`,
      remedy: "set replicas instead",
    });
  if (scaling.mode === "autoscaled" && pool.replicas !== undefined && pool.maxReplicas < pool.replicas)
    report.add(
      {
        path: `${path}.maxReplicas`,
        given: String(pool.maxReplicas),
        allowed: `at least replicas (${pool.replicas})`,
        remedy: "raise maxReplicas or lower replicas",
      },
      [`${path}.replicas`],
    );
}

function whyAbsent(cls: WorkerClass): string {
  const { needs = {}, otherwise } = WORKERS[cls];
  if (needs.appservices) return "remove the override; the class exists where there are appservices";
  if (needs.federation) return "set federation.enabled to true, or remove the override";
  const when = [
    ...(needs.ccu === undefined ? [] : [`from ${needs.ccu} users on`]),
    ...(needs.presence ? ["with presence.enabled"] : []),
  ];
  return `the class exists ${when.join(" ")}; ${needs.ccu === undefined ? "otherwise" : "below"}, override "${otherwise ?? "main"}"`;
}
