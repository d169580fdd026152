#!/usr/bin/env bash
# Builds the server's image without a registry: the three bases of its Dockerfile are made of Debian's packages, the installed npm with the
# pinned Node, and a Litestream built from source. Usage: make-server-image.sh [TAG]
set -euo pipefail
cd "$(dirname "$0")/../.."
tag="${1:-dstack-server:local}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
present() { docker image inspect "$1" >/dev/null 2>&1; }

if ! present dstack-build/debian; then
  debootstrap --variant=minbase --include=ca-certificates bookworm "$work/debian" >"$work/log" 2>&1 || { tail -5 "$work/log"; exit 1; }
  rm -rf "$work/debian/var/cache/apt" "$work/debian/var/lib/apt/lists" "$work/debian/usr/share/locale" "$work/debian/usr/share/doc"
  # Whom this machine trusts, the build trusts.
  cp -L /etc/ssl/certs/ca-certificates.crt "$work/debian/etc/ssl/certs/"
  tar -C "$work/debian" -c . | docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - dstack-build/debian >/dev/null
fi

if ! present dstack-build/node; then
  mkdir -p "$work/node"
  node_arch=$(node -p 'process.arch')
  cp "node_modules/node-linux-$node_arch/bin/node" "$work/node/node"
  cp -r "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$work/node/npm"
  printf '%s\n' 'FROM dstack-build/debian' \
    'COPY node /usr/local/bin/node' 'COPY npm /usr/local/lib/node_modules/npm' \
    'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx' \
    >"$work/node/Dockerfile"
  docker build --quiet --tag dstack-build/node "$work/node" >/dev/null
fi

if ! present dstack-build/litestream; then
  tools=$(bash tools/ci/make-litestream.sh)
  mkdir -p "$work/litestream/usr/local/bin"
  cp "$tools/litestream" "$work/litestream/usr/local/bin/"
  tar -C "$work/litestream" -c . | docker import - dstack-build/litestream >/dev/null
fi

docker build --network host --file docker/server/Dockerfile --tag "$tag" \
  --build-arg BASE=dstack-build/debian --build-arg NODE_BASE=dstack-build/node --build-arg LITESTREAM=dstack-build/litestream .
