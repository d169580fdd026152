#!/bin/sh
# Makes the images the agent's container tests run in, without any registry:
#   dstack-test/debian   Debian 12 (glibc 2.36)
#   dstack-test/old      Debian 11 (glibc 2.31, older than the agent's own)
#   dstack-test/gateway  Debian 12 with an SSH server and nginx
#   dstack-test/busybox  nothing but a static busybox: no libc, no /tmp, no /etc/passwd
#   dstack-test/musl     a static busybox beside the musl loader
# Needs root, debootstrap, busybox-static and an engine. Images that exist are kept; what cannot be made is said and left out.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

present() { docker image inspect "$1" >/dev/null 2>&1; }

bootstrap() { # image suite packages
  present "$1" && return 0
  if debootstrap --variant=minbase ${3:+--include="$3"} "$2" "$work/$2" >"$work/$2.log" 2>&1; then
    rm -rf "$work/$2/var/cache/apt" "$work/$2/var/lib/apt/lists"
    tar -C "$work/$2" -c . | docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$1" >/dev/null
  else
    echo "$1: debootstrap $2 failed:" >&2
    tail -3 "$work/$2.log" >&2
  fi
  rm -rf "$work/$2"
}

busybox_root() { # directory
  mkdir -p "$1/bin" "$1/dev" "$1/proc" "$1/sys"
  cp "$(command -v busybox)" "$1/bin/busybox"
  for applet in sh ls cat echo id env pwd sleep tty true false printf kill ps; do ln -sf busybox "$1/bin/$applet"; done
}

if ! present dstack-test/busybox; then
  busybox_root "$work/busybox"
  tar -C "$work/busybox" -c . | docker import --change 'ENV PATH=/bin' --change 'WORKDIR /' - dstack-test/busybox >/dev/null
fi

if ! present dstack-test/musl; then
  busybox_root "$work/musl"
  if (cd "$work" && apt-get download musl >/dev/null 2>&1 && dpkg-deb -x musl_*.deb "$work/musl"); then
    tar -C "$work/musl" -c . | docker import --change 'ENV PATH=/bin' --change 'ENV LD_PRELOAD=/lib/not-there.so' - dstack-test/musl >/dev/null
  else
    echo 'dstack-test/musl: the package musl cannot be had' >&2
  fi
fi

bootstrap dstack-test/debian bookworm git,ca-certificates
bootstrap dstack-test/old bullseye ''
bootstrap dstack-test/gateway bookworm openssh-server,nginx-light

docker images 'dstack-test/*'
