#!/usr/bin/env bash
# Runs the clients that others wrote, unmodified, against a real server: the vendor's SDK and its integrations.
#
#     scripts/clients.sh [--only NAME] [--list] [--help]
#
# A client is a folder tests/clients/NAME with requirements.txt, where everything is pinned, and run.py or pytest files.
# Each gets a virtual environment of its own in the cache folder, made once for each set of requirements, and a fresh
# home. A folder with a file OPTIONAL (it says why) runs only when it is named.
#
# The binary is SYNAP_BIN, else debug/synap in CARGO_TARGET_DIR, else in the folder that scripts/setup.sh uses.

# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

CLIENTS="$ROOT/tests/clients"
# One client's run; far more than any needs.
CLIENT_S=900

only=
list=
while [ "$#" -gt 0 ]; do
    case "$1" in
        --only)
            [ "$#" -ge 2 ] || die "--only needs a name, one of: $(cd "$CLIENTS" && echo */)"
            only="$2"
            shift
            ;;
        --list) list=yes ;;
        -h | --help)
            usage "$0"
            exit 0
            ;;
        *) die "unknown option $1, see scripts/clients.sh --help" ;;
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

# The names of the clients to run.
clients() {
    local folder name
    for folder in "$CLIENTS"/*/; do
        name="$(basename "$folder")"
        [ -e "$folder/requirements.txt" ] || continue
        if [ -n "$only" ]; then
            [ "$name" != "$only" ] || printf '%s\n' "$name"
        elif [ ! -e "$folder/OPTIONAL" ]; then
            printf '%s\n' "$name"
        fi
    done
}

# Sets CLIENT_VENV for client $1, and makes it if it is not there: under another name first, so that it is whole or absent.
find_client_venv() {
    local requirements="$CLIENTS/$1/requirements.txt" key
    key="$({
        "$PYTHON" -c 'import sys; print(sys.base_prefix, sys.version_info[:3])'
        cat "$requirements"
    } | sha256sum | cut -c 1-12)"
    CLIENT_VENV="$CACHE/venv-client-$1-$key"
    [ ! -e "$CLIENT_VENV/bin/python" ] || return 0
    say "installing the packages of the client $1"
    mkdir -p "$CACHE"
    scratch="$(mktemp -d "$CACHE/venv-client-$1.XXXXXX")"
    "$PYTHON" -m venv "$scratch"
    PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 "$scratch/bin/python" -m pip --quiet install --requirement "$requirements" ||
        die "pip could not install the packages of the client $1"
    # Programs of packages name their interpreter by its path.
    grep -lZI "^#!$scratch/" "$scratch"/bin/* | xargs -0 --no-run-if-empty sed -i "1s|$scratch/|$CLIENT_VENV/|"
    # Another run may have been faster.
    mv --no-target-directory "$scratch" "$CLIENT_VENV" 2>/dev/null || rm -rf "$scratch"
    scratch=
}

# The server's instances besides the default one, each with its key in the environment of the clients.
write_instances() {
    local name isolation number=2 key
    for name in b2c other ladder; do
        case "$name" in
            b2c) isolation='"equals_customer"' ;;
            other) isolation='"strict"' ;;
            ladder) isolation='["customer", "team", "user"]' ;;
        esac
        key="$(od -An -N 24 -t x1 /dev/urandom | tr -d ' \n')"
        export "SYNAP_API_KEY_${name^^}=$key"
        printf '[[instances]]\nclient_id = "cli_%016d"\ninstance_id = "inst_%016d"\nisolation = %s\napi_keys = ["%s"]\n\n' \
            "$number" "$number" "$isolation" "$key"
        number=$((number + 1))
    done
}

# Runs the tests of client $1 from its own folder, in a home of its own.
run_client() {
    local work="$dir/$1" command
    mkdir -p "$work/home" "$work/scratch"
    command=("$CLIENT_VENV/bin/python" -m pytest -p no:cacheprovider -q)
    [ ! -e "$CLIENTS/$1/run.py" ] || command=("$CLIENT_VENV/bin/python" run.py)
    (
        cd "$CLIENTS/$1"
        env HOME="$work/home" SYNAP_TEST_DIR="$work/scratch" PYTHONDONTWRITEBYTECODE=1 NO_PROXY=127.0.0.1,localhost \
            DO_NOT_TRACK=1 ANONYMIZED_TELEMETRY=false HAYSTACK_TELEMETRY_ENABLED=false LANGSMITH_TRACING=false \
            LANGCHAIN_TRACING_V2=false OTEL_SDK_DISABLED=true OPENAI_AGENTS_DISABLE_TRACING=1 AGNO_TELEMETRY=false \
            timeout --kill-after=10 "$CLIENT_S" "${command[@]}" </dev/null
    )
}

find_python
names="$(clients)"
[ -n "$names" ] || die "there is no client ${only:-at all} in tests/clients"
if [ -n "$list" ]; then
    printf '%s\n' "$names"
    exit 0
fi

export SYNAP_BIN="${SYNAP_BIN:-${CARGO_TARGET_DIR:-$CACHE/target}/debug/synap}"
[ -x "$SYNAP_BIN" ] || die "$SYNAP_BIN is missing: run 'cargo build -p synap-server --bin synap', or name it in SYNAP_BIN"
find_nats
export SYNAP_NATS_SERVER="$NATS_SERVER"

dir="$(mktemp -d "${TMPDIR:-/tmp}/synap-clients.XXXXXX")"
write_instances >"$dir/synap.toml"
serve_options=(--config "$dir/synap.toml")
failed=()
for name in $names; do
    started="$SECONDS"
    printf '\n== client %s\n' "$name"
    find_client_venv "$name"
    start_server "$SYNAP_BIN" "$dir/$name/server" "${serve_options[@]}"
    run_client "$name" || failed+=("$name")
    stop_server || {
        note "the server did not end cleanly after the client $name"
        tail -n 30 "$SERVER_LOG" >&2
        failed+=("$name (server)")
    }
    printf '%5s s  %s\n' "$((SECONDS - started))" "$name"
done
[ "${#failed[@]}" = 0 ] || die "failed: ${failed[*]}"
