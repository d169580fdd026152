#!/usr/bin/env bash
# Drives our server with the unmodified dstack 0.21.2 client from PyPI, as its user would. Needs Python 3.10+, pip with PyPI in reach
# and an ssh client. Keeps everything in a temporary folder; the server listens on loopback. `--install-only` gets the client and ends.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/dstack-compat-XXXXXX")
venv=${DSTACK_COMPAT_VENV:-${TMPDIR:-/tmp}/dstack-compat-venv-0.21.2}
export HOME="$work/home" DSTACK_SERVER_DIR="$work/server"
mkdir -p "$HOME" "$work/project"
checks=0 failures=0

if [ ! -x "$venv/bin/dstack" ]; then
  if ! { python3 -m venv "$venv" && "$venv/bin/pip" install -q --disable-pip-version-check 'dstack==0.21.2'; } >"$work/pip.log" 2>&1; then
    tail -3 "$work/pip.log"
    echo 'compat: SKIPPED, the 0.21.2 client cannot be installed here (no PyPI?)'
    exit 0
  fi
fi
if [ "${1:-}" = --install-only ]; then rm -rf "$work"; exit 0; fi

node=$(ls -d "$root"/node_modules/node-linux-*/bin/node 2>/dev/null | head -1)
port=$("${node:-node}" -e 'const s=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
token=$("${node:-node}" -e 'console.log(crypto.randomUUID())')
DSTACK_SERVER_ADMIN_TOKEN=$token "${node:-node}" "$root/apps/server/bin/main.mjs" --host 127.0.0.1 --port "$port" >"$work/server.log" 2>&1 &
server=$!
finish() {
  kill "$server" 2>/dev/null
  wait "$server" 2>/dev/null
  pkill -f "$work/server/local" 2>/dev/null
  if [ "$failures" = 0 ]; then rm -rf "$work"; else echo "compat: files kept in $work"; fi
}
trap finish EXIT
for _ in $(seq 150); do
  "${node:-node}" -e "fetch('http://127.0.0.1:$port/healthcheck').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))" && break
  kill -0 "$server" 2>/dev/null || { cat "$work/server.log"; echo 'compat: the server did not start'; failures=1; exit 1; }
  sleep 0.2
done

# check NAME EXPECTED_EXIT EXPECTED_OUTPUT_PATTERN COMMAND…
check() {
  local name=$1 want=$2 pattern=$3
  shift 3
  local out code
  out=$(cd "$work/project" && timeout 90 "$venv/bin/dstack" "$@" </dev/null 2>&1)
  code=$?
  checks=$((checks + 1))
  if [ "$code" = "$want" ] && grep -qE "$pattern" <<<"$out"; then
    echo "compat ok    $name"
  else
    failures=$((failures + 1))
    printf 'compat FAIL  %s: exit %s (wanted %s), pattern «%s» in:\n%s\n' "$name" "$code" "$want" "$pattern" "$(tail -25 <<<"$out")"
  fi
}
small='resources: {cpu: 1.., memory: 256MB.., disk: 1GB..}'
cat >"$work/project/hello.dstack.yml" <<YAML
type: task
name: compat-hello
commands: [echo "hello from the official client", sleep 12]
$small
YAML
cat >"$work/project/fails.dstack.yml" <<YAML
type: task
name: compat-fails
commands: [echo before, exit 7]
$small
YAML
cat >"$work/project/long.dstack.yml" <<YAML
type: task
name: compat-long
commands: ['for i in \$(seq 600); do echo tick \$i; sleep 0.5; done']
$small
YAML
cat >"$work/project/fleet.dstack.yml" <<YAML
type: fleet
name: compat-fleet
nodes: 0..1
YAML

check 'project add' 0 '.*' project add --name main --url "http://127.0.0.1:$port" --token "$token" -y
check 'project list' 0 'main' project list
check 'secret set' 0 '.*' secret set compat_key value-1
check 'secret list' 0 'compat_key' secret list
check 'secret get' 0 'value-1' secret get compat_key
check 'fleet list, none' 0 'NAME' fleet list
check 'offer' 0 'ssh|remote|local' offer --cpu 1.. --memory 256MB.. --disk 1GB..
check 'apply, attached' 0 'hello from the official client' apply -f hello.dstack.yml -y
check 'fleet list, the default one' 0 'default' fleet list
check 'fleet apply' 0 'compat-fleet' apply -f fleet.dstack.yml -y
check 'ps -a' 0 'compat-hello.*exited \(0\)' ps -a
check 'logs' 0 'hello from the official client' logs compat-hello
check 'apply, failing' 1 '.*' apply -f fails.dstack.yml -y
check 'ps shows the exit code' 0 'exited \(7\)' ps -a
check 'apply -d' 0 'submitted|detaching' apply -f long.dstack.yml -y -d
for _ in $(seq 60); do
  (cd "$work/project" && "$venv/bin/dstack" ps 2>/dev/null) | grep -q 'compat-long.*running' && break
  sleep 0.5
done
check 'ps' 0 'compat-long.*running' ps
(cd "$work/project" && exec timeout -s INT 40 "$venv/bin/dstack" attach --logs compat-long </dev/null >"$work/attach-logs.log" 2>&1) &
attached=$!
while kill -0 "$attached" 2>/dev/null && ! grep -q 'tick [0-9]' "$work/attach-logs.log"; do sleep 0.2; done
kill -INT "$attached" 2>/dev/null
wait "$attached" 2>/dev/null
checks=$((checks + 1))
if grep -q 'tick [0-9]' "$work/attach-logs.log"; then echo 'compat ok    attach --logs'; else
  failures=$((failures + 1))
  printf 'compat FAIL  attach --logs:\n%s\n' "$(tail -25 "$work/attach-logs.log")"
fi
(cd "$work/project" && exec timeout -s INT 40 "$venv/bin/dstack" attach compat-long </dev/null >"$work/attach.log" 2>&1) &
attached=$!
for _ in $(seq 60); do
  out=$(ssh -F "$HOME/.dstack/ssh/config" -o ConnectTimeout=5 compat-long 'echo "inside $DSTACK_RUN_NAME"' </dev/null 2>&1)
  grep -q 'inside compat-long' <<<"$out" && break
  kill -0 "$attached" 2>/dev/null || break
  sleep 0.5
done
kill -INT "$attached" 2>/dev/null
wait "$attached" 2>/dev/null
checks=$((checks + 1))
if grep -q 'inside compat-long' <<<"$out"; then echo 'compat ok    attach, and ssh to the run by its name'; else
  failures=$((failures + 1))
  printf 'compat FAIL  attach, and ssh to the run by its name:\n%s\n%s\n' "$out" "$(tail -25 "$work/attach.log")"
fi
check 'stop' 0 '.*' stop compat-long -y
for _ in $(seq 60); do
  (cd "$work/project" && "$venv/bin/dstack" ps -a 2>/dev/null) | grep -qE 'compat-long.*(stopped|terminated)' && break
  sleep 0.5
done
check 'stopped' 0 'compat-long.*(stopped|terminated)' ps -a
check 'secret delete' 0 '.*' secret delete compat_key -y
check 'fleet delete' 0 '.*' fleet delete compat-fleet -y
check 'wrong token' 1 '.*' project add --name other --url "http://127.0.0.1:$port" --token wrong -n

echo "compat: $checks checks, $failures failed"
[ "$failures" = 0 ]
