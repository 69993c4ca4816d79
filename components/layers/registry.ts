/**
 * The layers of a stack, in the order in which they are built: each uses only those before it. What is said of the
 * whole stack is a fold over this list, so a new layer is one folder and one line here (CONTRIBUTING.md, "A layer").
 */
import type { Layer } from "../core/layer";
import type { SecretSpec } from "../core/secrets";
import type { Settings } from "../settings/types";
import { cluster } from "./cluster/layer";
import { hosts } from "./hosts/layer";
import { ingress } from "./ingress/layer";
import { monitoring } from "./monitoring/layer";
import { objectstore } from "./objectstore/layer";
import { postgres } from "./postgres/layer";
import { redis } from "./redis/layer";
import { router } from "./router/layer";
import { rtc } from "./rtc/layer";
import { synapse } from "./synapse/layer";
import { turn } from "./turn/layer";
import { web } from "./web/layer";

const REGISTERED = [
  hosts,
  cluster,
  objectstore,
  postgres,
  redis,
  synapse,
  router,
  turn,
  rtc,
  web,
  ingress,
  monitoring,
] as const;

export const LAYERS: readonly Layer[] = REGISTERED;

/** What all of them declare, as one type. */
type Declared = Both<NonNullable<(typeof REGISTERED)[number]["declared"]>>;
type Both<U> = (U extends unknown ? (one: U) => void : never) extends (all: infer A) => void ? A : never;

/** Sections of all layers. */
export type LayerSettings = Declared["settings"];
export type LayerOverrides = Declared["overrides"];
/** Sections whose defaults depend on others. */
export type LayerCompleted = Declared["completed"];

/** Every image that a stack may run. */
export const IMAGES = Object.assign({}, ...LAYERS.map((layer) => layer.images)) as Declared["images"];
export type ImageKey = keyof typeof IMAGES;
export const IMAGE_KEYS = Object.keys(IMAGES) as ImageKey[];

/** Every secret that is generated in each stack, or by the settings' `when`. */
export const SECRET_SPECS = LAYERS.flatMap((layer) => layer.secrets ?? []);
/** Every secret that is generated with these settings. */
export const secretSpecs = (settings: Settings): SecretSpec[] => [
  ...SECRET_SPECS,
  ...LAYERS.flatMap((layer) => layer.secretsOf?.(settings) ?? []),
];

/** Settings that switch on everything that is off by default. */
export const EVERYTHING: Record<string, unknown> = Object.assign({}, ...LAYERS.map((layer) => layer.everything));
