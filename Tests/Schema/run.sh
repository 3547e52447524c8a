#!/usr/bin/env bash
# Holds every config of the repository against the JSON Schema that `trellis schema` prints, with
# https://python-jsonschema.readthedocs.io, and checks that the schema refuses what the program refuses.
# Usage: Tests/Schema/run.sh TRELLIS
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: Tests/Schema/run.sh TRELLIS"
    exit 64
fi
trellis=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")

skip() { echo "Schema test skipped: $1"; exit 0; }
source "$root/Tests/python.sh"
python_with schema jsonschema==4.23.0 pyyaml==6.0.2
cd "$root" && exec "$python" -B Tests/Schema/schema.py "$trellis"
