/** Draws the pictures of docs/proof/capacity.md. */
import { COSTS } from "../components/sizing/costs";
import { PICTURES } from "../lab/load/pictureFiles";
import { cpuPicture, userPicture } from "./capacityPictures";
import { writeOrCheck } from "./writeOrCheck";

/** Each picture with its text. */
export const capacityPictures = (): Array<{ file: string; text: string }> => {
  const [cpu, user] = PICTURES;
  return [
    { file: `docs/proof/${cpu.file}`, text: cpuPicture(COSTS) },
    { file: `docs/proof/${user.file}`, text: userPicture() },
  ];
};

if (require.main === module)
  writeOrCheck(
    "capacity.ts",
    "Draws the pictures of docs/proof/capacity.md from the measured costs.",
    capacityPictures,
  );
