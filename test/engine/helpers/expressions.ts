/** GitHub's expressions, as many as the workflow uses; another one is an error, not a guess. */

export type Contexts = Record<string, unknown>;
export interface Status {
  failed: boolean;
  cancelled: boolean;
}

const TOKEN = /\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|(==|!=|&&|\|\||[!()]))/y;

function tokens(text: string): string[] {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex,
      match = TOKEN.exec(text);
    if (!match) throw new Error(`the test does not know this expression: ${text.slice(at)}`);
    found.push(match[1] ?? match[2] ?? match[3]!);
  }
  return found;
}

/** `undefined` is GitHub's null: it is false, and prints as nothing. */
export function evaluate(expression: string, contexts: Contexts, status: Status): unknown {
  const rest = tokens(expression);
  const next = (): string =>
    rest.shift() ??
    (() => {
      throw new Error(`the expression ends too early: ${expression}`);
    })();
  const functions: Record<string, (argument?: unknown) => unknown> = {
    fromJSON: (text) => JSON.parse(String(text)),
    success: () => !status.failed && !status.cancelled,
    failure: () => status.failed,
    cancelled: () => status.cancelled,
    always: () => true,
  };
  function value(): unknown {
    const token = next();
    if (token === "!") return !value();
    if (token === "(") {
      const inner = or();
      next();
      return inner;
    }
    if (token.startsWith("'")) return token.slice(1, -1).replace(/''/g, "'");
    if (rest.at(0) === "(") {
      next();
      const argument = rest.at(0) === ")" ? undefined : or();
      next();
      const known = functions[token];
      if (!known) throw new Error(`the test does not know the function ${token}`);
      return known(argument);
    }
    const [context, ...path] = token.split(".");
    if (!(context! in contexts)) throw new Error(`the test does not know the context ${context} of ${token}`);
    return path.reduce<any>((at, key) => at?.[key], contexts[context!]);
  }
  function comparison(): unknown {
    const left = value();
    if (rest[0] !== "==" && rest[0] !== "!=") return left;
    return (next() === "==") === (left === value());
  }
  function and(): unknown {
    let left = comparison();
    while (rest[0] === "&&") {
      next();
      const right = comparison();
      left = left ? right : left;
    }
    return left;
  }
  function or(): unknown {
    let left = and();
    while (rest[0] === "||") {
      next();
      const right = and();
      left = left ? left : right;
    }
    return left;
  }
  const result = or();
  if (rest.length) throw new Error(`the test does not know the end of ${expression}: ${rest.join(" ")}`);
  return result;
}

/** A text with its expressions; one that is nothing but an expression keeps its type. */
export function filled(value: unknown, contexts: Contexts, status: Status): unknown {
  if (Array.isArray(value)) return value.map((v) => filled(v, contexts, status));
  if (value !== null && typeof value === "object")
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, filled(v, contexts, status)]));
  if (typeof value !== "string") return value;
  const whole = /^\$\{\{((?:(?!\}\}).)*)\}\}$/s.exec(value);
  if (whole) return evaluate(whole[1]!, contexts, status);
  return value.replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) =>
    String(evaluate(expression, contexts, status) ?? ""),
  );
}
