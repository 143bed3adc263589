#!/usr/bin/env bash
# Sets up what is missing and builds the binary: target/release/synap.
#
#     scripts/build.sh [--debug] [--help]
#
# --debug builds target/debug/synap instead. Cargo's own files go to CARGO_TARGET_DIR, else to the folder that
# scripts/setup.sh uses, where other checkouts find what they share. After set-up, plain `cargo build --release` does too.

# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

profile=release
case "${1:-}" in
    "") ;;
    --debug) profile=debug ;;
    -h | --help)
        usage "$0"
        exit 0
        ;;
    *) die "unknown option $1, see scripts/build.sh --help" ;;
esac

"$ROOT/scripts/setup.sh"
find_cargo
use_target
cd "$ROOT"
args=(--locked -p synap-server --bin synap)
[ "$profile" = debug ] || args+=(--release)
say "building synap ($profile)"
cargo build "${args[@]}"
place_binary "$profile"
ok "target/$profile/synap"
