/** Interpolation between anchors. Everything here is monotonic: values never fall while users grow. */
import { ANCHOR_CCU, type Row } from "../domain/anchors";

/** Concurrent users of the smallest size that was run; smaller ones are planned like it. */
export const SMALLEST_CCU = ANCHOR_CCU[0];
/** Concurrent users of the largest size that was run. */
export const LARGEST_CCU = ANCHOR_CCU[ANCHOR_CCU.length - 1];

/** Whether nothing was run with so many users. */
export const isExtrapolated = (ccu: number): boolean => ccu > LARGEST_CCU;

/** Linear between two anchors. Below the first anchor: its value. Beyond the last: the last slope, continued. */
export function interpolate(row: Row, ccu: number): number {
  if (ccu <= SMALLEST_CCU) return row[0];
  let right = ANCHOR_CCU.findIndex((a) => a >= ccu);
  if (right === -1) right = ANCHOR_CCU.length - 1;
  const [x0, x1, y0, y1] = [ANCHOR_CCU[right - 1], ANCHOR_CCU[right], row[right - 1], row[right]];
  return y0 + ((y1 - y0) * (ccu - x0)) / (x1 - x0);
}

/** Rounded up to whole steps; a rounding error of floating point does not add one. */
export const ceilTo = (value: number, step: number): number => Math.ceil(value / step - 1e-9) * step;
/** Rounded to two decimals, for cores and shares that people read. */
export const round2 = (value: number): number => Math.round(value * 100) / 100;

/** A whole number (replicas, machines), rounded up. @param factor Multiplies the row. @default 1 */
export const count = (row: Row, ccu: number, factor = 1): number => ceilTo(interpolate(row, ccu) * factor, 1);
/** Requested cores, in twentieths. */
export const cores = (row: Row, ccu: number): number => round2(ceilTo(interpolate(row, ccu), 0.05));
/** Memory in MiB, in steps of 64, from a row in GiB. */
export const memoryMiB = (rowGiB: Row, ccu: number): number => ceilTo(interpolate(rowGiB, ccu) * 1024, 64);

/**
 * The value of the last anchor reached. For quorums: their size depends on failures, not on load, and must stay odd.
 * Beyond the last anchor it does not grow: seven members would only vote more slowly.
 */
export function step(row: Row, ccu: number): number {
  let value = row[0];
  ANCHOR_CCU.forEach((a, i) => {
    if (ccu >= a) value = row[i];
  });
  return value;
}
