/** Settings of the web applications. Pure. */
import { bool, cidr, hostname, httpsUrl, list, open, section, text } from "../../schema/fields";
import { cpu, memoryMiB, replicas } from "../../schema/sizes";

/** All private networks (RFC 1918): the default of those with access to the admin UI. */
export const PRIVATE_NETWORKS = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

export const webSettings = {
  web: section(
    {
      elementWeb: section(
        {
          enabled: bool({ doc: "Element Web at hostnames.web." }).default(true),
          brand: text({ doc: "Name that the client shows." }).default("Element"),
          config: open(
            "Further keys of Element's config.json, which everybody can read: they join what the stack writes there, or take the place of what it only suggests. Keys that follow from other settings are refused.",
            "a section with keys of Element's config.json",
            { default_theme: "dark" },
          ).optional(),
        },
        { doc: "The web client." },
      ).prefault({}),
      admin: section(
        {
          enabled: bool({ doc: "Admin UI at hostnames.admin." }).default(true),
          allowCidrs: list(cidr({ doc: "Network." }), {
            doc: "Client networks with access to the admin UI. Addresses of hosts, pods and `ingress.trustedProxies` in them are refused all the same: those only pass requests on. Needed where the entrance has private addresses.",
          }).default(PRIVATE_NETWORKS),
          allowPublic: bool({ doc: "Accept allowCidrs that contain the whole Internet." }).default(false),
        },
        { doc: "The admin UI." },
      ).prefault({}),
      wellKnown: section(
        {
          servedElsewhere: bool({
            doc: "Another web server has the server name, and serves the discovery documents there. This stack then has no ingress, certificate or DNS record for that name; the plan and the output `wellKnown` say what the other server has to answer.",
          }).default(false),
          client: open(
            "Further keys of /.well-known/matrix/client, which clients read before a login.",
            "a section with keys of that document",
            { "org.example.key": { enabled: true } },
          ).optional(),
          server: open(
            "Further keys of /.well-known/matrix/server, which other homeservers read.",
            "a section with keys of that document",
            { "org.example.key": true },
          ).optional(),
        },
        { doc: "The discovery documents below /.well-known/matrix. Keys that the stack writes are refused here." },
      ).prefault({}),
      jitsiDomain: hostname({
        doc: "Jitsi server that clients use for conferences. Absent: the clients' own default.",
      }).optional(),
      supportContact: section(
        {
          email: text(
            { doc: "E-mail address.", allowed: "an e-mail address" },
            (v) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(v),
            "admin@example.com",
          ).optional(),
          matrixId: text(
            { doc: "Matrix user id.", allowed: "a user id such as @admin:example.com" },
            (v) => /^@[^\s:]+:[^\s]+$/.test(v),
            "@admin:example.com",
          ).optional(),
          page: httpsUrl({ doc: "URL of a page with help." }).optional(),
        },
        {
          doc: "Contact for users and other operators, served as /.well-known/matrix/support. Absent: nothing is served.",
        },
      ).optional(),
    },
    { doc: "Web applications." },
  ).prefault({}),
};

export const webOverrides = {
  web: section(
    { replicas: replicas(2), cpu: cpu(), memoryMiB: memoryMiB() },
    { doc: "Element Web, admin UI, well-known." },
  ).prefault({}),
};
