let listening = false;

/**
 * Ends this process as soon as its output pipe is closed, which means that the engine and its language host were
 * killed. The SDK (3.248, cmd/run) reports the broken pipe on that same pipe, so the program ran on for ever, used one
 * core, and collected 4 GiB of errors. A second call changes nothing.
 */
export function endWhenOrphaned(): void {
  if (listening) return;
  listening = true;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(1);
      throw error;
    });
  }
}
