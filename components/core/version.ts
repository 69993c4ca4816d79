/** The version of this code. Pods carry no label with it: each release would restart everything. Pure. */
import { version } from "../../package.json";

export const VERSION: string = version;
