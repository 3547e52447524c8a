#!/usr/bin/env bash
# How long `trellis simulate` takes for a month of many leads. usage: run.sh BINARY [LEADS]
#
# The starter CRM gets a list of leads who all agreed to the letter, so that each enters its welcome sequence and is mailed;
# then 30 days are lived through on a copy, with 20 new leads a day and what people do assumed or measured.
# Prints seconds by the wall and by the processor beside a minute. It is a figure, not a test: it ends with 0 either way.
set -euo pipefail
binary=$(realpath "$1")
leads=${2:-100000}
seconds_max=60
for tool in sqlite3 awk; do
    command -v "$tool" >/dev/null || { echo "The simulation is not measured: $tool is not installed."; exit 0; }
done
export TRELLIS_LOG=warning

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$binary" init crm >/dev/null && cd crm
awk -v n="$leads" 'BEGIN { print "email,first_name,company,consent_newsletter"
    for (i = 1; i <= n; i++) printf "lead%d@company%d.example,Ann,Company %d,yes\n", i, i % 5000, i % 5000 }' >list.csv
"$binary" import list.csv >/dev/null
"$binary" work --until-idle >/dev/null
inside=$(sqlite3 crm.sqlite "SELECT count(DISTINCT lead_id) FROM drip_enrolments WHERE sequence = 'welcome'")
[ "$inside" = "$leads" ] || { echo "$inside of $leads leads are in the welcome sequence." >&2; exit 1; }

TIMEFORMAT='%R %U %S'
{ time "$binary" simulate --for 30d --leads-per-day 20 --seed 7 --keep later.sqlite >report.txt 2>progress.txt; } 2>time.txt ||
    { cat progress.txt >&2; exit 1; }
mails=$(sqlite3 later.sqlite "SELECT count(*) FROM outbox_messages WHERE state = 'sent' AND purpose = 'marketing'")
[ "$mails" -ge "$leads" ] || { echo "$mails mails were simulated, and not one for each of $leads leads." >&2; exit 1; }
acts=$(sqlite3 later.sqlite "SELECT count(*) FROM simulation_acts")
awk -v leads="$leads" -v mails="$mails" -v acts="$acts" -v most="$seconds_max" '{
    printf "30 days of %d leads, and 20 more a day: %.1f s by the wall, %.1f s of the processor; a minute is %s.\n",
        leads, $1, $2 + $3, $1 <= most ? "kept" : "missed"
    printf "%d mails were simulated, and %d acts of people.\n", mails, acts }' time.txt
