#!/usr/bin/env bash
# Sends what nobody would send to every route of the OpenAPI document, and holds every answer against it.
#
#     scripts/fuzz.sh [--seconds N] [--seed N] [--route PATH] [--help]
#
# --seconds: how long, 60 by default. --seed: repeats a run; every run prints its own. --route: one path only.
#
# Fails on an answer 5xx, one that takes over 5 seconds, one that is not as the document says, one that holds another
# customer's memory, and on a server that is not well afterwards. The binary is SYNAP_BIN, else debug/synap in
# CARGO_TARGET_DIR, else in the folder that scripts/setup.sh uses.

# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FUZZ="$ROOT/tests/fuzz"
ANSWER_S=5

seconds=60
seed="$(od -An -N 3 -t u4 /dev/urandom | tr -d ' ')"
routes=()
while [ "$#" -gt 0 ]; do
    case "$1" in
        --seconds | --seed | --route)
            [ "$#" -ge 2 ] || die "$1 needs a value"
            case "$1" in
                --seconds) seconds="$2" ;;
                --seed) seed="$2" ;;
                --route) routes+=(--include-path "$2") ;;
            esac
            shift
            ;;
        -h | --help)
            usage "$0"
            exit 0
            ;;
        *) die "unknown option $1, see scripts/fuzz.sh --help" ;;
    esac
    shift
done

dir=
scratch=
SERVER_PID=
finish() {
    local code=$?
    trap '' HUP INT TERM
    stop_server || true
    [ -z "$dir" ] || rm -rf "$dir"
    [ -z "$scratch" ] || rm -rf "$scratch"
    exit "$code"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Sets FUZZ_VENV, and makes it if it is not there: under another name first, so that it is whole or absent.
find_fuzz_venv() {
    local requirements="$FUZZ/requirements.txt" key
    key="$({
        "$PYTHON" -c 'import sys; print(sys.base_prefix, sys.version_info[:3])'
        cat "$requirements"
    } | sha256sum | cut -c 1-12)"
    FUZZ_VENV="$CACHE/venv-fuzz-$key"
    [ ! -e "$FUZZ_VENV/bin/python" ] || return 0
    say "installing schemathesis"
    mkdir -p "$CACHE"
    scratch="$(mktemp -d "$CACHE/venv-fuzz.XXXXXX")"
    "$PYTHON" -m venv "$scratch"
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 "$scratch/bin/python" -m pip --quiet install --requirement "$requirements" ||
        die "pip could not install schemathesis"
    # Another run may have been faster.
    mv --no-target-directory "$scratch" "$FUZZ_VENV" 2>/dev/null || rm -rf "$scratch"
    scratch=
}

# Runs schemathesis in the folder where it may leave what it likes.
fuzz() {
    local checks=not_a_server_error,status_code_conformance,content_type_conformance
    checks+=,response_headers_conformance,response_schema_conformance,no_foreign_data
    (
        cd "$dir"
        SCHEMATHESIS_HOOKS=hooks PYTHONPATH="$FUZZ" PYTHONDONTWRITEBYTECODE=1 NO_PROXY=127.0.0.1,localhost \
            timeout --kill-after=10 "$((seconds * 3 + 120))" \
            "$FUZZ_VENV/bin/python" -m schemathesis.cli run "$SYNAP_BASE_URL/openapi.json" \
            --header "Authorization: Bearer $SYNAP_API_KEY" --checks "$checks" --phases coverage,fuzzing --mode all \
            --max-time "$seconds" --max-response-time "$ANSWER_S" --request-timeout "$((ANSWER_S * 3))" \
            --seed "$seed" --generation-database none --suppress-health-check all --warnings off \
            --continue-on-failure --no-color --workers 1 "${routes[@]}" </dev/null
    )
}

find_python
export SYNAP_BIN="${SYNAP_BIN:-${CARGO_TARGET_DIR:-$CACHE/target}/debug/synap}"
[ -x "$SYNAP_BIN" ] || die "$SYNAP_BIN is missing: run 'cargo build -p synap-server --bin synap', or name it in SYNAP_BIN"
find_fuzz_venv

dir="$(mktemp -d "${TMPDIR:-/tmp}/synap-fuzz.XXXXXX")"
start_server "$SYNAP_BIN" "$dir"
SYNAP_CANARY_ID="$("$PYTHON" -c 'import uuid; print(uuid.uuid4())')"
SYNAP_CANARY_WORD="canary$(od -An -N 8 -t x1 /dev/urandom | tr -d ' ')"
export SYNAP_CANARY_ID SYNAP_CANARY_WORD
"$PYTHON" "$FUZZ/canary.py" plant || server_failed "the server does not take the canary"

say "seed $seed, $seconds s"
failed=
fuzz || failed="answers were not as they should be; repeat with --seed $seed"
"$PYTHON" "$FUZZ/canary.py" find || failed="${failed:-the server is not well after the requests of seed $seed}"
! grep -q panicked "$SERVER_LOG" || failed="${failed:-something panicked in the requests of seed $seed}"
[ -z "$failed" ] || server_failed "$failed"
memory="$(awk '/^VmHWM/ { print $2 }' "/proc/$SERVER_PID/status")"
stop_server || die "the server did not end cleanly, exit code $?"
ok "seed $seed: nothing found; the server took at most $((memory / 1024)) MiB of memory"
