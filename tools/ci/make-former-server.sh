#!/usr/bin/env bash
# The server as it was before the newest migration of the database, built once per commit, for the test of rolling upgrades. Needs the history
# of the repository, and dependencies that still fit. Prints its program.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
newest=$(git log -1 --diff-filter=A --format=%H -- 'apps/server/src/migrations/1*.ts')
commit=$(git rev-parse --verify --quiet "$newest^") || { echo 'the history is too short for a former server' >&2; exit 1; }
dir="${DSTACK_TOOLS_DIR:-$HOME/.cache/dstack-tools}/former-server-$commit"
if [ ! -e "$dir/built" ]; then
  rm -rf "$dir"
  mkdir -p "$dir/node_modules/@dstack"
  git archive "$commit" | tar -x -C "$dir"
  for path in "$root"/node_modules/* "$root/node_modules/.bin"; do
    [ "${path##*/}" = @dstack ] || ln -s "$path" "$dir/node_modules/"
  done
  for path in "$dir"/apps/* "$dir"/libs/* "$dir"/libs/backends/*; do
    [ -e "$path/package.json" ] || continue
    own="$root/${path#"$dir/"}/node_modules"
    [ ! -e "$own" ] || ln -s "$own" "$path/node_modules"
    name=$(node -p 'JSON.parse(require("fs").readFileSync(process.argv[1])).name' "$path/package.json")
    ln -s "$path" "$dir/node_modules/$name"
  done
  (cd "$dir" && node node_modules/typescript/bin/tsc -b {apps/server,apps/agent,libs/backends/local}/tsconfig.lib.json >&2)
  touch "$dir/built"
fi
for program in "$dir/apps/server/bin/main.mjs" "$dir/apps/server/dist/main.js"; do
  [ ! -e "$program" ] || break
done
echo "$program"
