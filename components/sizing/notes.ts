/** Notes for operators about the sizing itself. */
import { LARGEST_CCU, SMALLEST_CCU } from "./interpolate";

const number = (n: number): string => n.toLocaleString("en-US");

/** Notes where the number of users is outside of the sizes that were run. */
export function sizeNotes({ ccu, extrapolated }: { ccu: number; extrapolated: boolean }): string[] {
  const notes: string[] = [];
  if (extrapolated)
    notes.push(
      `Nothing was measured beyond ${number(LARGEST_CCU)} users: these numbers continue the slope between 10,000 and 20,000. Test with load before you rely on them.`,
    );
  if (ccu < SMALLEST_CCU) notes.push(`Planned as for ${SMALLEST_CCU} users, the smallest size that was run.`);
  return notes;
}
