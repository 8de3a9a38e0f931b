import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Duration, Fn, IgnoreMode, Size, Stack, Tags } from 'aws-cdk-lib';
import { AutoScalingGroup, type CfnAutoScalingGroup, Signals, UpdatePolicy } from 'aws-cdk-lib/aws-autoscaling';
import {
  BlockDeviceVolume,
  CfnEIP,
  EbsDeviceVolumeType,
  InstanceType,
  type IVpc,
  LaunchTemplate,
  MachineImage,
  OperatingSystemType,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  UserData,
  Volume,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import { machineRole } from './machine-role.ts';
import { removalOf } from './removal.ts';
import { suppress } from './suppress.ts';

const project = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(project, file), 'utf8');

/** Debian's own image, in the release of docs/one-machine.md. AWS resolves the parameter at each deployment. */
const image = '/aws/service/debian/release/13/latest/arm64';
/** 2 GB of memory. The server needs less than 300 MB. A t4g.micro has 1 GB, which may be too little for npm. */
const instanceType = 't4g.small';
/** cloud-init runs the scripts in this folder at each boot, before it runs new user data. */
const atEachBoot = '/var/lib/cloud/scripts/per-boot/chat-system';
/** The size of the root volume, in GB: that of Debian's image. */
const rootGb = 8;

interface MachineProps {
  /** The domain name under which Caddy serves the API. */
  domain: string;
  /** The name of the availability zone. Default: the first one of the region. */
  zone: string | undefined;
  dataGb: number;
  /** The snapshot from which the data volume is created. Default: an empty volume. */
  snapshot: string | undefined;
  /** The tag of the volume, which selects it for snapshots, and of the instance. */
  tag: { key: string; value: string };
}

/**
 * One EC2 instance that runs deploy/ec2/set-up.sh, with a data volume and an address that outlive it. An Auto Scaling
 * group of one instance replaces an instance that fails, and a deployment of new code replaces the instance too. The
 * new instance attaches the volume itself, once it is free. CloudFormation would attach it before the previous instance
 * has released it.
 */
export class Machine extends Construct {
  /** The Elastic IP address. */
  readonly address: string;
  readonly group: AutoScalingGroup;

  constructor(scope: Construct, id: string, { domain, zone, dataGb, snapshot, tag }: MachineProps) {
    super(scope, id);
    const availabilityZone = zone ?? Fn.select(0, Fn.getAzs());
    const volume = new Volume(this, idOf('Data', zone, snapshot), {
      availabilityZone,
      size: Size.gibibytes(dataGb),
      ...(snapshot && { snapshotId: snapshot }),
      volumeType: EbsDeviceVolumeType.GP3,
      encrypted: true,
      removalPolicy: removalOf(true),
    });
    const address = new CfnEIP(this, 'Address', { domain: 'vpc' });
    this.address = address.ref;
    const code = new Asset(this, 'Code', {
      path: project,
      // Keep only the files of the Docker image, and `deploy`, which has the systemd units.
      exclude: [...read('.dockerignore').split('\n').filter(Boolean), '!deploy'],
      ignoreMode: IgnoreMode.DOCKER,
    });
    const role = machineRole(this, 'Role', { code, volume, addressId: address.attrAllocationId, tag });
    const userData = UserData.forLinux();
    const { vpc, securityGroup } = this.#addNetwork(availabilityZone, (name) => idOf(name, zone));
    this.group = new AutoScalingGroup(this, 'Group', {
      vpc,
      vpcSubnets: { subnetType: SubnetType.PUBLIC },
      launchTemplate: new LaunchTemplate(this, 'Template', {
        instanceType: new InstanceType(instanceType),
        machineImage: MachineImage.fromSsmParameter(image, { os: OperatingSystemType.LINUX, userData }),
        userData,
        role,
        securityGroup,
        associatePublicIpAddress: true,
        requireImdsv2: true,
        httpPutResponseHopLimit: 1,
        blockDevices: [
          {
            deviceName: '/dev/xvda',
            volume: BlockDeviceVolume.ebs(rootGb, { volumeType: EbsDeviceVolumeType.GP3, encrypted: true }),
          },
        ],
      }),
      minCapacity: 1,
      maxCapacity: 1,
      // A deployment succeeds when the new instance serves. It waits for the volume, and installs packages.
      signals: Signals.waitForAll({ timeout: Duration.minutes(15) }),
      // The previous instance is terminated first, because the volume can be attached to only one.
      updatePolicy: UpdatePolicy.rollingUpdate({ maxBatchSize: 1, minInstancesInService: 0 }),
    });
    suppress(this.group, {
      'AwsSolutions-AS3': 'The alarm tells whether the machine responds, which matters more than what the group does.',
    });
    // The first instance needs its permissions and the internet.
    this.group.node.addDependency(role, vpc.internetConnectivityEstablished);
    for (const tagged of [volume, this.group]) Tags.of(tagged).add(tag.key, tag.value);

    const stack = Stack.of(this);
    const settings = {
      AWS_DEFAULT_REGION: stack.region,
      CODE: code.s3ObjectUrl,
      VOLUME: volume.volumeId,
      ADDRESS: address.attrAllocationId,
      DOMAIN: domain,
      STACK: stack.stackName,
      GROUP: stack.getLogicalId(this.group.node.defaultChild as CfnAutoScalingGroup),
    };
    userData.addCommands(
      ...Object.entries(settings).map(([name, value]) => `export ${name}=${value}`),
      // cloud-init runs user data only once, even if the machine restarts before it has succeeded.
      `[ "$0" -ef ${atEachBoot} ] || install -D --mode=700 "$0" ${atEachBoot}`,
      `cat > /root/set-up <<'END'\n${read('deploy/ec2/set-up.sh')}END`,
      'until bash /root/set-up; do sleep 30; done',
      `rm ${atEachBoot}`,
    );
  }

  /** Adds a network with one public subnet, and the security group of the instance. */
  #addNetwork(zone: string, idIn: (name: string) => string): { vpc: IVpc; securityGroup: SecurityGroup } {
    const vpc = new Vpc(this, idIn('Vpc'), {
      availabilityZones: [zone],
      natGateways: 0,
      subnetConfiguration: [{ name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24 }],
      // Restricting the default security group takes a custom resource, and nothing uses that group.
      restrictDefaultSecurityGroup: false,
    });
    suppress(vpc, {
      'AwsSolutions-VPC7':
        'Flow logs would have a line for each connection of a client and for each port scan, because all traffic goes through one public address.',
    });
    // CDK's own types don't agree under exactOptionalPropertyTypes.
    const network = vpc as IVpc;
    const securityGroup = new SecurityGroup(this, idIn('Web'), {
      vpc: network,
      description: 'The machine of chat-system',
      // Packages come from servers of Debian and npm, and certificates from Let's Encrypt.
      allowAllOutbound: true,
    });
    for (const port of [Port.HTTP, Port.HTTPS]) securityGroup.addIngressRule(Peer.anyIpv4(), port, 'Clients');
    suppress(securityGroup, {
      'AwsSolutions-EC23': 'The machine serves clients on the internet: over HTTPS, with a redirect from HTTP.',
    });
    return { vpc: network, securityGroup };
  }
}

/**
 * Returns the id of a construct that has to be replaced when one of these settings changes. With the same id,
 * CloudFormation could not change the zone or the snapshot of a volume, or create a second subnet with the same range.
 */
const idOf = (name: string, ...settings: (string | undefined)[]): string =>
  [name, ...settings.filter((setting) => setting)].join('-');
