#!/usr/bin/env bash
# Sets up what is missing and runs every check: format, lints, unit tests, contract suites, golden files, integration
# tests with a real nats-server, documentation, the Python client alone and against a running server, and the vendor's
# SDK and integrations.
#
#     scripts/test.sh [--quick] [--help]
#
# --quick: format, lints, and the tests that need no server binary. Stops at the first step that fails, with its exit
# code. Cargo's files go to CARGO_TARGET_DIR, else to the folder that scripts/setup.sh uses. Tests run by cargo-nextest
# where it is installed, else by `cargo test`.

# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

quick=
case "${1:-}" in
    "") ;;
    --quick) quick=yes ;;
    -h | --help)
        usage "$0"
        exit 0
        ;;
    *) die "unknown option $1, see scripts/test.sh --help" ;;
esac

dir=
SERVER_PID=
summary=()
current=
finish() {
    local code=$?
    trap '' HUP INT TERM
    stop_server || true
    [ -z "$dir" ] || rm -rf "$dir"
    printf '\n== summary\n'
    [ "${#summary[@]}" = 0 ] || printf '%s\n' "${summary[@]}"
    if [ "$code" != 0 ]; then
        printf 'FAILED: %s (exit code %s)\n' "${current:-start}" "$code"
    else
        printf 'All passed in %s s.\n' "$SECONDS"
    fi
    exit "$code"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs a command under a heading; the script ends if it fails.
step() {
    local started="$SECONDS"
    current="$1"
    shift
    printf '\n== %s\n' "$current"
    "$@"
    summary+=("$(printf '%5s s  %s' "$((SECONDS - started))" "$current")")
    current=
}

rust_tools() {
    if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
        command -v rustup >/dev/null || die "rustfmt or clippy is missing: install the two for your Rust"
        say "installing rustfmt and clippy (rustup)"
        rustup component add rustfmt clippy
    fi
    if cargo nextest --version >/dev/null 2>&1; then
        ok "cargo-nextest"
    else
        note "cargo-nextest is not installed, using cargo test"
    fi
}

# The packages whose tests start servers: their tests run two at a time, here and in .config/nextest.toml.
SERVER_PACKAGES=(-p synap-it -p synap-nats)
common=(--all-features --locked)

rust_tests() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace "${common[@]}" --profile ci
    else
        cargo test --workspace --exclude synap-it --exclude synap-nats --lib --bins --tests "${common[@]}"
        cargo test "${SERVER_PACKAGES[@]}" --lib --bins --tests "${common[@]}" -- --test-threads 2
    fi
}

rust_tests_quick() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace "${common[@]}" --profile ci -E 'not package(synap-it) or test(/^tidy::/)'
    else
        cargo test --workspace --exclude synap-it --lib --bins "${common[@]}"
        cargo test -p synap-it "${common[@]}" tidy::
    fi
}

types_features() {
    cargo build -p synap-types --locked --no-default-features
    cargo build -p synap-types --locked --no-default-features --features schema
}

python_lint() (
    cd "$ROOT/python"
    "$VENV/bin/python" -m ruff check . ../tests/clients
    "$VENV/bin/python" -m ruff format --check . ../tests/clients
    "$VENV/bin/python" -m mypy --cache-dir "$VENV/mypy" src examples
)

# Figures of our own sets. The floors are a little below what was measured when they were set: a change that costs more
# than noise must be seen.
retrieval() {
    local sets="$ROOT/tests/eval"
    "$SYNAP_BIN" eval "$sets/conversation.json" --by category --floor r10=0.74
    "$SYNAP_BIN" eval "$sets/messages.json" --floor r5=0.80
    "$SYNAP_BIN" eval "$sets/documents.json" --by category --floor r10=0.62
    "$SYNAP_BIN" eval --crowding 10000 --limit 5 --by category --floor r5=0.99
    if [ ! -s "$MODELS/model.safetensors" ]; then
        say "SKIPPED (no model files): the same with a model"
        return
    fi
    "$SYNAP_BIN" eval "$sets/conversation.json" --models "$MODELS" --floor r10=0.74
    "$SYNAP_BIN" eval "$sets/messages.json" --models "$MODELS" --floor r5=0.80
    "$SYNAP_BIN" eval "$sets/documents.json" --models "$MODELS" --floor r10=0.70
    "$SYNAP_BIN" eval "$sets/conversation.json" --models "$MODELS" --mode accurate --floor r10=0.79
    "$SYNAP_BIN" eval "$sets/messages.json" --models "$MODELS" --mode accurate --floor r5=0.87
    "$SYNAP_BIN" eval "$sets/documents.json" --models "$MODELS" --mode accurate --floor r10=0.87
}

# Its own folder is the working directory, so that it finds its settings.
pytest() {
    (cd "$ROOT/python" && PYTHONPATH="$ROOT/python/src" "$VENV/bin/python" -m pytest -p no:cacheprovider -q "$@" </dev/null)
}

python_e2e() {
    dir="$(mktemp -d "${TMPDIR:-/tmp}/synap-test.XXXXXX")"
    start_server "$SYNAP_BIN" "$dir"
    pytest tests/e2e || server_failed "the client's tests against a running server failed"
    stop_server || server_failed "the server did not end cleanly, exit code $?"
    rm -rf "$dir"
    dir=
}

cd "$ROOT"
# With it, tests that lack a server fail instead of saying so.
export CI="${CI:-1}"
# The same commit gives the same result twice: property tests look at the same cases here, and at others in plain runs.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED:-1}"

step "set-up" "$ROOT/scripts/setup.sh"
find_cargo
use_target
export SYNAP_BIN="$CARGO_TARGET_DIR/debug/synap"
find_venv
find_nats
export SYNAP_NATS_SERVER="$NATS_SERVER"

step "tools" rust_tools
step "format" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets --all-features --locked -- -D warnings
if [ -n "$quick" ]; then
    step "tests without a server binary" rust_tests_quick
    exit 0
fi
step "binary for the tests" cargo build -p synap-server --bin synap --locked
step "tests" rust_tests
step "Retrieval: our own sets, and crowding" retrieval
step "Fuzzing: every reader of texts for ten seconds" cargo run --quiet --locked -p synap-text --example fuzz -- --seconds 10
step "documentation examples" cargo test --doc --locked -p synap-types -p synap-log -p synap-readmodel
step "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
step "features of synap-types" types_features
step "Python: format, lints and types" python_lint
step "Python: unit tests" pytest tests --ignore tests/e2e
step "Python: against a running server" python_e2e
step "Clients: the vendor's SDK and integrations" "$ROOT/scripts/clients.sh"
step "Fuzzing: every HTTP route for a minute" "$ROOT/scripts/fuzz.sh" --seconds 60
