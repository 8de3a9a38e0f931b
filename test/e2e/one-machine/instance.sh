#!/bin/bash
# Makes a booted Debian look like a new EC2 instance to deploy/ec2/set-up.sh. Programs that would need AWS are replaced and
# note their calls in /srv/repository/calls. Arguments: the number of the loop device that is the data volume, and how many
# users the image has more than this machine.
set -eu
mkdir -p /var/lib/cloud/data /dev/disk/by-id
echo i-0123456789abcdef0 > /var/lib/cloud/data/instance-id
rm -rf /data /etc/fstab /etc/chat-system.env
# The next user gets another number then.
for user in $(seq "$2"); do useradd --system "another-$user"; done

cat > /usr/local/bin/aws <<AWS
#!/bin/bash
echo "aws \$*" | tee -a /srv/repository/calls
case "\$1 \$2" in
  's3 cp') cp /srv/repository/code.zip "\${@: -1}" ;;
  'ec2 attach-volume')
    # The first call comes while the volume is attached to the previous instance.
    if mkdir /run/in-use 2> /dev/null; then echo 'VolumeInUse' >&2; exit 254; fi
    # Without udev there is no link to the device, so the device itself gets the name of the link.
    volume=\${4/-/}
    mknod "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_\$volume" b 7 $1 ;;
  # As when no deployment is going on.
  'cloudformation signal-resource') exit 254 ;;
esac
AWS
cat > /usr/local/bin/curl <<'CURL'
#!/bin/bash
case "$*" in
  *amazon-ssm-agent*) echo "curl $*" >> /srv/repository/calls ;;
  *) exec /usr/bin/curl "$@" ;;
esac
CURL
cat > /usr/local/bin/dpkg <<'DPKG'
#!/bin/sh
echo "dpkg $*" >> /srv/repository/calls
DPKG
chmod 755 /usr/local/bin/aws /usr/local/bin/curl /usr/local/bin/dpkg
