"""The JSON Schema is valid, accepts the shipped configuration, and agrees with the parser.

usage: schema_test.py SCHEMA CONFIG DOCUMENTS SAMPLES_PROGRAM
"""

import json
import re
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed")
    sys.exit(77)

# What a schema cannot say: "1.0" is an integer to it, and it neither adds nor divides.
PARSER_ONLY = re.compile(r"[:\[ ]1\.0\b|1e2|36526d|1\.5ns")


def without_comments(text):
    strings_and_comments = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
    return strings_and_comments.sub(lambda match: match.group(1) or " ", text)


def main():
    schema_path, config_path, documents_path, samples_program = sys.argv[1:]
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    faults = []

    with open(config_path, encoding="utf-8") as file:
        for error in validator.iter_errors(json.loads(without_comments(file.read()))):
            faults.append(f"{config_path}: {error.message}")

    with open(documents_path, encoding="utf-8") as file:
        for row in json.load(file):
            expected = row["verdict"] in ("good", "parser only")
            if validator.is_valid(row["document"]) != expected:
                faults.append(f"document \"{row['name']}\": the schema says {not expected}, expected {expected}")

    samples = json.loads(subprocess.run([samples_program], check=True, stdout=subprocess.PIPE).stdout)
    if len(samples) < 500:
        faults.append(f"only {len(samples)} samples: something is missing")
    for sample in samples:
        valid = validator.is_valid(json.loads(sample["text"]))
        if valid != sample["accepted"] and not (valid and PARSER_ONLY.search(sample["text"])):
            faults.append(f"{sample['text']}: the schema says {valid}, the parser {sample['accepted']}")

    print("\n".join(faults) or f"{len(samples)} samples agree")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
