/** Objects of the API server by kind, applied as strictly as it can. */
import { Refusal, type Api } from "../scenarios/api";
import type { KubeObject } from "./played";

/** Where a kind is served. */
interface Kind {
  plural: string;
  namespaced: boolean;
}

const OWNER = "scale";

export class Objects {
  private readonly kinds = new Map<string, Map<string, Kind>>();
  constructor(readonly api: Api) {}

  private async kindOf(apiVersion: string, kind: string): Promise<Kind> {
    const known = this.kinds.get(apiVersion)?.get(kind);
    if (known) return known;
    const { resources } = await this.api.get(groupPath(apiVersion));
    const kinds = new Map<string, Kind>(
      resources
        .filter((r: any) => !r.name.includes("/"))
        .map((r: any) => [r.kind, { plural: r.name, namespaced: r.namespaced }]),
    );
    const found = kinds.get(kind);
    if (!found) throw new Error(`${apiVersion} has no kind ${kind}`);
    this.kinds.set(apiVersion, kinds);
    return found;
  }

  async pathOf({ apiVersion, kind, metadata }: KubeObject): Promise<string> {
    const { plural, namespaced } = await this.kindOf(apiVersion!, kind!);
    const where = namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
    return `${groupPath(apiVersion!)}${where}/${plural}/${metadata.name}`;
  }

  /** Server-side apply; a field that the schema does not have is an error. */
  async apply(object: KubeObject, owner = OWNER): Promise<KubeObject> {
    return this.api.request({
      method: "PATCH",
      path: `${await this.pathOf(object)}?fieldManager=${owner}&fieldValidation=Strict&force=true`,
      body: object,
      contentType: "application/apply-patch+yaml",
    });
  }

  /** Fields of the status, merged into what is there. */
  async status(object: KubeObject, status: object): Promise<void> {
    await this.merge(`${await this.pathOf(object)}/status`, { status });
  }

  merge(path: string, body: object): Promise<any> {
    return this.api.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" });
  }

  /** Every object of a kind; none where the kind does not exist yet. */
  async list(apiVersion: string, plural: string): Promise<KubeObject[]> {
    try {
      const { items, kind } = await this.api.get(`${groupPath(apiVersion)}/${plural}`);
      return items.map((item: KubeObject) => ({ ...item, apiVersion, kind: String(kind).replace(/List$/, "") }));
    } catch (error) {
      if (error instanceof Refusal && error.code === 404) return [];
      throw error;
    }
  }

  /** Deletes an object; one that has gone already is fine. @param graceSeconds @default those of the object */
  async remove(path: string, graceSeconds?: number): Promise<void> {
    try {
      await this.api.request({
        method: "DELETE",
        path,
        body: {
          kind: "DeleteOptions",
          apiVersion: "v1",
          ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
        },
      });
    } catch (error) {
      if (!(error instanceof Refusal && error.code === 404)) throw error;
    }
  }
}

const groupPath = (apiVersion: string): string => (apiVersion.includes("/") ? `/apis/${apiVersion}` : "/api/v1");

export const podPath = ({ namespace, name }: { namespace?: string; name: string }): string =>
  `/api/v1/namespaces/${namespace}/pods/${name}`;
