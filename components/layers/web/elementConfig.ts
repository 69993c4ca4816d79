/** Element Web: its config.json and the nginx configuration that serves it. Pure. */
import { PORTS } from "../../core/names";
import { CONF_DIR, healthLocation, headers, location, nginxConf, SECURITY_HEADERS } from "./nginxConf";

export interface ElementConfigInput {
  /** https URL of the homeserver, no slash at the end. */
  homeserverUrl: string;
  serverName: string;
  /** https URL of Element itself: links that it makes point here. */
  webUrl: string;
  brand: string;
  allowGuests: boolean;
  registration: boolean;
  /** Mail can be sent: passwords can be reset and addresses added. */
  email: boolean;
  presence: boolean;
  /** Calls over the stack's own SFU. */
  rtc: boolean;
  jitsiDomain?: string;
  /** The one SSO provider and no password login: go there at once. */
  ssoOnly: boolean;
}

export function elementConfig(i: ElementConfigInput): object {
  return {
    default_server_config: { "m.homeserver": { base_url: i.homeserverUrl, server_name: i.serverName } },
    // Somebody who trusts this host with a password should not be led to another server by a link.
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
    // Absent would mean Element's own hosted services: nothing of a private server goes there.
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
  ipv6: boolean;
  /** Directory of Element's files in its image. Default /app, as in the official one. */
  root?: string;
}

export function elementNginxConf(i: ElementNginxInput): string {
  // Element opens its own widgets (Jitsi, Element Call) in frames of its own origin; nobody else may frame it.
  const base = {
    ...SECURITY_HEADERS,
    "X-Frame-Options": "SAMEORIGIN",
    "Content-Security-Policy": "frame-ancestors 'self'",
  };
  // Names of bundles carry a hash of their content; everything else must be asked for again after an upgrade.
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
