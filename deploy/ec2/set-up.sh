#!/bin/bash
# Sets up a new instance of stage single (docs/single.md): installs the chat system as docs/one-machine.md describes, with
# its data on a volume that outlives the instance. User data runs it as root, and again until it succeeds, so every step
# can be repeated.
#
# Variables: AWS_DEFAULT_REGION; CODE, the S3 URL of the code; VOLUME and ADDRESS, the ids of the data volume and of the
# Elastic IP address; DOMAIN; STACK and GROUP, the names of the CloudFormation stack and of the group in it.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
instance=$(cat /var/lib/cloud/data/instance-id)

# A restart of the machine may have interrupted an installation.
dpkg --configure --pending
# The programs, and the agent of Session Manager, which Debian does not have. The first two commands are those of
# docs/one-machine.md. They install Git, which is not needed here.
apt-get update
apt-get install --yes --no-install-recommends caddy curl git nodejs npm
apt-get install --yes --no-install-recommends awscli unzip
curl --silent --show-error --fail --output /root/amazon-ssm-agent.deb \
  "https://s3.$AWS_DEFAULT_REGION.amazonaws.com/amazon-ssm-$AWS_DEFAULT_REGION/latest/debian_arm64/amazon-ssm-agent.deb"
dpkg --install /root/amazon-ssm-agent.deb

# The code. Its packages come from npm.
aws s3 cp --no-progress "$CODE" /root/chat-system.zip
unzip -q -o /root/chat-system.zip -d /opt/chat-system
# The modes in the archive are those of the machine that deployed.
chmod --recursive go=rX /opt/chat-system
/opt/chat-system/script/setup
getent passwd chat-system > /dev/null ||
  useradd --system --home-dir /var/lib/chat-system --shell /usr/sbin/nologin chat-system

# The volume. Until the previous instance is terminated, it is still attached there, and attaching fails.
device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VOLUME/-/}
until [ -b "$device" ]; do
  aws ec2 attach-volume --volume-id "$VOLUME" --instance-id "$instance" --device /dev/sdf || true
  sleep 5
done
# A new volume reads as zeros. A volume that has anything else, or cannot be read, is not formatted.
if cmp --silent --bytes=1048576 "$device" /dev/zero; then mkfs.ext4 -q "$device"; fi

sed "s/vol0123456789abcdef0/${VOLUME/-/}/" /opt/chat-system/deploy/ec2/data.mount > /etc/systemd/system/data.mount
systemctl enable --now data.mount
# The volume may have been enlarged.
resize2fs "$device"
# At each boot, systemd mounts the folders again, and starts no service whose folder it could not mount.
for folder in chat-system chat-system-backups caddy; do
  mkdir --parents "/data/$folder" "/var/lib/$folder"
  grep --quiet " /var/lib/$folder " /etc/fstab || echo "/data/$folder /var/lib/$folder none bind,nofail 0 0" >> /etc/fstab
  mountpoint --quiet "/var/lib/$folder" || mount "/var/lib/$folder"
done
systemctl daemon-reload
# The numeric user ids can differ from those on the previous instance.
chown --recursive chat-system: /data/chat-system /data/chat-system-backups
chown --recursive caddy: /data/caddy

# The settings of the server. The admin key is created once, with the volume.
touch /data/chat-system.env
chmod 600 /data/chat-system.env
grep --quiet '^ADMIN_KEY=.' /data/chat-system.env ||
  echo "ADMIN_KEY=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')" >> /data/chat-system.env
ln --symbolic --force /data/chat-system.env /etc/chat-system.env

# The address belongs to the instance that has the volume.
aws ec2 associate-address --allocation-id "$ADDRESS" --instance-id "$instance" --allow-reassociation

systemctl enable --now /opt/chat-system/deploy/one-machine/chat-system.service
curl --silent --show-error --fail --retry 20 --retry-delay 1 --retry-connrefused http://127.0.0.1:3000/v1/health
systemctl link /opt/chat-system/deploy/one-machine/chat-system-backup.service
systemctl enable --now /opt/chat-system/deploy/one-machine/chat-system-backup.timer
sed "s/eu-central-1/$AWS_DEFAULT_REGION/" /opt/chat-system/deploy/ec2/chat-system-disk.service \
  > /etc/systemd/system/chat-system-disk.service
systemctl enable --now /opt/chat-system/deploy/ec2/chat-system-disk.timer
sed "s/chat.example.org/$DOMAIN/" /opt/chat-system/deploy/one-machine/Caddyfile > /etc/caddy/Caddyfile
systemctl enable caddy
systemctl reload-or-restart caddy

# A deployment waits for this signal. CloudFormation refuses the signal when there is no deployment.
aws cloudformation signal-resource --stack-name "$STACK" --logical-resource-id "$GROUP" --unique-id "$instance" \
  --status SUCCESS || true
