"""As much of Fire as this guest needs: `--name value` pairs become keywords of a function."""

import ast
import inspect
import sys


def Fire(function):
    words = sys.argv[1:]
    known = inspect.signature(function).parameters
    keywords = {}
    for name, value in zip(words[::2], words[1::2]):
        if name[2:] not in known:
            print("ERROR: Could not consume arg: " + name, file=sys.stderr)
            sys.exit(2)
        try:
            keywords[name[2:]] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            keywords[name[2:]] = value
    return function(**keywords)
