#!/usr/bin/env bash
# Kills the program at random moments while it imports, handles and sends, and checks after each kill that nothing that was
# acknowledged is lost and nothing happened twice.  Usage: crash-lab.sh TRELLIS   (ROUNDS=200 SEED=1)
#
# Oracles: `trellis doctor --strict` after every kill; every capture that was acknowledged is a row; at the end the import is
# complete, each mail is one file, and scores, enrolments, submissions and handoffs are those of a run that was never killed.
set -u
trellis=$1
rounds=${ROUNDS:-200}
RANDOM=${SEED:-1}
export TRELLIS_SECRET=0123456789abcdef0123456789abcdef
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
sql() { sqlite3 "$lab/$1/crm.sqlite" "$2"; }
fail() { echo "FAILED in round $round: $1"; echo "0 passed, 1 failed"; exit 1; }

leads=${LEADS:-6000}
# A CSV of made-up people: people FIRST COUNT
people() {
    awk -v first="$1" -v n="$2" 'BEGIN { print "email,first_name,company,title,employees,country,industry,interest,consent_newsletter,consent_ads"
        for (i = first; i < first + n; i++) printf "lead%d@company%d.example,Name%d,Company %d,%s,%d,%s,%s,%s,yes,%s\n", i, i % 900, i, i % 900,
            (i % 3 ? "Gardener" : "Owner"), 5 + i % 300, (i % 4 ? "DE" : "FR"), (i % 2 ? "garden centre" : "software"), (i % 5 ? "waste" : "forecasting"), (i % 2 ? "yes" : "no") }'
}
setup() {
    "$trellis" init "$lab/$1" >/dev/null || exit 1
    # So that mails go out and leads are handed off while the lab runs, not in an hour, and at any hour of the day.
    sed -i '/^    quiet: {/d; s/- wait: 1 hour/- wait: 1 second/; s/mql: {score: 65}/mql: {score: 40}/; s/capacity: 1[05]/capacity: 900/' "$lab/$1/config.yaml"
    people 1 "$leads" > "$lab/$1/big.csv"
}
setup killed
cd "$lab/killed" || exit 1
set +m
acknowledged=0
for ((round = 1; round <= rounds; round++)); do
    # A command that ended well has acknowledged its lead.
    if "$trellis" capture --email "round$round@ack.example" --magnet planting-calendar first_name=Round interest=waste consent_newsletter=yes >/dev/null 2>&1; then
        echo "round$round@ack.example" >> "$lab/acknowledged"
        acknowledged=$((acknowledged + 1))
    fi
    # New leads in every round, so that there is always something to handle when the kill comes.
    people $((leads + round * 300)) 300 > "round$round.csv"
    # Small transactions, so that the kill falls between two of them too.
    # Each in a process group of its own, so that a kill takes the whole of it and nothing else.
    setsid bash -c "'$trellis' import --chunk 60 big.csv; '$trellis' import --chunk 60 round$round.csv; exec '$trellis' work --until-idle" >/dev/null 2>&1 &
    victim=$!
    second=
    if ((round % 4 == 0)); then
        setsid "$trellis" work --until-idle >/dev/null 2>&1 &
        second=$!
    fi
    sleep "$((RANDOM % 4 == 0)).$(printf '%03d' $((5 + RANDOM % 900)))"
    for group in $victim $second; do kill -9 -- "-$group" 2>/dev/null; done
    wait 2>/dev/null
    ((round % 20 == 0)) && echo "round $round: $(sql killed "SELECT count(*) FROM leads") leads, $(sql killed "SELECT count(*) FROM outbox_messages WHERE state = 'sent'") mails sent"
    "$trellis" doctor --strict > "$lab/doctor" 2>&1 || { cat "$lab/doctor"; fail "a promise is broken"; }
done
for file in big.csv round*.csv; do "$trellis" import "$file" >/dev/null || fail "the import of $file does not finish"; done
"$trellis" work --until-idle >/dev/null 2>&1 || fail "the work does not finish"
sleep 2
"$trellis" work --until-idle >/dev/null || fail "the waits do not end"
"$trellis" doctor --strict > "$lab/doctor" || { cat "$lab/doctor"; fail "a promise is broken at the end"; }
while read -r email; do
    [ "$(sql killed "SELECT count(*) FROM leads WHERE email = '$email'")" = 1 ] || fail "the acknowledged lead $email is lost"
done < "$lab/acknowledged"

[ "$(sql killed "SELECT count(*) FROM parked_events")" = 0 ] || fail "an innocent event is parked"

# The same once more, and nobody kills it.
setup calm
cd "$lab/calm" || exit 1
while read -r email; do
    "$trellis" capture --email "$email" --magnet planting-calendar first_name=Round interest=waste consent_newsletter=yes >/dev/null || exit 1
done < "$lab/acknowledged"
cp ../killed/round*.csv .
for file in big.csv round*.csv; do "$trellis" import "$file" >/dev/null || exit 1; done
"$trellis" work --until-idle >/dev/null && sleep 2 && "$trellis" work --until-idle >/dev/null || exit 1
compare() {
    diff <(sql killed "$2") <(sql calm "$2") > "$lab/diff" || { head -5 "$lab/diff"; fail "$1 differ from those of a calm run"; }
}
compare "leads" "SELECT email, stage FROM leads ORDER BY 1"
compare "events" "SELECT kind, l.email, count(*) FROM events e JOIN leads l ON l.id = e.lead_id WHERE kind NOT IN ('lead.updated', 'handoff.offered', 'handoff.queued') GROUP BY 1, 2 ORDER BY 2, 1"
compare "scores" "SELECT l.email, fit, round(engagement, 0) FROM scoring_scores s JOIN leads l ON l.id = s.lead_id ORDER BY 1"
compare "enrolments" "SELECT l.email, sequence, cycle, state FROM drip_enrolments d JOIN leads l ON l.id = d.lead_id ORDER BY 1, 2"
compare "submissions" "SELECT l.email, magnet FROM magnets_submissions m JOIN leads l ON l.id = m.lead_id ORDER BY 1"
compare "handoffs" "SELECT l.email, cycle FROM handoff_handoffs h JOIN leads l ON l.id = h.lead_id ORDER BY 1"
sent=$(sql killed "SELECT count(*) FROM outbox_messages WHERE state = 'sent'")
files=$(ls "$lab/killed/outbox/new" | wc -l)
[ "$sent" = "$files" ] || fail "$sent mails are sent and $files lie in the Maildir"
ids() { find "$lab/killed/outbox/new" -type f -exec grep -him1 '^message-id:' {} +; }
[ "$(ids | wc -l)" = "$files" ] || fail "not every mail has a Message-ID"
twice=$(ids | sort | uniq -d | wc -l)
[ "$twice" = 0 ] || fail "$twice mails went out twice"
echo "$rounds kills: $acknowledged acknowledged leads kept, $(sql killed 'SELECT count(*) FROM leads') leads, $(sql killed 'SELECT count(*) FROM events') events, $sent mails, unclean worker stops: $(sql killed "SELECT count(*) FROM worker_runs WHERE ended_at = 'crashed'")"
echo "1 passed, 0 failed"
