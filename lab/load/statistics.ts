/** Percentiles, and straight lines through measured points with their errors. Pure. */

/** The smallest value that at least this share of the values does not exceed; undefined without any. */
export function percentile(values: readonly number[], share: number): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

export const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((x, y) => x - y),
    middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export interface Point {
  x: number;
  y: number;
}

/** A line by least squares. */
export interface Line {
  slope: number;
  intercept: number;
  /** Standard error of the slope: two thirds of repeated measurements lie within it. */
  error: number;
  interceptError: number;
  points: number;
  /** Largest distance of a point from the line, as a share of the line's rise from the first to the last. */
  bend: number;
}

/** A bend above this share of the rise is not a straight line. */
export const STRAIGHT = 0.1;

/** @throws With fewer than three points, or without two different x: there would be no error to state. */
export function line(points: readonly Point[]): Line {
  const n = points.length,
    mx = mean(points.map((p) => p.x)),
    my = mean(points.map((p) => p.y));
  const sxx = points.reduce((sum, { x }) => sum + (x - mx) ** 2, 0);
  if (n < 3 || sxx === 0)
    throw new Error(
      `a line needs three points and two different x; given are ${n} at ${points.map((p) => p.x).join(", ")}`,
    );
  const slope = points.reduce((sum, { x, y }) => sum + (x - mx) * (y - my), 0) / sxx,
    intercept = my - slope * mx;
  const residuals = points.map(({ x, y }) => y - intercept - slope * x);
  const variance = residuals.reduce((sum, r) => sum + r * r, 0) / (n - 2);
  const xs = points.map((p) => p.x),
    rise = Math.abs(slope) * (Math.max(...xs) - Math.min(...xs));
  return {
    slope,
    intercept,
    error: Math.sqrt(variance / sxx),
    interceptError: Math.sqrt(variance * (1 / n + (mx * mx) / sxx)),
    points: n,
    bend: rise > 0 ? Math.max(...residuals.map(Math.abs)) / rise : Infinity,
  };
}

/** Whether the slope is told from zero: more than twice its error. */
export const isKnown = (l: Line): boolean => Math.abs(l.slope) > 2 * l.error;
export const isStraight = (l: Line): boolean => l.bend <= STRAIGHT;
