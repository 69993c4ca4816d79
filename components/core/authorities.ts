/**
 * Private certificate authorities (`trustedAuthorities`): where the programs that call servers of the operator's own
 * find them. Pure.
 */

/** Name of the ConfigMap with them, in each namespace whose pods need it. */
export const AUTHORITIES = "trusted-authorities";
/** Their key in that ConfigMap, and in Secrets that hold them too. */
export const AUTHORITIES_FILE = "ca.crt";

/**
 * Environment of a program in Go: its library reads the image's own bundle, and then every file in the folders of
 * SSL_CERT_DIR (crypto/x509/root_unix.go). SSL_CERT_FILE would take the place of that bundle.
 *
 * @param folder Where the ConfigMap is mounted.
 */
export const goTrusts = (folder: string): Record<string, string> => ({ SSL_CERT_DIR: `/etc/ssl/certs:${folder}` });
