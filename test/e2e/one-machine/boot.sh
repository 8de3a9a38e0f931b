#!/bin/sh
# Boots systemd in namespaces of its own, with an overlay of this machine's files as its root, so that nothing outside is
# changed. `unshare` runs it; everything is gone when systemd is killed.
#
# Arguments: an empty folder, the project, and a folder, such as a Git repository, that is served as /srv/repository.
set -eu
mount --make-rprivate /
base=$1 project=$2 repository=$3 root=$1/root
mount -t tmpfs tmpfs "$base"
mkdir "$base/upper" "$base/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$root"
cd "$root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
# A control group of its own: two systemds in the same group would end each other's services.
mkdir "$base/groups"
mount -t cgroup2 cgroup2 "$base/groups"
group=$base/groups/${base##*/}
mkdir "$group"
echo $$ > "$group/cgroup.procs"
mount --bind "$group" sys/fs/cgroup
mount -t tmpfs tmpfs dev
for device in null zero full random urandom tty; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mkdir -p srv/node_modules srv/repository opt
mount --bind "$project/node_modules" srv/node_modules
mount -o remount,bind,ro srv/node_modules
mount --bind "$repository" srv/repository
ip link set lo up
# Services of this machine do not start, and traces of an installation are hidden.
rm -rf etc/systemd/system/*.wants opt/chat-system var/lib/chat-system* var/lib/caddy/.local
touch etc/machine-id
# The registries are not reachable from here.
printf '#!/bin/sh\n' > usr/local/bin/apt-get
cat > usr/local/bin/npm <<'NPM'
#!/bin/sh
set -eu
mountpoint --quiet node_modules && exit
mkdir -p node_modules /run/npm/upper /run/npm/work
mount -t overlay overlay -o lowerdir=/srv/node_modules,upperdir=/run/npm/upper,workdir=/run/npm/work node_modules
NPM
chmod 755 usr/local/bin/apt-get usr/local/bin/npm
# Units with namespaces of their own need a root that is not a mere chroot.
mkdir old
pivot_root . old
umount --lazy old
export container=lxc
exec unshare --cgroup /lib/systemd/systemd --system --unit=multi-user.target --log-level=warning
