#!/usr/bin/env bash
# How long each view of the figures takes on a large file. usage: run.sh BINARY [LEADS [EVENTS]]
#
# The population of the file is written down in make_file.py. The figures are counted by the program itself from the log,
# and `trellis doctor` then says that they are its sums. Needs python3 alone. The file is thrown away; KEEP=1 keeps it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=$(realpath "$1")
leads=${2:-1000000}
events=${3:-$((leads * 20))}
command -v python3 >/dev/null || { echo "Views not measured: python3 is not installed."; exit 0; }
export TRELLIS_SECRET=a-secret-of-32-bytes-for-the-bench TRELLIS_LOG=warning

folder=$root/.build/bench-views
finish() { [ -n "${KEEP:-}" ] && echo "Kept: $folder" || rm -rf "$folder"; }
trap finish EXIT
rm -rf "$folder" && mkdir -p "$folder" && cd "$folder"
cat >config.yaml <<'YAML'
site: {name: Bench, base_url: "https://crm.bench.example", postal_address: 1 Main Street, currency: EUR, secret: "${TRELLIS_SECRET}"}
mail: {from: Bench <hello@bench.example>, transport: file}
goals: {leads_per_month: 28000, mql_per_month: 9000, speed_to_lead: 4 hours}
plugins: {figures: {}, lead_magnets: {magnets: {}}, drip: {sequences: {}}}
YAML
since=$SECONDS
done_with() { printf '%-44s %5d s\n' "$1" $((SECONDS - since)); since=$SECONDS; }

"$binary" work --until-idle >/dev/null
python3 -B "$here/make_file.py" crm.sqlite "$leads" "$events"
done_with "made $(du -h crm.sqlite | cut -f1) of leads and log"
"$binary" work --until-idle >/dev/null
pending=$(python3 -c 'import sqlite3
print(sqlite3.connect("crm.sqlite").execute("SELECT count(*) FROM events WHERE id > (SELECT min(last_event_id) FROM subscribers)").fetchone()[0])')
[ "$pending" = 0 ] || { echo "$pending events were not handled." >&2; exit 1; }
done_with "counted by the program"
"$binary" doctor >doctor.txt || { grep -v '^ok' doctor.txt >&2; exit 1; }
done_with "held against the log by trellis doctor"
echo
python3 -B "$here/views.py" crm.sqlite "$root/Views/Figures"
