/**
 * What a layer declares, in one file of its folder (`components/layers/<layer>/layer.ts`). Everything about the stack
 * as a whole is a fold over the list of layers (`components/layers/registry.ts`): settings and their reference, the
 * plan, network policies, monitoring, generated secrets, the list of images, rendering, the exceptions to rules.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { HostRole } from "../domain/roles";
import type { StackSecrets } from "../keys/secrets";
import type { Report } from "../schema/report";
import type { SettingsInput } from "../settings/schema";
import type { Settings, SettingsError } from "../settings/types";
import type { Demand } from "../sizing/demands";
import type { FailureCost, Plan, PlanParts, ZoneEffect } from "../sizing/types";
import type { LostZone } from "../sizing/zones";
import type { StackContext } from "./context";
import type { Edge } from "./edges";
import type { RuleException } from "./exceptions";
import type { Image } from "./images";
import type { Dashboard, RuleGroup, Target } from "./monitoring";
import type { SecretSpec } from "./secrets";

/** The types of a layer's declarations; `Settings` and the image keys are inferred from them. */
export interface Declared {
  /** Type of `Layer.settings`. */
  settings?: z.ZodRawShape;
  /** Type of `Layer.overrides`. */
  overrides?: z.ZodRawShape;
  /** Type of the sections that `Layer.complete` returns. */
  completed?: object;
  /** Type of `Layer.images`. */
  images?: Record<string, Image>;
}

/** What a check gets. Parts that failed to parse hold an example, so that the rest can be checked too. */
export interface CheckInput {
  /** The settings as written, with static defaults. */
  input: SettingsInput;
  /** The same with all defaults filled in. */
  settings: Settings;
  /** Takes the errors. */
  report: Report;
  /** Moment that certificates are checked against. */
  now: Date;
}

/** The number of hosts of a role that a layer needs. */
export interface RoleNeed {
  role: HostRole;
  /** Fewest hosts with which the layer survives the loss of one. */
  least: number;
  /** Why fewer do not suffice, completing "at least 3: ". */
  why: string;
  /** Whether the layer needs them with these settings. @default always */
  when?: (settings: Settings) => boolean;
  /** A larger number that these settings require, and why. @default `least` */
  more?: (settings: Settings) => { count: number; why: string };
  /** An alternative to more hosts, as an instruction: `use an S3 that exists (objectStore.kind: s3)`. */
  otherwise?: string;
}

/** A row of the plan's table of services. */
export interface ServiceRow {
  /** Name for people. */
  service: string;
  /** Number of pods. */
  instances: number;
  /** Requested cores of each pod. */
  cpu: number;
  /** Requested memory of each pod, MiB. */
  memoryMiB: number;
  /** A remark, such as the size of a volume; may be empty. */
  what: string;
}

/** What plan tables, edges, alerts and scrape targets may depend on. */
export interface PlanInput {
  settings: Settings;
  plan: Plan;
}

/** The same with all layers, for what concerns every one of them. */
export interface StackInput extends PlanInput {
  /** In the order of the registry. */
  layers: readonly Layer[];
}

/** The stack while it is being built: what a layer gets from the layers before it. */
export interface Building {
  ctx: StackContext;
  /** The generated secrets of all layers. */
  secrets: StackSecrets;
  /** All layers, in the order of the registry. */
  layers: readonly Layer[];
  /** The stack: parent of every layer's component. */
  self: pulumi.Resource;
  /** A component that an earlier layer made. @throws Error when there is none */
  get<T extends pulumi.Resource>(type: Class<T>): T;
  /** The same, or undefined when that layer is off. */
  find<T extends pulumi.Resource>(type: Class<T>): T | undefined;
  /**
   * Options of a component: everything in it waits for the namespaces and classes, its pods also for these resources.
   */
  after(...resources: pulumi.Resource[][]): pulumi.ComponentResourceOptions;
}

/** Records of one public name. */
export interface DnsRecord {
  /** DNS name. */
  name: string;
  /** Addresses of its A and AAAA records; empty where they are known only after the deployment. */
  addresses: string[];
  /** Where the addresses come from, as a noun phrase. */
  of: string;
  /** One phrase: the purpose. */
  why: string;
}

/**
 * What a deployment leaves behind that a later one must not lose. The stack's outputs carry it to the next deployment,
 * which refuses before anything is touched; `npm run diff` compares in the same way.
 */
export interface Guard {
  /** As plain data, without secrets. */
  now(input: PlanInput): object;
  /** The errors where these settings would lose what is held. @param held What `now` returned for the deployed stack */
  lost(held: unknown, input: PlanInput): SettingsError[];
}

/** A class, as `get` and `find` take it. */
export type Class<T> = abstract new (...args: never[]) => T;

/** What a layer's `deploy.ts` exports. */
export interface Deployment {
  /** Makes the layer's components and returns them for the layers after it. Returns none when the layer is off. */
  deploy: (stack: Building) => pulumi.Resource[];
}

/** A layer. Only `name` and `component` are required; a field is left out where the layer has nothing to declare. */
export interface Layer<D extends Declared = Declared> {
  /** Its folder, its name on the command line, and the second part of its components' types. */
  readonly name: string;
  /** Never set: it only carries the types of the other fields. */
  readonly declared?: D;

  /** Its sections of `Pulumi.<stack>.yaml`. */
  readonly settings?: D["settings"];
  /** Its sections of `overrides`. */
  readonly overrides?: D["overrides"];
  /** Its sections with the defaults that depend on other settings. */
  readonly complete?: (input: SettingsInput) => D["completed"];
  /** Cross-field checks. */
  readonly checks?: ReadonlyArray<(given: CheckInput) => void>;

  /** How many hosts of which roles it needs. */
  readonly roles?: readonly RoleNeed[];
  /** CPU and memory that its pods request. */
  readonly demands?: (settings: Settings, parts: PlanParts) => Demand[];
  /** Its rows in the plan's table of services. */
  readonly services?: (input: PlanInput) => ServiceRow[];
  /** What the loss of each of its parts costs, for the plan's table of failures. */
  readonly failures?: (input: PlanInput) => FailureCost[];
  /** What the loss of a zone costs each of its parts that have pods there. */
  readonly zoneLoss?: (input: PlanInput, zone: LostZone) => ZoneEffect[];
  /** What the plan's numbers do not show, one sentence each. */
  readonly notes?: (input: PlanInput) => string[];

  /** The images that it runs. */
  readonly images?: D["images"];
  /** The secrets that the stack generates for it. */
  readonly secrets?: readonly SecretSpec[];
  /** Further ones, whose number depends on the settings. */
  readonly secretsOf?: (settings: Settings) => SecretSpec[];
  /** The DNS records that its public names need, for `npm run plan` and whoever makes them. */
  readonly dns?: (input: PlanInput) => DnsRecord[];
  /** What a deployed stack holds of it, and the changes that would lose that. */
  readonly holds?: Guard;
  /** Connections that its pods open. `layers` are those of the whole stack, since monitoring scrapes all of them. */
  readonly edges?: (input: StackInput) => Edge[];
  /** Metrics endpoints of its pods. */
  readonly targets?: (input: PlanInput) => Target[];
  /** Its alerts, each with its page in docs/runbook.md. */
  readonly alerts?: (input: PlanInput) => RuleGroup[];
  /** Its Grafana dashboards. */
  readonly dashboards?: readonly Dashboard[];
  /**
   * Its pods, for `npm run local -- logs LAYER`: component labels, prefixes that end in `*`, or all pods of a
   * namespace.
   *
   * @example ["cert-manager*", "metrics-server", "cnpg-system/"]
   */
  readonly pods?: readonly string[];
  /** Exceptions to rules for its objects. */
  readonly exceptions?: readonly RuleException[];
  /** Settings that switch on everything of the layer that is off by default; every rule is tested with them. */
  readonly everything?: Record<string, unknown>;

  /** Loads `deploy.ts`. Called only when a stack is built: planning does not load Pulumi. */
  readonly component: () => Promise<Deployment>;
}
