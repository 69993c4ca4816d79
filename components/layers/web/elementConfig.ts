/** Element Web: its config.json, and the nginx configuration that serves it. Pure. */
import { PORTS } from "../../core/names";
import { merged } from "../synapse/extra/values";
import { CONF_DIR, healthLocation, headers, location, nginxConf, SECURITY_HEADERS } from "./nginxConf";

/** What config.json depends on. */
export interface ElementConfigInput {
  /** https URL of the homeserver, without a slash at the end. @example "https://matrix.example.com" */
  homeserverUrl: string;
  /** Domain of the user ids. @example "example.com" */
  serverName: string;
  /** https URL of Element itself, for the links that it creates. */
  webUrl: string;
  /** Name that Element shows for itself. */
  brand: string;
  /** Whether guests may read without an account. */
  allowGuests: boolean;
  /** Whether users may create accounts themselves. */
  registration: boolean;
  /** Whether Synapse can send mail: users can then reset passwords and add addresses. */
  email: boolean;
  /** Whether Element shows who is online. */
  presence: boolean;
  /** Whether group calls use the stack's own SFU. */
  rtc: boolean;
  /** Jitsi server of conferences. @default Element's own default @example "meet.example.com" */
  jitsiDomain?: string;
  /** Redirect to the SSO provider at once: there is only one, and no login by password. */
  ssoOnly: boolean;
  /** Further keys (`web.elementWeb.config`), which win over these. @default none */
  more?: Record<string, unknown>;
}

/** Element's config.json. */
export const elementConfig = (i: ElementConfigInput): object => merged(ownConfig(i), i.more ?? {}) as object;

/** What the stack writes. */
function ownConfig(i: ElementConfigInput): object {
  return {
    default_server_config: { "m.homeserver": { base_url: i.homeserverUrl, server_name: i.serverName } },
    // A link must not lead users, who trust this host with their password, to another server.
    disable_custom_urls: true,
    brand: i.brand,
    disable_guests: !i.allowGuests,
    disable_3pid_login: !i.email,
    default_theme: "light",
    default_federate: true,
    show_labs_settings: false,
    mobile_guide_toast: false,
    permalink_prefix: i.webUrl,
    room_directory: { servers: [i.serverName] },
    enable_presence_by_hs_url: { [i.homeserverUrl]: i.presence },
    // If these were absent, Element would send data of a private server to its own hosted services.
    integrations_ui_url: null,
    integrations_rest_url: null,
    integrations_widgets_urls: null,
    bug_report_endpoint_url: null,
    posthog: null,
    ...(i.ssoOnly ? { sso_redirect_options: { on_welcome_page: true, on_login_page: true } } : {}),
    ...(i.rtc
      ? { element_call: { use_exclusively: true, brand: `${i.brand} Call` }, features: { feature_group_calls: true } }
      : {}),
    ...(i.jitsiDomain ? { jitsi: { preferred_domain: i.jitsiDomain } } : {}),
    setting_defaults: {
      breadcrumbs: true,
      "UIFeature.registration": i.registration,
      "UIFeature.passwordReset": i.email,
      "UIFeature.thirdPartyId": i.email,
      "UIFeature.identityServer": false,
      "UIFeature.feedback": false,
    },
  };
}

export interface ElementNginxInput {
  /** Listen on IPv6 too. */
  ipv6: boolean;
  /** Directory of Element's files in its image. @default "/app", as in the official image */
  root?: string;
}

/** nginx.conf of Element Web. */
export function elementNginxConf(i: ElementNginxInput): string {
  // Element opens its own widgets (Jitsi, Element Call) in frames of its own origin; no other site may frame it.
  const base = {
    ...SECURITY_HEADERS,
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
  };
  // Names of bundles contain a hash of their content; browsers must revalidate everything else after an upgrade.
  const fresh = headers({ ...base, "Cache-Control": "no-cache" });
  const immutable = headers({ ...base, "Cache-Control": "public, max-age=31536000, immutable" });
  return nginxConf({
    port: PORTS.web,
    ipv6: i.ipv6,
    accessLog: false,
    mimeTypes: true,
    body: [
      `root ${i.root ?? "/app"};`,
      "index index.html;",
      healthLocation(),
      location("= /config.json", [...fresh, "default_type application/json;", `alias ${CONF_DIR}/config.json;`]),
      location("/bundles/", [...immutable, "try_files $uri =404;"]),
      location("/", [...fresh, "try_files $uri $uri/ =404;"]),
    ],
  });
}
