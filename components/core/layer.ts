/**
 * What a layer says of itself, in one file of its folder (`components/layers/<layer>/layer.ts`). Everything else about
 * the whole stack is a fold over the list of layers (`components/layers/registry.ts`): settings and their reference,
 * the plan, network policies, monitoring, generated secrets, the list of images, rendering, the rules' exceptions.
 */
import type * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { HostRole } from "../domain/roles";
import type { StackSecrets } from "../keys/secrets";
import type { Report } from "../schema/report";
import type { SettingsInput } from "../settings/schema";
import type { Settings } from "../settings/types";
import type { Demand } from "../sizing/demands";
import type { FailureCost, Plan, PlanParts } from "../sizing/types";
import type { StackContext } from "./context";
import type { Edge, EdgeInput } from "./edges";
import type { RuleException } from "./exceptions";
import type { Image } from "./images";
import type { Dashboard, RuleGroup, Target } from "./monitoring";
import type { SecretSpec } from "./secrets";

/** The types of what a layer declares; `Settings` and the image keys are inferred from them. */
export interface Declared {
  settings?: z.ZodRawShape;
  overrides?: z.ZodRawShape;
  /** Sections that are more once the defaults have been filled in that depend on other settings. */
  completed?: object;
  images?: Record<string, Image>;
}

export interface CheckInput {
  /** As written, parsed. */
  input: SettingsInput;
  /** Complete. */
  settings: Settings;
  report: Report;
  now: Date;
}

/** Hosts of a role that a layer needs. */
export interface RoleNeed {
  role: HostRole;
  /** Fewest hosts that survive the loss of one. */
  least: number;
  /** Why no fewer, completing "at least 3: ". */
  why: string;
  /** Whether it is needed at all. @default always */
  when?: (settings: Settings) => boolean;
  /** More than `least`, where settings ask for it, and why. */
  more?: (settings: Settings) => { count: number; why: string };
  /** Another way out, completing "add 1 host". */
  otherwise?: string;
}

/** A row of the plan's table of services. */
export interface ServiceRow {
  service: string;
  instances: number;
  cpu: number;
  memoryMiB: number;
  what: string;
}

export interface PlanInput {
  settings: Settings;
  plan: Plan;
}

/** The stack while it is being built: what a layer gets from those before it. */
export interface Building {
  ctx: StackContext;
  secrets: StackSecrets;
  layers: readonly Layer[];
  /** The stack, parent of every layer's component. */
  self: pulumi.Resource;
  /** A component that an earlier layer made. Throws where there is none. */
  get<T extends pulumi.Resource>(type: Class<T>): T;
  /** The same, or undefined where that layer is off. */
  find<T extends pulumi.Resource>(type: Class<T>): T | undefined;
  /** Options of a component: all of it comes after what any object needs, its pods also after these resources. */
  after(...resources: pulumi.Resource[][]): pulumi.ComponentResourceOptions;
}
export type Class<T> = abstract new (...args: never[]) => T;

export interface Deployment {
  /** Makes the layer's components and returns them, for those that come after. Empty where the layer is off. */
  deploy: (stack: Building) => pulumi.Resource[];
}

export interface Layer<D extends Declared = Declared> {
  /** Its folder, the word for it on the command line, and the second part of its components' types. */
  readonly name: string;
  /** Of no value: the types of the rest are read from it. */
  readonly declared?: D;

  /** Sections of `Pulumi.<stack>.yaml`. */
  readonly settings?: D["settings"];
  /** Sections of `overrides`. */
  readonly overrides?: D["overrides"];
  /** Defaults that depend on other settings. */
  readonly complete?: (input: SettingsInput) => D["completed"];
  /** What no field can tell by itself. */
  readonly checks?: ReadonlyArray<(given: CheckInput) => void>;

  /** Hosts that it needs. */
  readonly roles?: readonly RoleNeed[];
  /** Room that its pods ask for. */
  readonly demands?: (settings: Settings, parts: PlanParts) => Demand[];
  /** Its rows of the plan's table of services. */
  readonly services?: (input: PlanInput) => ServiceRow[];
  /** What the loss of each of its parts costs. */
  readonly failures?: (input: PlanInput) => FailureCost[];
  /** What an operator should know and would not see in the numbers. */
  readonly notes?: (input: PlanInput) => string[];

  readonly images?: D["images"];
  readonly secrets?: readonly SecretSpec[];
  /** Connections that its pods open. @param input.layers Of the whole stack: monitoring scrapes them all. */
  readonly edges?: (input: EdgeInput & { layers: readonly Layer[] }) => Edge[];
  /** What is scraped of its pods. */
  readonly targets?: (input: PlanInput) => Target[];
  readonly alerts?: (input: PlanInput) => RuleGroup[];
  readonly dashboards?: readonly Dashboard[];
  /**
   * Its pods, by their component label, by NAMESPACE/ or by a beginning and `*`: `npm run local -- logs redis` finds
   * them by it.
   */
  readonly pods?: readonly string[];
  readonly exceptions?: readonly RuleException[];
  /** Settings that switch on what is off by default: every rule is tested with them. */
  readonly everything?: Record<string, unknown>;

  /** Loads what makes it (`deploy.ts`). Only a stack that is built asks for it: planning loads nothing of Pulumi. */
  readonly component: () => Promise<Deployment>;
}
