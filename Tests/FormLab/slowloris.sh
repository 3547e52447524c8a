#!/usr/bin/env bash
# A thousand connections that send their heads, their bodies, or read their answers as slowly as they dare, beside one
# normal visitor: all from one address, which may have more than the server has places. usage: slowloris.sh BINARY [SECONDS]
set -euo pipefail
binary=$(realpath "$1")
seconds=${2:-20}
install_packages() {
    local sudo=
    [ "$(id -u)" = 0 ] || sudo="sudo -n"
    export DEBIAN_FRONTEND=noninteractive
    { $sudo apt-get update -qq && $sudo apt-get install -y -qq "$@"; } >/dev/null 2>&1
}

if ! command -v slowhttptest >/dev/null && ! install_packages slowhttptest; then
    echo "Slowloris test skipped: slowhttptest is not there and cannot be installed."
    exit 0
fi
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export TRELLIS_SECRET=0123456789abcdef0123456789abcdef TRELLIS_LOG=warning
cat >"$folder/config.yaml" <<YAML
site: {name: Slow, base_url: "http://localhost:$port", secret: "\${TRELLIS_SECRET}"}
server: {listen: "127.0.0.1:$port", limits: {requests_per_minute: 1000000, connections_per_address: 2000}}
plugins: {lead_magnets: {magnets: {plan: {title: Plan, kind: link, url: "https://lab.example"}}}}
YAML
(cd "$folder" && exec "$binary" serve) 2>"$folder/log" &
server=$!
for _ in $(seq 600); do curl -fs "http://127.0.0.1:$port/readyz" >/dev/null && break; sleep 0.1; done

# The visitor comes from an address of their own: 127.0.0.2 is this machine too.
visitor() {
    python3 - "$port" "$1" <<'PYTHON'
import http.client, sys, time
port, seconds = int(sys.argv[1]), float(sys.argv[2])
took, failed, end = [], 0, time.perf_counter() + seconds
while time.perf_counter() < end:
    begin = time.perf_counter()
    try:
        visit = http.client.HTTPConnection("127.0.0.1", port, timeout=5, source_address=("127.0.0.2", 0))
        visit.request("GET", "/offers/plan", headers={"User-Agent": "Mozilla/5.0 (lab)", "Connection": "close"})
        answer = visit.getresponse()
        answer.read()
        failed += answer.status != 200
        visit.close()
    except OSError:
        failed += 1
    took.append((time.perf_counter() - begin) * 1000)
    time.sleep(0.01)
took.sort()
p99 = took[int(len(took) * 0.99)]
print(f"{len(took)} visits, {failed} failed, p50 {took[len(took) // 2]:.1f} ms, p99 {p99:.1f} ms")
sys.exit(failed > 0 or p99 > 200)
PYTHON
}

echo "alone:        $(visitor 5)"
for mode in "slow heads:-H" "slow bodies:-B" "slow readers:-X"; do
    slowhttptest "${mode#*:}" -c 1000 -r 200 -l "$seconds" -i 5 -u "http://127.0.0.1:$port/offers/plan" >"$folder/slow" 2>&1 &
    slow=$!
    sleep 2
    printf "%-13s %s\n" "${mode%%:*}:" "$(visitor $((seconds - 4)))"
    kill "$slow" 2>/dev/null || true
    wait "$slow" 2>/dev/null || true
done
grep -E "VmHWM" "/proc/$server/status"
