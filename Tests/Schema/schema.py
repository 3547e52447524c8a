"""Every config of the repository fits the schema, and the schema refuses what the program refuses: schema.py TRELLIS"""

import copy
import glob
import json
import re
import subprocess
import sys

import yaml
from jsonschema import Draft202012Validator

PATTERNS = ["Examples/*/config.yaml", "Starter/config.yaml", "Tests/*/site/config.yaml"]


class Loader(yaml.SafeLoader):
    """YAML as editors read it (the core schema of YAML 1.2): no, on and dates are texts."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in [("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"), ("null", r"~|null|Null|NULL|", "~nN\0"),
                            ("int", r"[-+]?[0-9]+", "-+0123456789"),
                            ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?", "-+0123456789.")]:
    for letter in list(first.replace("\0", "")) + [""] * ("\0" in first):
        Loader.yaml_implicit_resolvers.setdefault(letter, []).append(
            (f"tag:yaml.org,2002:{tag}", re.compile(rf"^(?:{pattern})$")))


def load(text):
    return yaml.load(text, Loader)


def problems(validator, config):
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(config)]


def main():
    schema = json.loads(subprocess.run([sys.argv[1], "schema"], capture_output=True, text=True, check=True).stdout)
    Draft202012Validator.check_schema(schema)
    validator, failed, count = Draft202012Validator(schema), [], 0
    for path in sorted(sum((glob.glob(pattern) for pattern in PATTERNS), [])):
        count += 1
        with open(path) as file:
            failed += [f"{path}: {problem}" for problem in problems(validator, load(file.read()))]
    with open("Starter/config.yaml") as file:
        starter = load(file.read())
    wrong = {
        "a misspelt key": lambda config: config.update(sitee={}),
        "a misspelt key further in": lambda config: config["site"].update(nmae="x"),
        "a text for a number": lambda config: config["server"].update(limits={"connections": "many"}),
        "a number out of range": lambda config: config["server"].update(limits={"connections": 1}),
        "a query without SQL": lambda config: config.update(queries={"x": {"description": "x"}}),
        "a parameter of no type": lambda config: config.update(queries={"x": {"sql": "SELECT :a", "parameters": {"a": {"type": "colour"}}}}),
    }
    for name, change in wrong.items():
        config = copy.deepcopy(starter)
        change(config)
        if not problems(validator, config):
            failed.append(f"the schema takes {name}")
    for line in failed:
        print("FAIL " + line)
    print(f"{count} configs and {len(wrong)} that are wrong: {len(failed)} problems.")
    sys.exit(1 if failed or count < 8 else 0)


if __name__ == "__main__":
    main()
