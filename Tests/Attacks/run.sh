#!/usr/bin/env bash
# Attacks a server from outside, on a site of its own in a temporary folder: run.sh TRELLIS [THEME…]
#
# Themes: forms texts addresses pages links files admin wire limits abuse queries; without one, all of them.
# SHORT=1 takes 2,000 forms for one address and 1,000 guesses instead of 10,000 and 20,000. Needs Python 3.11 and nothing else.
# Ends with 1 where a check failed, a promise is broken (trellis doctor --strict), or the log names somebody.
set -eu
exec python3 -B "$(dirname "$0")/attacks.py" "$@"
