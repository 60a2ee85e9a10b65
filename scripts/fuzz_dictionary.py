#!/usr/bin/env python3
"""fuzz_dictionary.py SCHEMA: the words of a JSON Schema as a dictionary of libFuzzer: keys, values and defaults."""
import json
import sys


def words_of(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "properties":
                yield from value
            if key in ("enum", "examples"):
                yield from (entry for entry in value if isinstance(entry, str))
            if key in ("default", "const") and isinstance(value, str):
                yield value
            yield from words_of(value)
    elif isinstance(node, list):
        for entry in node:
            yield from words_of(entry)


with open(sys.argv[1], encoding="utf-8") as file:
    words = sorted({word for word in words_of(json.load(file)) if word.isascii() and word.isprintable()})
for word in words:
    escaped = json.dumps(word).replace("\\", "\\\\").replace('"', '\\"')
    print(f'"{escaped}"')
