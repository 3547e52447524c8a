#!/usr/bin/env bash
# Kills the program while it mails to a relay that refuses, delays and loses replies, and checks that nobody gets a mail
# twice.  Usage: Tests/MailLab/run.sh TRELLIS   (MAILS=10000 KILLS=50 SEED=1)
set -u
packages=(aiosmtpd==1.4.6 "dkimpy[ed25519]==1.1.8")
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=$root/.build/mail-venv
if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: Tests/MailLab/run.sh TRELLIS"
    exit 64
fi

skip() { echo "Mail lab skipped: $1"; exit 0; }
command -v python3 >/dev/null || skip "there is no python3."
command -v openssl >/dev/null || skip "there is no openssl."
if ! grep -qsxF "${packages[*]}" "$venv/installed"; then
    rm -rf "$venv"
    mkdir -p "$root/.build"
    python3 -m venv "$venv" >/dev/null 2>&1 || skip "python3 cannot make a virtual environment."
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" >/dev/null 2>&1 ||
        skip "pip cannot install ${packages[*]}."
    echo "${packages[*]}" > "$venv/installed"
fi
exec "$venv/bin/python" "$root/Tests/MailLab/mail_lab.py" "$1" "${MAILS:-10000}" "${KILLS:-50}"
