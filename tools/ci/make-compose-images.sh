#!/usr/bin/env bash
# Stands in for the images that the compose file names, where no registry is at hand: Debian's Postgres and Prometheus, started as those are.
# Debian has no Grafana.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
present() { docker image inspect "$1" >/dev/null 2>&1; }

if ! present dstack-build/postgres; then
  cat >"$work/entry" <<'ENTRY'
#!/bin/sh
set -e
export PATH="$PATH:$(echo /usr/lib/postgresql/*/bin)"
data=/var/lib/postgresql/data
chown postgres "$data"
if [ ! -s "$data/PG_VERSION" ]; then
  printf %s "$POSTGRES_PASSWORD" >/tmp/password
  chown postgres /tmp/password
  setpriv --reuid postgres --regid postgres --clear-groups initdb -D "$data" -U "$POSTGRES_USER" --auth=scram-sha-256 --pwfile=/tmp/password
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
  echo "CREATE DATABASE $POSTGRES_DB" | setpriv --reuid postgres --regid postgres --clear-groups postgres --single -D "$data" postgres
fi
exec setpriv --reuid postgres --regid postgres --clear-groups postgres -D "$data" -h '*' -k /var/run/postgresql
ENTRY
  chmod +x "$work/entry"
  printf '%s\n' 'FROM dstack-build/debian' \
    'RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql && rm -rf /var/lib/apt/lists/*' \
    'RUN ln -s /usr/lib/postgresql/*/bin/pg_isready /usr/local/bin/pg_isready 2>/dev/null || true' \
    'COPY entry /entry' 'ENTRYPOINT ["/entry"]' >"$work/Dockerfile"
  docker build --quiet --network host --tag dstack-build/postgres "$work" >/dev/null
fi

if ! present dstack-build/prometheus; then
  printf '%s\n' 'FROM dstack-build/debian' \
    'RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends prometheus && rm -rf /var/lib/apt/lists/*' \
    'RUN install -d -o nobody /prometheus' 'USER nobody' 'WORKDIR /prometheus' 'ENTRYPOINT ["prometheus"]' >"$work/Dockerfile"
  docker build --quiet --network host --tag dstack-build/prometheus "$work" >/dev/null
fi
