/** The module that asks an LDAP directory, as homeserver.yaml has it. Pure. */
import type { LdapSettings, Settings } from "../../settings/types";
import type { Yaml } from "./homeserverYaml";
import { pythonName, SHARED_FILES } from "./paths";
import { ldapServer, type LdapServer } from "./settings/ldap";

/** Servers of the settings. */
export const ldapServers = ({ uris }: LdapSettings): LdapServer[] => uris.map((uri) => ldapServer(uri)!);

/** Whether its part of the configuration is in a Secret. */
export const ldapIsSecret = ({ ldap }: Settings): boolean => ldap?.bindPassword !== undefined;

/** Its entry in `modules`; none without the setting. Options: README of matrix-synapse-ldap3 0.4.0. */
export function ldapModule({ ldap }: Settings): Yaml[] {
  if (!ldap) return [];
  const { attributes, activeDirectory } = ldap;
  return [
    {
      module: pythonName(SHARED_FILES.ldap, "LdapLogin"),
      config: {
        enabled: true,
        mode: ldap.mode,
        uri: ldap.uris,
        start_tls: !ldap.inClear && ldapServers(ldap).some(({ tls }) => !tls),
        base: ldap.base,
        attributes: {
          uid: attributes.uid ?? (activeDirectory ? "userPrincipalName" : "uid"),
          name: attributes.name,
          mail: attributes.mail,
        },
        ...(ldap.bindDn === undefined ? {} : { bind_dn: ldap.bindDn }),
        ...(ldap.bindPassword === undefined ? {} : { bind_password: ldap.bindPassword }),
        ...(ldap.filter === undefined ? {} : { filter: ldap.filter }),
        ...(activeDirectory ? { active_directory: true } : {}),
        ...(ldap.defaultDomain === undefined ? {} : { default_domain: ldap.defaultDomain }),
      },
    },
  ];
}
