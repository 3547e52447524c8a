#!/usr/bin/env bash
# Holds every config of the repository against the JSON Schema that `trellis schema` prints, with
# https://python-jsonschema.readthedocs.io, and checks that the schema refuses what the program refuses.
# Usage: Tests/Schema/run.sh TRELLIS
set -u
jsonschema=4.23.0
pyyaml=6.0.2
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=$root/.build/schema-venv
if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: Tests/Schema/run.sh TRELLIS"
    exit 64
fi
trellis=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")

skip() { echo "Schema test skipped: $1"; exit 0; }
command -v python3 >/dev/null || skip "there is no python3."
if ! grep -qsx "$jsonschema $pyyaml" "$venv/installed"; then
    rm -rf "$venv"
    mkdir -p "$root/.build"
    python3 -m venv "$venv" >/dev/null 2>&1 || skip "python3 cannot make a virtual environment."
    "$venv/bin/pip" install --quiet --disable-pip-version-check "jsonschema==$jsonschema" "pyyaml==$pyyaml" >/dev/null 2>&1 ||
        skip "pip cannot install jsonschema $jsonschema and pyyaml $pyyaml."
    echo "$jsonschema $pyyaml" > "$venv/installed"
fi
cd "$root" && exec "$venv/bin/python" -B Tests/Schema/schema.py "$trellis"
