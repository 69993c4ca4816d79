/** The shapes of the architecture picture. Pure. */
export type Point = [x: number, y: number];
export type Tone = "world" | "front" | "synapse" | "data" | "calls" | "aside";
export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
  tone: Tone;
  title: string;
  lines: string[];
}

const LINE = 18;
const esc = (s: string): string => s.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

/** Letters are about 0.53 of their size wide in DejaVu Sans, the widest font of the list. */
const fits = (text: string, size: number, width: number): boolean => text.length * size * 0.53 <= width;

export function box({ x, y, w, h, tone, title, lines }: Box): string {
  const outside = [
    ...(fits(title, 15, w - 18) ? [] : [title]),
    ...lines.filter((l, i) => !fits(l, 13, w - 18) || 43 + i * LINE > h - 4),
  ];
  if (outside.length) throw new Error(`does not fit its box of ${w} x ${h}: ${outside.join("; ")}`);
  const text = lines
    .map((l, i) => (l ? `<text class="line" x="${x + 12}" y="${y + 43 + i * LINE}">${esc(l)}</text>` : ""))
    .join("");
  return `<rect class="${tone}" x="${x}" y="${y}" width="${w}" height="${h}" rx="8"/><text class="title" x="${x + 12}" y="${y + 24}">${esc(title)}</text>${text}`;
}

/** A small box with two short lines. */
export interface Chip {
  x: number;
  y: number;
  w: number;
  name: string;
  detail: string;
}

export function chip({ x, y, w, name, detail }: Chip): string {
  return `<rect class="chip" x="${x}" y="${y}" width="${w}" height="40" rx="6"/><text class="name" x="${x + 9}" y="${y + 17}">${esc(name)}</text><text class="line" x="${x + 9}" y="${y + 33}">${esc(detail)}</text>`;
}

/** An arrow through the points; labels, one per line, at `label` or right of the middle of the first segment. */
export function arrow(
  points: Point[],
  labels: string[],
  label?: Point,
  anchor: "start" | "middle" | "end" = "start",
): string {
  const [a, b] = points as [Point, Point];
  // TCP ports share a line; ranges of UDP have their own.
  const udp = labels.filter((l) => l.startsWith("UDP")),
    tcp = labels.filter((l) => !l.startsWith("UDP"));
  const text = [...(tcp.length ? [tcp.join(", ")] : []), ...udp];
  const [x, y] = label ?? [(a[0] + b[0]) / 2 + 9, (a[1] + b[1]) / 2 + 4 - ((text.length - 1) * 15) / 2];
  return `<path class="arrow" d="M${points.map((p) => p.join(" ")).join("L")}" marker-end="url(#head)"/>${text.map((t, i) => `<text class="port" text-anchor="${anchor}" x="${x}" y="${y + i * 15}">${esc(t)}</text>`).join("")}`;
}

const LIGHT = {
  paper: "#ffffff",
  edge: "#d0d7de",
  text: "#1f2328",
  faint: "#57606a",
  world: "#eaeef2",
  front: "#ddf4ff",
  synapse: "#dafbe1",
  data: "#fff3d1",
  calls: "#fbe4f3",
  aside: "#f3f4f6",
  chip: "#ffffff",
  line: "#424a53",
};
const DARK: typeof LIGHT = {
  paper: "#0d1117",
  edge: "#3d444d",
  text: "#f0f6fc",
  faint: "#b1bac4",
  world: "#21262d",
  front: "#0c2d48",
  synapse: "#0f3320",
  data: "#3a2c06",
  calls: "#3b1a33",
  aside: "#1b2028",
  chip: "#0d1117",
  line: "#c9d1d9",
};

const colours = (c: typeof LIGHT): string => `.paper{fill:${c.paper};stroke:${c.edge}}
${(["world", "front", "synapse", "data", "calls", "aside", "chip"] as const).map((t) => `.${t}{fill:${c[t]};stroke:${c.edge}}`).join("")}
.title,.name{fill:${c.text}}.line{fill:${c.faint}}.port{fill:${c.text}}.arrow{stroke:${c.line}}.head{fill:${c.line}}`;

export interface Picture {
  width: number;
  height: number;
  title: string;
  body: string[];
  /** For viewers that do not support media queries. */
  theme?: "dark";
}

/** With its own background, so that it is readable on any page; dark if the reader prefers that. */
export function document({ width, height, title, body, theme }: Picture): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${esc(title)}">
<title>${esc(title)}</title>
<style>
text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;font-size:13px}
.title{font-size:15px;font-weight:600}.name{font-size:13px;font-weight:600}.port{font-size:12px}
.arrow{fill:none;stroke-width:1.6}
${colours(theme === "dark" ? DARK : LIGHT)}
@media (prefers-color-scheme: dark){${colours(DARK)}}
</style>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path class="head" d="M0 0L10 5L0 10z"/></marker></defs>
<rect class="paper" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="12"/>
${body.join("\n")}
</svg>
`;
}
