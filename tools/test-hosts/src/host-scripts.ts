/**
 * Makes a root directory in new mount, network and uts namespaces: this machine's programs and configuration, with changes that stay
 * in memory, and nothing else of it. Arguments: mount point, name.
 */
export const MAKE_ROOT = `
set -eu
place=$1 name=$2
mount -t tmpfs -o mode=755,size=200g tmpfs "$place"
cd "$place"
for directory in usr etc; do
  mkdir -p ".over/$directory" ".over/$directory.work" "$directory"
  mount -t overlay -o "lowerdir=/$directory,upperdir=$place/.over/$directory,workdir=$place/.over/$directory.work" overlay "$directory"
done
for entry in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$entry" ]; then cp -P "/$entry" "$entry"; elif [ -d "/$entry" ]; then mkdir "$entry"; mount --bind "/$entry" "$entry"; fi
done
mkdir -p dev proc sys run home mnt opt srv .cgroup .old
mkdir -p -m 700 root
mkdir -p -m 1777 tmp var/tmp
mkdir -p var/lib var/log var/cache var/spool var/mail var/empty
ln -s /run var/run
if [ -d /sys/fs/cgroup ]; then mount --rbind /sys/fs/cgroup .cgroup; fi
rm -rf usr/local/lib/dstack etc/docker/daemon.json etc/sudoers.d/* etc/ssh/ssh_host_* etc/systemd/system/dstack*
hostname "$name"
echo "$name" > etc/hostname
printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n::1 localhost\\n' "$name" > etc/hosts
mount -t proc proc proc
pivot_root . .old
umount -l /.old
umount /proc
rmdir /.old
cat > /etc/ssh/sshd_config <<'END'
HostKey /etc/ssh/ssh_host_ed25519_key
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UseDNS no
MaxStartups 100
Subsystem sftp internal-sftp
END
echo ready
cat > /dev/null
`;

/** Puts the shell into that cgroup, in every hierarchy. */
export function joinCgroup(cgroup: string): string {
  return (
    'for procs in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do ' +
    `group="\${procs%/cgroup.procs}${cgroup}/system"; ` +
    'if [ -e "$procs" ] && mkdir -p "$group" 2>/dev/null; then echo 0 > "$group/cgroup.procs" || :; fi; done 2>/dev/null'
  );
}

/**
 * The first process of a running host, in new pid, ipc and mount namespaces: what is mounted while it runs goes when it ends.
 * Argument: the cgroup of everything that runs on it.
 */
export const BOOT = `
set -eu
cgroup=$1
mount -t proc proc /proc
mount -t sysfs sysfs /sys
if [ -d /sys/fs/cgroup ]; then
  mount --rbind /.cgroup /sys/fs/cgroup
  ${joinCgroup('$cgroup')}
fi
mount -t tmpfs -o mode=755 tmpfs /dev
for device in 'null 1 3' 'zero 1 5' 'full 1 7' 'random 1 8' 'urandom 1 9' 'tty 5 0'; do
  set -- $device
  mknod -m 666 "/dev/$1" c "$2" "$3"
done
mkdir -m 1777 /dev/shm
mkdir /dev/pts
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts /dev/pts
ln -s pts/ptmx /dev/ptmx
ln -s /proc/self/fd /dev/fd
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p -m 755 /run/sshd /run/lock
if [ ! -e /etc/ssh/ssh_host_ed25519_key ]; then
  usermod -p '*' root
  ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
fi
exec 3<&0
/usr/sbin/sshd 3<&- </dev/null
# It writes this once it listens.
until [ -e /run/sshd.pid ]; do sleep 0.02; done
echo ready
# In the background, as a shell that waits also takes in the orphans of everybody else.
exec sh -c 'cat <&3 > /dev/null & wait $!' init
`;

/** Arguments: user, public key, "yes" for sudo without a password. */
export const ADD_USER = `
set -eu
user=$1 key=$2 sudo=$3
if [ "$user" != root ]; then useradd --create-home --shell /bin/bash --password '*' "$user"; fi
home=$(getent passwd "$user" | cut -d: -f6)
mkdir -p -m 700 "$home/.ssh"
echo "$key" > "$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"
chown -R "$user:" "$home/.ssh"
if [ "$user" != root ] && [ "$sudo" = yes ]; then echo "$user ALL=(ALL) NOPASSWD:ALL" > "/etc/sudoers.d/$user"; fi
`;

/** Argument: parent of the cgroups of its containers. */
export const START_DOCKER = `
set -eu
mkdir -p /var/lib/docker
setsid dockerd --host unix:///run/docker.sock --data-root /var/lib/docker --exec-root /run/docker --pidfile /run/docker.pid \\
  --cgroup-parent "$1" </dev/null >/var/log/dockerd.log 2>&1 &
tries=0
until docker info >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 300 ]; then tail -5 /var/log/dockerd.log >&2; exit 1; fi
  sleep 0.2
done
`;
