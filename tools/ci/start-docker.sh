# Sourced: starts a Docker Engine for the tests when there is none and the rights allow it. Tests of the container runtime say so when
# there is no engine; nothing else depends on it.
if ! docker info >/dev/null 2>&1 && command -v dockerd >/dev/null && [ "$(id -u)" = 0 ]; then
  for options in '' '--iptables=false' '--storage-driver=vfs --iptables=false --bridge=none'; do
    # shellcheck disable=SC2086
    dockerd $options >/tmp/dstack-dockerd.log 2>&1 &
    dockerd_pid=$!
    for _ in $(seq 30); do
      docker info >/dev/null 2>&1 && break 2
      kill -0 "$dockerd_pid" 2>/dev/null || break
      sleep 0.5
    done
    kill "$dockerd_pid" 2>/dev/null
  done
fi
docker info --format 'Docker Engine {{.ServerVersion}}, storage {{.Driver}}' 2>/dev/null || echo 'no Docker Engine'
