#!/usr/bin/env bash
# Runs the clients that Documentation/YourCRMInSQL.md shows on a file whose worker is at work, and on one whose server
# takes forms meanwhile: sqlite3, Python's sqlite3, pandas (https://pandas.pydata.org), DuckDB (https://duckdb.org) and
# Datasette (https://datasette.io).
# Usage: Tests/Clients/run.sh TRELLIS
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: Tests/Clients/run.sh TRELLIS"
    exit 64
fi
trellis=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")

skip() { echo "Clients test skipped: $1"; exit 0; }
source "$root/Tests/python.sh"
python_with clients pandas==2.3.3 duckdb==1.5.5
# Datasette needs more than twenty packages besides: the rest runs without it.
[ -x "${python%/*}/datasette" ] || "$python" -m pip install --quiet --disable-pip-version-check datasette==0.65.5 >/dev/null 2>&1 || true

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TRELLIS_SECRET="a secret for tests only" TRELLIS_ADMIN_TOKEN="a token for tests only, and long enough"
"$trellis" init "$folder" >/dev/null || exit 1
cd "$folder" || exit 1
"$trellis" import leads.csv >/dev/null || exit 1
"$trellis" import activities.csv --into activities >/dev/null || exit 1
"$python" -B "$root/Tests/Clients/clients.py" "$trellis" "$folder" || exit 1
mkdir "$folder/forms"
"$python" -B "$root/Tests/Clients/beside_forms.py" "$trellis" "$folder/forms"
