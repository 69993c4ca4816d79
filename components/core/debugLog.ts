/** What the SDK tells the engine for its debug log, without what came back from a provider. */
type Log = Record<"debug", (message: string, ...rest: unknown[]) => Promise<void>>;

// The SDK's modules call it on this object; an `import` would be a copy.
const sdkLog: Log = require("@pulumi/pulumi/log");
const HIDDEN = "(not logged: a generated secret stands in it in clear)";
const MENDED = Symbol.for("matrix-ha.debugLog");

/**
 * `RegisterResource RPC finished: ...; err: null, resp: ...` holds every generated value in clear (SDK 3.248,
 * runtime/resource.js). The engine hides secrets of the configuration alone, and hands its events to the Automation
 * API, to `--event-log` and, with `--debug`, to the backend, which keeps them.
 */
export const withoutResponse = (message: string): string => message.replace(/(\bresp: )[\s\S]+$/, `$1${HIDDEN}`);

/** From now on, in this process; doing it again changes nothing. */
export function hideResponsesInDebugLog(): void {
  const debug = sdkLog.debug as Log["debug"] & { [MENDED]?: true };
  if (debug[MENDED]) return;
  sdkLog.debug = Object.assign(
    (message: string, ...rest: unknown[]) => debug.call(sdkLog, withoutResponse(message), ...rest),
    { [MENDED]: true as const },
  );
}
