#!/usr/bin/env bash
# Holds `trellis scoring backtest` and `trellis scoring fit` against the logistic regression of scikit-learn
# (https://scikit-learn.org), on the same leads, columns and folds.
# Usage: Tests/Fit/run.sh TRELLIS      a population that is made up here
#        CSV=leads.csv OUTCOME=Converted SITE=Examples/scoring-backtest Tests/Fit/run.sh TRELLIS
# SITE is a folder with a config.yaml, whose rules stand between its two marks, and a mapping.yaml. Without it every column
# of the CSV becomes a field, but those of DROP="Column,Other column", which know the outcome.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: Tests/Fit/run.sh TRELLIS"
    exit 64
fi

skip() { echo "Fit check skipped: $1"; exit 0; }
source "$root/Tests/python.sh"
python_with fit scikit-learn==1.7.2 pyyaml==6.0.2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TRELLIS_SECRET="a secret for tests only"
"$python" -B "$root/Tests/Fit/fit_check.py" "$(realpath "$1")" "$folder"
