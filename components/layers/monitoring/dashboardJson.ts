/** Dashboards in Grafana's format. Pure. */
import type { Dashboard } from "../../core/monitoring";

const DATASOURCE = { type: "prometheus", uid: "${datasource}" };
const COLUMNS = 3;

/** A dashboard as Grafana reads it. */
export function dashboardJson(d: Dashboard): object {
  let y = 0;
  let id = 0;
  const panels: object[] = [];
  for (const row of d.rows) {
    panels.push({
      id: (id += 1),
      type: "row",
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y += 1;
    row.panels.forEach((x, i) => {
      panels.push({
        id: (id += 1),
        type: x.kind ?? "timeseries",
        title: x.title,
        datasource: DATASOURCE,
        gridPos: { x: (i % COLUMNS) * 8, y: y + Math.floor(i / COLUMNS) * 8, w: 8, h: 8 },
        fieldConfig: { defaults: { unit: x.unit, min: 0 }, overrides: [] },
        targets: x.queries.map(([legend, expr], n) => ({
          refId: String.fromCharCode(65 + n),
          datasource: DATASOURCE,
          expr,
          legendFormat: legend || "__auto",
        })),
      });
    });
    y += Math.ceil(row.panels.length / COLUMNS) * 8;
  }
  return {
    uid: d.uid,
    title: d.title,
    tags: ["matrix-ha"],
    schemaVersion: 41,
    version: 1,
    editable: false,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    templating: { list: [{ name: "datasource", type: "datasource", query: "prometheus", label: "Prometheus" }] },
    panels,
  };
}
