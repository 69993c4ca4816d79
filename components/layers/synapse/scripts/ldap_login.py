import ldap3
from ldap3.utils.conv import escape_filter_chars
from ldap_auth_provider import LdapAuthProviderModule

CONNECT_SECONDS = 5
# What ldap3 waits after no server of the list answered, before it gives up.
ldap3.set_config_parameter("POOLING_LOOP_TIMEOUT", 1)


class LdapLogin(LdapAuthProviderModule):
    def _get_server(self, get_info=None):
        servers = [ldap3.Server(uri, get_info=get_info, tls=self.ldap_tls, connect_timeout=CONNECT_SECONDS) for uri in self.ldap_uris]
        # In their order, each once.
        return ldap3.ServerPool(servers, ldap3.FIRST, active=1)

    async def _ldap_authenticated_search(self, server, password, filters):
        escaped = [(key, escape_filter_chars(value)) for key, value in filters]
        return await super()._ldap_authenticated_search(server, password, escaped)

    async def register_user(self, localpart, name, email_address):
        api = self.account_handler
        existing = await api.check_user_exists(api.get_qualified_user_id(localpart))
        return existing or await super().register_user(localpart.lower(), name, email_address)
