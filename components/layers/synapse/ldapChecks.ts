/** Checks of what the settings say about an LDAP directory. Pure. */
import type { CheckInput } from "../../core/layer";
import { ldapServers } from "./ldapYaml";

/** The module that LDAP is. Whoever lists it in synapse.modules has one already. */
const MODULES = /^ldap_auth_provider\./;

export function checkLdap(given: CheckInput): void {
  if (!given.settings.ldap) return;
  checkServers(given);
  checkSearch(given);
  checkActiveDirectory(given);
  checkOthers(given);
}

function checkServers({ settings: { ldap }, report }: CheckInput): void {
  const { uris, inClear } = ldap!;
  if (uris.length === 0)
    report.add({
      path: "ldap.uris",
      given: "an empty list",
      allowed: "at least one server",
      remedy: "add a server, or remove ldap",
    });
  const servers = ldapServers(ldap!);
  const kinds = new Set(servers.map(({ tls }) => tls));
  if (kinds.size > 1)
    report.add({
      path: "ldap.uris",
      given: "ldaps:// and ldap:// servers",
      allowed: "servers of one kind: all of them are spoken to in the same way",
      remedy: "write ldaps:// everywhere, or ldap://, which is upgraded by StartTLS",
    });
  else if (inClear && kinds.has(true))
    report.add(
      {
        path: "ldap.inClear",
        given: "true, with ldaps:// servers",
        allowed: "true only with ldap:// servers",
        remedy: "remove ldap.inClear",
      },
      ["ldap.uris"],
    );
}

function checkSearch({ settings: { ldap }, report }: CheckInput): void {
  const { bindDn, bindPassword, mode, filter } = ldap!;
  if ((bindDn === undefined) !== (bindPassword === undefined)) {
    const missing = bindDn === undefined ? "bindDn" : "bindPassword";
    report.add({
      path: `ldap.${missing}`,
      given: "nothing",
      allowed: "bindDn and bindPassword, or neither",
      remedy: `add ldap.${missing}`,
    });
  }
  if (mode !== "simple") return;
  for (const [key, value] of Object.entries({ bindDn, filter }))
    if (value !== undefined)
      report.add(
        {
          path: `ldap.${key}`,
          given: "a value, with mode: simple",
          allowed: `${key} only with mode: search: with simple nothing is searched`,
          remedy: `remove ldap.${key}, or ldap.mode`,
        },
        ["ldap.mode"],
      );
}

function checkActiveDirectory({ settings: { ldap }, report }: CheckInput): void {
  const { activeDirectory, defaultDomain, mode, bindDn } = ldap!;
  if (defaultDomain !== undefined && !activeDirectory)
    report.add(
      {
        path: "ldap.defaultDomain",
        given: `${defaultDomain}, while ldap.activeDirectory is false`,
        allowed: "a domain only with Active Directory",
        remedy: "set ldap.activeDirectory: true, or remove ldap.defaultDomain",
      },
      ["ldap.activeDirectory"],
    );
  if (activeDirectory && (mode === "simple" || bindDn === undefined))
    report.add(
      {
        path: "ldap.activeDirectory",
        given: mode === "simple" ? "true, with mode: simple" : "true, without ldap.bindDn",
        allowed: "a search by an account of the directory: Active Directory answers no other",
        remedy: "give ldap.bindDn and ldap.bindPassword, with mode: search",
      },
      ["ldap.mode", "ldap.bindDn"],
    );
}

function checkOthers({ settings: { sso, synapse }, report }: CheckInput): void {
  if (sso?.passwordLogin === false)
    report.add(
      {
        path: "sso.passwordLogin",
        given: "false, with ldap",
        allowed: "true: logins by LDAP are logins with a password",
        remedy: "remove sso.passwordLogin; ldap.localPasswords: false keeps out passwords that are not the directory's",
      },
      ["ldap"],
    );
  const at = synapse.modules.findIndex(({ module }) => MODULES.test(module));
  if (at >= 0)
    report.add(
      {
        path: `synapse.modules[${at}].module`,
        given: `"${synapse.modules[at]!.module}", beside ldap`,
        allowed: "one of the two",
        remedy: `remove synapse.modules[${at}]: ldap is that module, and Synapse's image has it`,
      },
      ["ldap"],
    );
}
