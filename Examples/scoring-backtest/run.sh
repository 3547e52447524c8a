#!/bin/sh
# run.sh LEADS.csv [FOLDER]: imports the leads into a new CRM in FOLDER (result), holds the rules of config.yaml against
# what became of them, learns others, and holds those against it too. TRELLIS names the program where it is not on the path.
set -eu

[ $# -ge 1 ] || { echo "usage: $0 LEADS.csv [FOLDER]" >&2; exit 64; }
[ -r "$1" ] || { echo "$1 cannot be read. Name the CSV of the X Education data set." >&2; exit 66; }
leads=$(realpath "$1")
folder=${2:-result}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
trellis=${TRELLIS:-trellis}
: "${TRELLIS_SECRET:=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')}"
export TRELLIS_SECRET

[ ! -e "$folder/crm.sqlite" ] || { echo "$folder has a CRM already. Name another folder, or remove it." >&2; exit 73; }
mkdir -p "$folder"
cp "$here/config.yaml" "$here/mapping.yaml" "$folder"
cd "$folder"

"$trellis" check
"$trellis" import "$leads" --mapping mapping.yaml
"$trellis" work --until-idle

echo
echo "== Rules written by hand =="
"$trellis" scoring backtest --outcome column:converted=1 --folds 5 --precision 0.7 --svg by-hand.svg | tee by-hand.txt

echo
echo "== Rules learnt =="
"$trellis" scoring fit --outcome column:converted=1 --folds 5 --rules 25 --precision 0.7 --svg learnt.svg | tee learnt.yaml

# The learnt rules in the place of those written by hand.
awk '/# begin of the rules/ { print; while ((getline line < "learnt.yaml") > 0) print line; skip = 1 }
     /# end of the rules/ { skip = 0 }
     !skip { print }' config.yaml > learnt-config.yaml
"$trellis" check --config learnt-config.yaml

echo
echo "== The learnt rules, held against the leads they were learnt from =="
"$trellis" scoring backtest --config learnt-config.yaml --outcome column:converted=1 --folds 5 --precision 0.7 \
    --svg learnt-backtest.svg | tee learnt.txt
