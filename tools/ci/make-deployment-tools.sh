#!/usr/bin/env bash
# What the descriptions of deployments are checked with, from source, once per machine: compose, helm, actionlint, Kubernetes' own schemas. Prints the folder that has them.
set -euo pipefail
dir="${DSTACK_TOOLS_DIR:-$HOME/.cache/dstack-tools}"
mkdir -p "$dir"
get() { # program module
  [ -x "$dir/$1" ] && return
  GOBIN="$dir" go install "$2" >&2
  built="$dir/$(basename "${2%@*}")"
  [ "$built" = "$dir/$1" ] || mv "$built" "$dir/$1"
}
get helm helm.sh/helm/v3/cmd/helm@v3.17.0
get actionlint github.com/rhysd/actionlint/cmd/actionlint@v1.7.7
get docker-compose github.com/docker/compose/v2/cmd@v2.32.4
[ -x "$dir/kubernetes/bin/kubernetes-validate" ] || {
  python3 -m venv "$dir/kubernetes" >&2
  "$dir/kubernetes/bin/pip" install --quiet kubernetes-validate==1.37.0 >&2
}
echo "$dir"
