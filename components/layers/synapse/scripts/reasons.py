"""What an error says, without any value of the configuration: values may be secrets, and a log has many readers.

A message is compared with the texts in the source of the functions that it came through. What is shown is the text of
the source, with HIDDEN where the program put something in. A message without such a text is not shown at all.
"""

import ast
import functools
import json
import re

HIDDEN = "..."
# Where a program puts something in: %s, %(name)r, {}, {name!r}.
PLACE = re.compile(r"%(?:\(\w+\))?[-#0 +]*\d*(?:\.\d+)?[srdiaxf]|\{[^{}]*\}")
# Messages of Python itself, which have no source to read.
OF_PYTHON = [
    "invalid literal for int() with base %s: %s",
    "could not convert string to float: %s",
    "No module named %s",
    "module '%s' has no attribute '%s'",
    "'%s' object has no attribute '%s'",
]
TYPE = "'?(str|int|float|bool|list|dict|NoneType)'?"
WITHOUT_VALUES = re.compile(
    f"{TYPE} object is not (iterable|subscriptable|callable|a mapping)"
    f"|{TYPE} object has no attribute '(get|items|keys|values|lower|split|strip|startswith|append|encode)'"
    "|(string|list|tuple) indices must be integers( or slices)?, not " + TYPE + "|argument of type " + TYPE + " is not (iterable|a container or iterable)"
)


def static_parts(node):
    """The pieces of a text between which values stand; None where the node is no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return PLACE.split(node.value)
    if isinstance(node, ast.JoinedStr):
        text = "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
        return PLACE.split(text)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = static_parts(node.left), static_parts(node.right)
        return left and right and [*left[:-1], left[-1] + right[0], *right[1:]]
    return None


def is_sentence(parts):
    """Two words at least: a single one may be a value by chance."""
    return len(re.findall(r"[A-Za-z]{2,}", " ".join(parts))) >= 2 and len("".join(parts)) < 2000 and len(parts) < 8


@functools.cache
def texts(path):
    try:
        with open(path) as f:
            tree = ast.parse(f.read())
    except (OSError, SyntaxError, ValueError):
        return []
    return [parts for node in ast.walk(tree) if (parts := static_parts(node)) and is_sentence(parts)]


def frames(error):
    trace = error.__traceback__
    while trace:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next


def of_source(message, known):
    """The longest of the known texts that is the message, but for the values."""
    found = [parts for parts in known if len(message) < 4000 and re.fullmatch("(?s:.*?)".join(map(re.escape, parts)), message)]
    return HIDDEN.join(max(found, key=lambda parts: len("".join(parts)))) if found else ""


def shown(error):
    """The text of the source that made the message; of some errors each line has its own."""
    message = str(getattr(error, "msg", error))
    if WITHOUT_VALUES.fullmatch(message):
        return message
    known = [PLACE.split(text) for text in OF_PYTHON] + [p for path in {path for path, _ in frames(error)} for p in texts(path)]
    text = of_source(message, known) or " ".join(filter(None, (of_source(line, known) for line in message.splitlines())))
    return " ".join(text.split())


def missing_key(error):
    """The name that a line of the source looked for."""
    *_, (path, line) = frames(error)
    try:
        with open(path) as f:
            tree = ast.parse(f.read())
    except (OSError, SyntaxError, ValueError):
        return ""
    names = {n.slice.value for n in ast.walk(tree) if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant) and n.lineno <= line <= n.end_lineno}
    return "no `%s`" % error.args[0] if error.args and error.args[0] in names else ""


def of_schema(error):
    """What a value was to be, by a schema of Synapse."""
    wanted = json.dumps(error.validator_value, default=str)
    return "not what the schema wants: %s%s" % (error.validator, " " + wanted if len(wanted) < 100 else "")


def of_model(error, is_name):
    """What fields were to be, by a model of Synapse."""
    return "; ".join(
        "%s: %s" % (dotted(e["loc"], is_name), e["type"] if e["type"] in ("value_error", "assertion_error") else e["msg"])
        for e in error.errors(include_input=False, include_url=False, include_context=False)[:5]
    )


def dotted(path, is_name):
    return ".".join(str(p) if isinstance(p, int) or is_name(p) or re.fullmatch(r"<item \d+>", p) else HIDDEN for p in path)


def described(error, is_name):
    """An error, and the place that it names."""
    kind = type(error)
    if kind.__name__ == "ValidationError" and kind.__module__.startswith("jsonschema"):
        text = of_schema(error)
    elif kind.__name__ == "ValidationError" and kind.__module__.startswith("pydantic"):
        text = of_model(error, is_name)
    elif isinstance(error, KeyError):
        text = missing_key(error)
    else:
        text = shown(error)
    path = getattr(error, "path", None)
    at = dotted(path, is_name) if kind.__name__ == "ConfigError" and isinstance(path, (list, tuple)) else ""
    return ": ".join(part for part in (at, kind.__name__, text) if part)


def reason(error, is_name=lambda name: False):
    """What is wrong, in a line: the error, and those that it came from.

    `is_name` says whether a text is the name of an option, and so may be shown.
    """
    said = []
    while error is not None and len(said) < 4:
        said.append(described(error, is_name))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "; ".join(dict.fromkeys(said))
