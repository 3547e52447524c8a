#!/usr/bin/env bash
# Holds won rates, sales cycles and revenue, as the views give them, against what pandas (https://pandas.pydata.org)
# reckons from the same CSV.
# Usage: Tests/Figures/run.sh TRELLIS          deals that are made up here
#        DEALS=folder Tests/Figures/run.sh TRELLIS
# The folder holds accounts.csv and sales_pipeline.csv as Examples/sales-pipeline maps them.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: Tests/Figures/run.sh TRELLIS"
    exit 64
fi

skip() { echo "Figures check skipped: $1"; exit 0; }
source "$root/Tests/python.sh"
python_with figures pandas==2.3.3
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TRELLIS_SECRET="a secret for tests only"
"$python" -B "$root/Tests/Figures/figures_check.py" "$(realpath "$1")" "$folder" "${DEALS:-}"
