#!/usr/bin/env bash
# Runs the browser tests, after finding or installing what they need.  Usage: run.sh TRELLIS [journey|report|mails]…
# Without a browser it says so and ends with 0; with TRELLIS_BROWSER=required with 1.
set -u
trellis=${1:?Usage: run.sh TRELLIS [journey|report|mails]…}
shift
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=$root/.build/browser-venv

skip() {
    echo "Browser test skipped: $1"
    [ "${TRELLIS_BROWSER:-}" != required ]
    exit
}

install_packages() {
    local sudo=
    [ "$(id -u)" = 0 ] || sudo="sudo -n"
    export DEBIAN_FRONTEND=noninteractive
    { $sudo apt-get update -qq && $sudo apt-get install -y -qq "$@"; } >/dev/null 2>&1
}

# One that runs: on some systems the package is a stub that asks for another installer.
find_chromium() {
    local name
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" >/dev/null && "$name" --version >/dev/null 2>&1 && command -v "$name" && return
    done
    return 1
}

has_playwright() { "$venv/bin/python" -c "import playwright.sync_api, pypdf" >/dev/null 2>&1; }

install_playwright() {
    { python3 -m venv --clear "$venv" || { install_packages python3-venv && python3 -m venv --clear "$venv"; }; } &&
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --timeout 30 "playwright>=1.49,<2" "pypdf>=5,<7"
}

[ -x "$trellis" ] || { echo "There is no program $trellis. Build it with: make build" >&2; exit 1; }
command -v python3 >/dev/null || skip "there is no python3."
has_playwright || install_playwright >/dev/null 2>&1 || skip "Playwright cannot be installed from PyPI."
find_chromium >/dev/null || install_packages chromium || skip "Chromium is not there and cannot be installed."
browser=$(find_chromium) || skip "the Chromium of this system does not run."
[ $# -gt 0 ] || set -- journey report mails
failed=0
for test in "$@"; do "$venv/bin/python" -B "$here/$test.py" "$trellis" "$browser" || failed=1; done
exit $failed
