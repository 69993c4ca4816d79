/**
 * A killed engine does not notify its plugins: the real ones poll it now and then, these check their parent process.
 */
const LOOK_MILLISECONDS = 5000;

/** Ends this process when the engine that started it has gone; `before` is called first. */
export function endWithoutEngine(before: () => void = () => undefined): void {
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid === engine) return;
    before();
    process.exit(1);
  }, LOOK_MILLISECONDS).unref();
}
