let listening = false;

/**
 * Ends this process as soon as nobody reads what it prints: the engine was killed, and its language host with it. The
 * SDK (3.248, cmd/run) answers the broken pipe by reporting it, which breaks the pipe again: the program then ran on
 * for ever on a core of its own, and with 4 GiB of errors. Doing it again changes nothing.
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
