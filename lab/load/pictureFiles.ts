/** The pictures of docs/proof/capacity.md: drawn by scripts/capacity.ts, shown by the page. Pure. */
export const PICTURES = [
  { file: "capacity-cpu.svg", title: "CPU of one operation, by part" },
  { file: "capacity-user.svg", title: "CPU of 1,000 users at their peak, by size of the stack and activity" },
] as const;
