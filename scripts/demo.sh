#!/usr/bin/env bash
# The whole of synap once, from nothing: sets up what is missing, builds the release binary, starts `synap serve` on an
# empty folder, and runs python/examples/customer_context.py against it. That stores a handbook, some notes of a customer
# and of a user, and prints what alice, bob, carol and an outsider are told. Ends all that it started.
#
#     scripts/demo.sh [--keep] [--help]
#
# --keep leaves the data folder and the server's log. Exits with 0 only if every answer is the expected one.

# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

EXAMPLE_SECONDS_MAX=120

keep=
case "${1:-}" in
    "") ;;
    --keep) keep=yes ;;
    -h | --help)
        usage "$0"
        exit 0
        ;;
    *) die "unknown option $1, see scripts/demo.sh --help" ;;
esac

dir=
SERVER_PID=
finish() {
    local code=$?
    trap '' HUP INT TERM
    stop_server || true
    if [ -n "$dir" ] && [ -n "$keep" ]; then
        say "kept: $dir"
    elif [ -n "$dir" ]; then
        rm -rf "$dir"
    fi
    [ "$code" = 0 ] || printf 'The demo failed.\n' >&2
    exit "$code"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

"$ROOT/scripts/build.sh"
find_venv
dir="$(mktemp -d "${TMPDIR:-/tmp}/synap-demo.XXXXXX")"

start_server "$ROOT/target/release/synap" "$dir"
ok "synap serves at $SYNAP_BASE_URL, on an empty data folder"
say ""
code=0
PYTHONPATH="$ROOT/python/src" timeout --kill-after 5 "$EXAMPLE_SECONDS_MAX" \
    "$VENV/bin/python" "$ROOT/python/examples/customer_context.py" </dev/null || code=$?
[ "$code" != 124 ] || server_failed "the example did not finish within $EXAMPLE_SECONDS_MAX seconds"
[ "$code" = 0 ] || server_failed "the example ended with exit code $code, see above"
say ""
stop_server || server_failed "the server did not end cleanly, exit code $?"
ok "the server has ended; every answer was the expected one"
