/** The ends of certificates that a person renews, as a metric: no program reports them, and the stack knows them. */
import * as pulumi from "@pulumi/pulumi";
import { CERTIFICATE_END, type CertificateEnd } from "../cluster/tls/publicTls";
import { firstEnd } from "../cluster/tls/dates";
import type { Settings } from "../../settings/types";

/** Spec of the PrometheusRule that records them. */
export function certificateEnds(settings: Settings, ends: readonly CertificateEnd[]): pulumi.Output<object> {
  const all = [
    ...ends,
    ...(settings.trustedAuthorities
      ? [{ certificate: "trustedAuthorities", at: firstEnd(settings.trustedAuthorities) }]
      : []),
  ];
  return pulumi.output(all).apply((known) => ({
    groups: [
      {
        name: "matrix-ha.certificate-ends",
        rules: known.flatMap(({ certificate, at }) =>
          at === undefined
            ? []
            : [
                {
                  record: CERTIFICATE_END,
                  expr: `vector(${Math.floor(Date.parse(at) / 1000)})`,
                  labels: { certificate },
                },
              ],
        ),
      },
    ],
  }));
}
