/** Keeps the providers' responses out of the debug messages that the SDK sends to the engine. */
type Log = Record<"debug", (message: string, ...rest: unknown[]) => Promise<void>>;

// The SDK's modules call `debug` on this object; an `import` would give a copy of it.
const sdkLog: Log = require("@pulumi/pulumi/log");
const HIDDEN = "(not logged: it contains generated secrets in clear text)";
const MENDED = Symbol.for("matrix-ha.debugLog");

/**
 * The message without the response. `RegisterResource RPC finished: ...; err: null, resp: ...` contains every generated
 * value in clear text (SDK 3.248, runtime/resource.js). The engine hides only the secrets of the configuration, and
 * passes its events to the Automation API, to `--event-log` and, with `--debug`, to the backend, which stores them.
 */
export const withoutResponse = (message: string): string => message.replace(/(\bresp: )[\s\S]+$/, `$1${HIDDEN}`);

/** Applies `withoutResponse` to every later debug message of this process. A second call changes nothing. */
export function hideResponsesInDebugLog(): void {
  const debug = sdkLog.debug as Log["debug"] & { [MENDED]?: true };
  if (debug[MENDED]) return;
  sdkLog.debug = Object.assign(
    (message: string, ...rest: unknown[]) => debug.call(sdkLog, withoutResponse(message), ...rest),
    { [MENDED]: true as const },
  );
}
