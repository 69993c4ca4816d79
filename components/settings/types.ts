/** The complete settings of a stack, which everything else reads. Inferred from the schema. */
import type { LayerCompleted } from "../layers/registry";
import type { GeneralCompleted } from "./defaults";
import type { SettingsInput } from "./schema";

type Completed = GeneralCompleted & LayerCompleted;

/** Complete settings. `hostDefaults` and `ssh` are absent: each host has their values. */
export type Settings = Omit<SettingsInput, keyof Completed | "hostDefaults" | "ssh"> & Completed;

export type AddressPoolSettings = Settings["addressPools"][number];
export type TlsSettings = Settings["tls"];
export type OidcProvider = NonNullable<Settings["sso"]>["oidc"][number];
export type LdapSettings = NonNullable<Settings["ldap"]>;
export type OldSigningKey = Settings["oldSigningKeys"][number];
export type { SettingsError } from "../core/errors";
export type { StorageClassSettings } from "../layers/cluster/settings";
export type { DiskSettings, HostSettings, SshSettings } from "../layers/hosts/settings";
export type { AppserviceSettings } from "../layers/synapse/appservices/settings";
export type { PoolOverride } from "../layers/synapse/settings";
export type { S3Settings } from "../schema/s3";
