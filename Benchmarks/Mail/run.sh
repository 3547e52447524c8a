#!/usr/bin/env bash
# Mails beside their limit: how many a second are rendered, and how many reach a relay on this machine, beside what
# Postfix's own load generator brings to the same sink. usage: run.sh BINARY [MAILS]
#
# ROUNDS=3 of each. The sink (smtp-sink) counts what it got; a side that did not bring all of it ends the run with 1.
set -euo pipefail
binary=$(realpath "$1")
mails=${2:-20000}
rounds=${ROUNDS:-3}
connections=${CONNECTIONS:-10}
PATH=$PATH:/usr/sbin:/usr/libexec/postfix
for tool in smtp-sink smtp-source sqlite3 awk; do
    command -v "$tool" >/dev/null || { echo "Mails not measured: $tool is not installed (apt install postfix)."; exit 0; }
done
export TRELLIS_SECRET=a-secret-of-32-bytes-for-the-bench TRELLIS_LOG=warning

folder=$(mktemp -d)
sink=''
finish() {
    [ -z "$sink" ] || kill "$sink" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
isHeard() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
port=$((20000 + RANDOM % 10000))
while isHeard "$port"; do port=$((port + 1)); done
smtp-sink -u "$(id -un)" "127.0.0.1:$port" 1000 >/dev/null 2>&1 &
sink=$!
until isHeard "$port"; do sleep 0.1; done

site() { # TRANSPORT
    rm -rf "$folder/site" && mkdir -p "$folder/site/mails" && cd "$folder/site"
    cat >config.yaml <<YAML
site: {name: Bench, base_url: "https://crm.bench.example", postal_address: 1 Main Street, secret: "\${TRELLIS_SECRET}"}
mail:
  from: Bench <hello@bench.example>
  transport: $1
  smtp: {host: 127.0.0.1, port: $port, tls: none, connections: $connections}
plugins:
  drip: {sequences: {news: {enter: {on: lead.created}, steps: [{wait: 20s}, {mail: news}]}}}
YAML
    cat >mails/news.md <<'MAIL'
---
subject: "{{first_name|Hello}}, the plan for March"
preheader: Three things to do before the spring
---
Dear {{first_name|reader}},

the days get longer, and **three things** pay now:

- a look at last year's numbers,
- a talk with whoever buys for {{company|you}},
- and an hour for the [plan](https://bench.example/plan).

[Book the hour](https://bench.example/hour)

Yours, the bench
MAIL
    awk -v n="$mails" 'BEGIN { print "email,first_name,company,consent_newsletter"
        for (i = 1; i <= n; i++) printf "lead%d@d%d.example,Ann,Company %d,yes\n", i, i % 500, i }' >leads.csv
    "$binary" import leads.csv >/dev/null
}

# Seconds of a command, by the wall and by the processor, and its memory in MB.
timed() { /usr/bin/env time -f '%e %U %S %M' -o "$folder/time" "$@" >/dev/null; }

ours() { # TRANSPORT
    site "$1"
    # The import is handled first; what is timed begins with leads whose wait is over.
    "$binary" work --until-idle >/dev/null
    sleep 21
    timed "$binary" work --until-idle
    sent=$(sqlite3 crm.sqlite "SELECT count(*) FROM outbox_messages WHERE state = 'sent'")
    [ "$sent" = "$mails" ] || { echo "$1: $sent of $mails mails were sent." >&2; exit 1; }
    awk -v n="$mails" -v side="$1" '{ printf "%-28s %8.0f mails/s  %8.0f per second of a core  %4.0f MB\n", side, n / $1, n / ($2 + $3), $4 / 1024 }' "$folder/time"
}

for _ in $(seq "$rounds"); do
    ours file
    ours smtp
    timed smtp-source -m "$mails" -s "$connections" -l 6000 -f hello@bench.example -t lead@bench.example "127.0.0.1:$port"
    awk -v n="$mails" '{ printf "%-28s %8.0f mails/s  %8.0f per second of a core\n", "smtp-source, fixed text", n / $1, n / ($2 + $3) }' "$folder/time"
done
