/**
 * A killed engine tells its plugins nothing: the real ones ask for it now and then, these look at who their parent is.
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
