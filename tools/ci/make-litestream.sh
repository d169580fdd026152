#!/usr/bin/env bash
# Litestream and an S3 server for the test of both, made once per machine. Prints the folder that has them.
set -euo pipefail
dir="${DSTACK_TOOLS_DIR:-$HOME/.cache/dstack-tools}"
mkdir -p "$dir"
[ -x "$dir/litestream" ] ||
  GOBIN="$dir" go install github.com/benbjohnson/litestream/cmd/litestream@v0.3.13 >&2
[ -x "$dir/moto/bin/moto_server" ] || {
  python3 -m venv "$dir/moto" >&2
  "$dir/moto/bin/pip" install --quiet 'moto[server]==5.2.5' >&2
}
echo "$dir"
