/** Interpolation between anchors. Everything here is monotonic: values never fall while users grow. */
import { ANCHOR_CCU, type Row } from "../domain/anchors";

export const SMALLEST_CCU = ANCHOR_CCU[0];
export const LARGEST_CCU = ANCHOR_CCU[ANCHOR_CCU.length - 1];

export const isExtrapolated = (ccu: number): boolean => ccu > LARGEST_CCU;

/** Linear between two anchors; below the first its value; beyond the last its slope continued. */
export function interpolate(row: Row, ccu: number): number {
  if (ccu <= SMALLEST_CCU) return row[0];
  let right = ANCHOR_CCU.findIndex((a) => a >= ccu);
  if (right === -1) right = ANCHOR_CCU.length - 1;
  const [x0, x1, y0, y1] = [ANCHOR_CCU[right - 1], ANCHOR_CCU[right], row[right - 1], row[right]];
  return y0 + ((y1 - y0) * (ccu - x0)) / (x1 - x0);
}

/** Rounded up to whole steps; a hair of floating point is no reason for another step. */
export const ceilTo = (value: number, step: number): number => Math.ceil(value / step - 1e-9) * step;
/** Rounded to two decimals, for cores and shares that people read. */
export const round2 = (value: number): number => Math.round(value * 100) / 100;

/** Whole things (replicas, machines): always enough, so rounded up. */
export const count = (row: Row, ccu: number, factor = 1): number => ceilTo(interpolate(row, ccu) * factor, 1);
/** Requested cores, in twentieths. */
export const cores = (row: Row, ccu: number): number => round2(ceilTo(interpolate(row, ccu), 0.05));
/** Memory given in GiB at the anchors, in steps of 64 MiB. */
export const memoryMiB = (rowGiB: Row, ccu: number): number => ceilTo(interpolate(rowGiB, ccu) * 1024, 64);

/**
 * The value of the last anchor reached: for quorums, whose size is about failures and not about load, and which
 * must stay odd. Beyond the last anchor it stays: seven members vote more slowly and lose no less.
 */
export function step(row: Row, ccu: number): number {
  let value = row[0];
  ANCHOR_CCU.forEach((a, i) => {
    if (ccu >= a) value = row[i];
  });
  return value;
}
