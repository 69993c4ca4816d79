/** The terms: Synapse's option, and the pages that it serves. Pure. */
import type { CheckInput } from "../../core/layer";
import type { Settings } from "../../settings/types";
import type { Yaml } from "./homeserverYaml";
import { MOUNTS } from "./paths";

type Terms = NonNullable<Settings["terms"]>;

/** Synapse formats these texts as Python does, with the link: any other % is doubled. */
const formatted = (text: string): string => text.replace(/%(?!\(consent_uri\)s)/g, "%%");

export const termsOption = ({ terms: t }: Settings): Yaml =>
  t
    ? {
        user_consent: {
          template_dir: MOUNTS.terms,
          version: t.version,
          policy_name: t.name,
          require_at_registration: t.atRegistration,
          ...(t.notice === undefined
            ? {}
            : { server_notice_content: { msgtype: "m.text", body: formatted(t.notice) } }),
          ...(t.refuseWithout === undefined ? {} : { block_events_error: formatted(t.refuseWithout) }),
        },
      }
    : {};

const page = (body: string): string =>
  `<!doctype html>
<html>
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body style="font-family: sans-serif; max-width: 45em; margin: 2em auto; padding: 0 1em; line-height: 1.5">
${body}
</body>
</html>
`;

/** Where each file of the ConfigMap is below `template_dir`: English is the only language that Synapse looks for. */
export const termsItems = ({ version }: Terms): Record<string, string> => ({
  "terms.html": `en/${version}.html`,
  "success.html": "en/success.html",
});

/**
 * The pages, templates of Jinja. The variables are those of Synapse's consent resource; who is not logged in sees the
 * text alone (`public_version`). Undefined where there are no terms.
 */
export const termsFiles = (t?: Terms): Record<string, string> | undefined =>
  t && {
    "terms.html": page(`{% raw %}${t.page}{% endraw %}
{% if not public_version %}
{% if has_consented %}
<p>&#10003;</p>
{% else %}
<form method="post" action="consent">
<input type="hidden" name="v" value="{{ version }}">
<input type="hidden" name="u" value="{{ user }}">
<input type="hidden" name="h" value="{{ userhmac }}">
<button type="submit" style="font-size: 1.2em; padding: .4em 1.5em">OK</button>
</form>
{% endif %}
{% endif %}`),
    "success.html": page("<p>&#10003;</p>"),
  };

export function checkTerms({ settings, report }: CheckInput): void {
  const { terms, serverNotices } = settings;
  if (!terms) return;
  if (terms.notice !== undefined && serverNotices === undefined)
    report.add(
      {
        path: "terms.notice",
        given: "a message, without serverNotices",
        allowed: "a message where the server may write to its users",
        remedy: "add `serverNotices: {}`, or remove terms.notice",
      },
      ["serverNotices"],
    );
  if (terms.refuseWithout !== undefined && terms.notice === undefined)
    report.add(
      {
        path: "terms.refuseWithout",
        given: "a text, without terms.notice",
        allowed: "a text where users are told beforehand",
        remedy: "add terms.notice with the link, or remove terms.refuseWithout",
      },
      ["terms.notice"],
    );
}
