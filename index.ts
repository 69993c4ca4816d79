/** Settings in, stack composed, outputs out. Everything is in components/; this file is what the engine runs. */
import { program } from "./components/program";

export = program;
