#!/usr/bin/env bash
# Asks the API what its description says it takes and what it says it refuses, with https://schemathesis.io, and checks
# each answer against it.  Usage: Tests/API/run.sh TRELLIS   (EXAMPLES=30 SEED=1)
#
# fields.json is merged into the description: the fields of the one activity that site/config.yaml declares.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/Tests/API
if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: Tests/API/run.sh TRELLIS"
    exit 64
fi
trellis=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")

skip() { echo "API test skipped: $1"; exit 0; }
source "$root/Tests/python.sh"
python_with api schemathesis==4.32.5

lab=$(mktemp -d)
server=
finish() {
    [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
    rm -rf "$lab"
}
trap finish EXIT
fail() { echo "FAILED: $1"; exit 1; }

export TRELLIS_SECRET=0123456789abcdef0123456789abcdef TRELLIS_ADMIN_TOKEN=fedcba9876543210fedcba9876543210
export NO_COLOR=1 PYTHONUTF8=1
cp -r "$here/site" "$lab/site"
cd "$lab/site" || exit 1
"$trellis" import leads.csv > "$lab/import" 2>&1 || { cat "$lab/import"; fail "the leads cannot be imported"; }
"$trellis" serve > /dev/null 2> "$lab/log" &
server=$!
for _ in $(seq 600); do
    url=$(sed -n 's/^Listening: admin //p' "$lab/log")
    [ -n "$url" ] && break
    kill -0 "$server" 2>/dev/null || { cat "$lab/log"; fail "the server does not start"; }
    sleep 0.1
done
[ -n "$url" ] || { cat "$lab/log"; fail "the server does not listen"; }

# The description as the server gives it, which is the file of the repository, with fields.json merged in (RFC 7396).
"$python" - "$url" "$root/Pages/Server/openapi.json" "$here/fields.json" "$lab/openapi.json" <<'PYTHON' ||
import json, os, sys, urllib.request
url, file, fields, output = sys.argv[1:]

def merged(target, patch):
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        target[name] = merged(target.get(name), value)
    return target

request = urllib.request.Request(url + "/api/openapi.json")
request.add_header("Authorization", "Bearer " + os.environ["TRELLIS_ADMIN_TOKEN"])
served = json.load(urllib.request.urlopen(request, timeout=60))
if served != json.load(open(file)):
    sys.exit("GET /api/openapi.json gives another description than Pages/Server/openapi.json: build the program anew.")
json.dump(merged(served, json.load(open(fields))), open(output, "w"))
PYTHON
    fail "there is no description to test by"

cd "$lab" || exit 1
"$(dirname "$python")/st" --config-file "$here/schemathesis.toml" run openapi.json --url "$url" \
    --header "Authorization: Bearer $TRELLIS_ADMIN_TOKEN" --checks all --continue-on-failure --no-color \
    --max-examples "${EXAMPLES:-30}" --seed "${SEED:-1}" --generation-database none > report 2>&1
status=$?
[ $status -eq 0 ] || { cat report; fail "the API is not as its description says"; }
grep -h '"level":"\(error\|critical\)"' log && fail "the server logged an error"
kill -0 "$server" 2>/dev/null || { tail -5 log; fail "the server has stopped"; }
kill "$server"
wait "$server" || fail "the server did not end well"
server=
(cd site && "$trellis" doctor --strict) > doctor 2>&1 || { cat doctor; fail "a promise is broken"; }
echo "The API is as its description says: $(sed -n 's/^ *\([0-9]* generated\).*/\1/p' report | head -1) requests."
