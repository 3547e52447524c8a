#!/usr/bin/env bash
# Kills the program while it mails to a relay that refuses, delays and loses replies, and checks that nobody gets a mail
# twice.  Usage: Tests/MailLab/run.sh TRELLIS   (MAILS=10000 KILLS=50 SEED=1)
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ $# -ne 1 ] || [ ! -x "$1" ]; then
    echo "usage: Tests/MailLab/run.sh TRELLIS"
    exit 64
fi

skip() { echo "Mail lab skipped: $1"; exit 0; }
command -v python3 >/dev/null || skip "there is no python3."
command -v openssl >/dev/null || skip "there is no openssl."
source "$root/Tests/python.sh"
python_with mail aiosmtpd==1.4.6 "dkimpy[ed25519]==1.1.8"
exec "$python" "$root/Tests/MailLab/mail_lab.py" "$1" "${MAILS:-10000}" "${KILLS:-50}"
