"""SMTP servers for the tests: one for each line of the argument. Each message is a line of JSON on the output."""

import json
import logging
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Print:
    def __init__(self, name):
        self.name = name

    async def handle_DATA(self, server, session, envelope):
        lines = envelope.content.decode().splitlines()
        sender = next(line[6:] for line in lines if line.startswith("From: "))
        login = getattr(session, "auth_data", None)
        said = {
            "server": self.name,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "sender": sender,
            "tls": session.ssl is not None or self.name.startswith("implicit"),
            "login": login and [login.login.decode(), login.password.decode()],
        }
        print(json.dumps(said), flush=True)
        return "250 OK"


# A client that refuses the certificate is part of the tests.
logging.getLogger("mail.log").disabled = True

for given in json.loads(sys.argv[1]):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    kind = given["kind"]
    Controller(
        Print("%s:%s" % (kind, given["port"])),
        hostname="127.0.0.1",
        server_hostname="smtp.example.org",
        port=given["port"],
        ssl_context=context if kind == "implicit" else None,
        tls_context=context if kind == "starttls" else None,
        authenticator=lambda server, session, envelope, mechanism, data: AuthResult(success=True, auth_data=data),
        auth_require_tls=False,
    ).start()
print("ready", flush=True)
sys.stdin.read()
