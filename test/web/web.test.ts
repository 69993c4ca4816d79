import assert from "node:assert/strict";
import { evaluate, type Evaluation } from "../../cli/evaluate";
import { Web, wellKnownDocuments } from "../../components/layers/web";
import { adminNginxConf } from "../../components/layers/web/adminConfig";
import { elementConfig, elementNginxConf, type ElementConfigInput } from "../../components/layers/web/elementConfig";
import { wellKnownNginxConf } from "../../components/layers/web/wellKnown";
import { controllerNetworks, neverClients } from "../../components/layers/web/clients";
import { publicHosts } from "../../components/layers/ingress";
import { publicNames } from "../../components/layers/cluster";
import { elsewhereNotes, servedElsewhere } from "../../components/layers/web/documents";
import { rtcFoci } from "../../components/layers/rtc/foci";
import { fixtureContext, fixtureSettings } from "../fixtures/context";

const evaluateWeb = (change?: Parameters<typeof fixtureContext>[0]): Promise<Evaluation> =>
  evaluate({
    stack: "t",
    config: {},
    program: async () => {
      const ctx = fixtureContext(change);
      new Web("web", { ctx }, { provider: ctx.provider });
      return {};
    },
  });
const find = (e: Evaluation, type: string, name: string) => {
  const found = e.resources.filter((r) => r.type === type && r.inputs.metadata?.name === name);
  assert.equal(found.length, 1, `${type} ${name}`);
  return found[0]!.inputs;
};
const DEPLOYMENT = "kubernetes:apps/v1:Deployment";
const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";

describe("well-known documents", () => {
  const input = { homeserverHost: "matrix.example.org", discoverable: false, rtcFoci: [] };
  it("name the homeserver, and nothing for servers where none asks", () => {
    assert.deepEqual(wellKnownDocuments(input), {
      client: { "m.homeserver": { base_url: "https://matrix.example.org" } },
    });
  });
  it("lead other servers to port 443", () => {
    assert.deepEqual(wellKnownDocuments({ ...input, discoverable: true }).server, {
      "m.server": "matrix.example.org:443",
    });
  });
  it("give clients the SFU", () => {
    const focus = { type: "livekit" as const, livekit_service_url: "https://rtc.example.org" };
    assert.deepEqual(
      (wellKnownDocuments({ ...input, rtcFoci: [focus] }).client as any)["org.matrix.msc4143.rtc_foci"],
      [focus],
    );
    assert.deepEqual(rtcFoci(fixtureSettings()), [focus]);
  });
  it("name a contact when there is one", () => {
    assert.deepEqual(wellKnownDocuments({ ...input, support: { email: "help@example.org" } }).support, {
      contacts: [{ role: "m.role.admin", email_address: "help@example.org" }],
    });
  });
  it("are served as JSON to every origin, and only those that exist", () => {
    const conf = wellKnownNginxConf({ ipv6: false, documents: ["client"] });
    const block = conf.slice(conf.indexOf("location = /.well-known/matrix/client"));
    assert.match(block, /default_type application\/json;/);
    assert.match(block, /add_header Access-Control-Allow-Origin "\*" always;/);
    assert.ok(!conf.includes("matrix/server"));
    assert.match(conf, /location \/ \{\n\s+return 404;/);
  });
});

describe("Element Web", () => {
  const input: ElementConfigInput = {
    homeserverUrl: "https://matrix.example.org",
    serverName: "example.org",
    webUrl: "https://chat.example.org",
    brand: "Chat",
    allowGuests: false,
    registration: false,
    email: false,
    presence: true,
    rtc: true,
    ssoOnly: false,
  };
  it("knows its homeserver and offers no other", () => {
    const c: any = elementConfig(input);
    assert.deepEqual(c.default_server_config["m.homeserver"], {
      base_url: "https://matrix.example.org",
      server_name: "example.org",
    });
    assert.equal(c.disable_custom_urls, true);
    assert.equal(c.disable_guests, true);
    assert.equal(c.setting_defaults["UIFeature.registration"], false);
  });
  it("sends nothing to hosted services", () => {
    const text = JSON.stringify(elementConfig(input));
    assert.ok(!/vector\.im|element\.io|matrix\.org/.test(text));
    assert.match(text, /"integrations_ui_url":null/);
  });
  it("offers calls only where the stack has an SFU, and Jitsi where it is given", () => {
    assert.ok("element_call" in elementConfig(input));
    assert.ok(!("element_call" in elementConfig({ ...input, rtc: false })));
    assert.deepEqual((elementConfig({ ...input, jitsiDomain: "meet.example.org" }) as any).jitsi, {
      preferred_domain: "meet.example.org",
    });
  });
  it("refuses frames of other origins in every block that sends headers", () => {
    const conf = elementNginxConf({ ipv6: true });
    const blocks = conf
      .split("location ")
      .slice(1)
      .filter((b) => b.includes("add_header"));
    assert.ok(blocks.length >= 3);
    for (const b of blocks) {
      assert.match(b, /Content-Security-Policy "frame-ancestors 'self'" always/);
      assert.match(b, /X-Content-Type-Options "nosniff" always/);
    }
    assert.match(conf, /listen \[::\]:8080;/);
    assert.ok(!elementNginxConf({ ipv6: false }).includes("[::]"));
  });
});

describe("admin UI", () => {
  const input = {
    ipv6: false,
    homeserverHost: "matrix.example.org",
    routerFqdn: "haproxy.matrix.svc.cluster.local",
    allowCidrs: ["10.0.0.0/8"],
    trustedProxyCidrs: ["10.244.0.0/16"],
    neverClients: ["10.244.0.0/16", "10.1.0.11/32"],
    proxiesInFront: false,
    maxBodyMiB: 50,
  };
  it("refuses clients outside the given networks", () => {
    const conf = adminNginxConf(input);
    assert.match(conf, /allow 10\.0\.0\.0\/8;\n\s+deny all;/);
    // A client behind a trusted proxy must not choose its own address.
    assert.match(conf, /set_real_ip_from 10\.244\.0\.0\/16;/);
    assert.match(conf, /real_ip_recursive off;/);
    // Nothing but the probe's answer lifts the restriction.
    assert.equal(conf.match(/allow all;/g)?.length, 1);
    assert.match(conf, /location = \/healthz \{\n\s+allow all;/);
  });
  it("never counts a host, a pod or a proxy in front as a client", () => {
    const settings = fixtureSettings();
    settings.hosts[1]!.publicAddress = "198.51.100.7";
    settings.ingress.trustedProxies = ["10.0.0.5/32"];
    assert.deepEqual(
      neverClients(settings).filter((n) => !/^10\.1\./.test(n)),
      ["10.244.0.0/16", "198.51.100.7/32", "10.0.0.5/32"],
    );
    for (const h of settings.hosts) assert.ok(neverClients(settings).includes(`${h.address}/32`), h.name);
    // A controller on a host's network is believed, but what it connects from is nobody's address.
    assert.ok(controllerNetworks(settings).includes(`${settings.hosts[0]!.address}/32`));
    assert.ok(!controllerNetworks(settings).includes("10.0.0.5/32"), "its word goes to the controller, not to the UI");
    const conf = adminNginxConf(input);
    assert.match(conf, /deny 10\.244\.0\.0\/16;\n\s+deny 10\.1\.0\.11\/32;\n\s+allow 10\.0\.0\.0\/8;/);
    assert.match(conf, /if \(\$http_x_forwarded_for ~ ","\) \{ return 403; \}/);
    assert.ok(!adminNginxConf({ ...input, proxiesInFront: true }).includes("return 403"));
  });
  it("refuses every client when no network is given", () => {
    const conf = adminNginxConf({ ...input, allowCidrs: [] });
    assert.ok(!/allow (?!all)/.test(conf));
    assert.match(conf, /deny all;/);
  });
  it("reaches the admin API by the router's admin port only", () => {
    const conf = adminNginxConf(input);
    assert.match(
      conf,
      /location \/_synapse\/admin\/ \{\n\s+proxy_pass http:\/\/haproxy\.matrix\.svc\.cluster\.local:8010;/,
    );
    assert.match(conf, /location \/_matrix\/ \{\n\s+proxy_pass http:\/\/haproxy\.matrix\.svc\.cluster\.local:8008;/);
    assert.match(conf, /location \/_synapse\/ \{\n\s+return 404;/);
  });
});

describe("Web", () => {
  it("runs every site twice or more, hardened, from one configuration", async () => {
    const e = await evaluateWeb();
    for (const name of ["element-web", "synapse-admin", "well-known"]) {
      const d = find(e, DEPLOYMENT, name);
      assert.ok(d.spec.replicas >= 2, name);
      assert.equal(d.metadata.namespace, "matrix");
      const c = d.spec.template.spec.containers[0];
      assert.deepEqual(c.command, ["nginx", "-e", "/dev/stderr", "-g", "daemon off;", "-c", "/conf/nginx.conf"]);
      assert.equal(c.securityContext.readOnlyRootFilesystem, true);
      const files = find(e, CONFIG_MAP, name).data;
      assert.ok(files["nginx.conf"].includes("location = /healthz"));
      for (const [k, v] of Object.entries<string>(files)) if (k.endsWith(".json")) JSON.parse(v);
      // Every path that the configuration writes to is in /tmp, the only writable mount.
      for (const m of files["nginx.conf"].matchAll(/(?:_temp_path|pid) (\S+);/g)) assert.match(m[1], /^\/tmp\//);
      for (const m of files["nginx.conf"].matchAll(/alias \/conf\/(\S+);/g)) assert.ok(m[1] in files, m[1]);
    }
  });
  it("restarts only the site whose setting changed", async () => {
    const hash = (e: Evaluation, n: string): string =>
      find(e, DEPLOYMENT, n).spec.template.metadata.annotations["matrix-ha.dev/config-hash"];
    const [a, b] = [
      await evaluateWeb(),
      await evaluateWeb((s) => {
        s.web.elementWeb.brand = "Other";
      }),
    ];
    assert.notEqual(hash(a, "element-web"), hash(b, "element-web"));
    assert.equal(hash(a, "synapse-admin"), hash(b, "synapse-admin"));
    assert.equal(hash(a, "well-known"), hash(b, "well-known"));
  });
  it("leaves out disabled parts", async () => {
    const e = await evaluateWeb((s) => {
      s.web.elementWeb.enabled = false;
      s.web.admin.enabled = false;
    });
    assert.deepEqual(
      e.resources.filter((r) => r.type === DEPLOYMENT).map((r) => r.inputs.metadata.name),
      ["well-known"],
    );
  });
});

describe("keys that the operator adds", () => {
  it("to Element's configuration join the stack's, and win where the stack only suggests", async () => {
    const e = await evaluateWeb((s) => {
      s.web.elementWeb.config = {
        default_theme: "dark",
        disable_custom_urls: false,
        features: { feature_spotlight: true },
        setting_defaults: { "UIFeature.feedback": true },
        terms_and_conditions_links: [{ url: "https://example.org/terms", text: "Terms" }],
      };
    });
    const config = JSON.parse(find(e, CONFIG_MAP, "element-web").data["config.json"]);
    assert.equal(config.default_theme, "dark");
    assert.equal(config.disable_custom_urls, false);
    assert.deepEqual(config.features, { feature_group_calls: true, feature_spotlight: true });
    assert.equal(config.setting_defaults["UIFeature.feedback"], true);
    assert.equal(config.setting_defaults["UIFeature.registration"], false);
    assert.deepEqual(config.terms_and_conditions_links, [{ url: "https://example.org/terms", text: "Terms" }]);
    assert.equal(config.default_server_config["m.homeserver"].base_url, "https://matrix.example.org");
  });

  it("to the discovery documents join the stack's", async () => {
    const e = await evaluateWeb((s) => {
      s.web.wellKnown.client = { "io.element.e2ee": { default: true }, "im.vector.riot.jitsi": { other: 1 } };
      s.web.wellKnown.server = { "org.example.key": true };
    });
    const { data } = find(e, CONFIG_MAP, "well-known");
    const client = JSON.parse(data["client.json"]);
    assert.deepEqual(client["io.element.e2ee"], { default: true });
    assert.deepEqual(client["m.homeserver"], { base_url: "https://matrix.example.org" });
    assert.deepEqual(client["org.matrix.msc4143.rtc_foci"], [
      { type: "livekit", livekit_service_url: "https://rtc.example.org" },
    ]);
    assert.deepEqual(JSON.parse(data["server.json"]), {
      "m.server": "matrix.example.org:443",
      "org.example.key": true,
    });
  });
});

describe("a server name that another web server has", () => {
  const elsewhere = () => {
    const settings = fixtureSettings();
    settings.web.wellKnown.servedElsewhere = true;
    return settings;
  };

  it("has no ingress, no certificate and no DNS record here; all others stay", () => {
    const usual = publicHosts(fixtureSettings()).map((h) => h.host);
    assert.ok(usual.includes("example.org"));
    assert.deepEqual(
      publicHosts(elsewhere()).map((h) => h.host),
      usual.filter((host) => host !== "example.org"),
    );
    assert.deepEqual(
      publicNames(elsewhere()),
      publicNames(fixtureSettings()).filter((name) => name !== "example.org"),
    );
    const homeserver = publicHosts(elsewhere()).find((h) => h.host === "matrix.example.org")!;
    assert.ok(homeserver.paths.some((p) => p.path === "/.well-known/matrix"));
  });

  it("the plan and the output say what it has to answer, byte for byte", () => {
    assert.deepEqual(servedElsewhere(fixtureSettings()), {});
    const documents = servedElsewhere(elsewhere());
    assert.deepEqual(Object.keys(documents), [
      "https://example.org/.well-known/matrix/client",
      "https://example.org/.well-known/matrix/server",
    ]);
    assert.deepEqual(documents["https://example.org/.well-known/matrix/server"], {
      "m.server": "matrix.example.org:443",
    });
    const [note] = elsewhereNotes(elsewhere());
    assert.match(note!, /`Access-Control-Allow-Origin: \*`/);
    assert.match(
      note!,
      /https:\/\/example\.org\/\.well-known\/matrix\/server with \{"m\.server":"matrix\.example\.org:443"\}/,
    );
    assert.match(
      note!,
      /matrix\/client with \{"m\.homeserver":\{"base_url":"https:\/\/matrix\.example\.org"\},"org\.matrix\.msc4143\.rtc_foci"/,
    );
  });
});
