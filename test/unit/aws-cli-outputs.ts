/**
 * Outputs of the AWS CLI, by command, for an account in eu-central-1 to which prod can be deployed. They have the form
 * that the reference of the AWS CLI documents; no account was available to record them.
 */
export const outputs: Record<string, unknown> = {
  'sts get-caller-identity': {
    UserId: 'AIDACKCEVSQ6C2EXAMPLE',
    Account: '123456789012',
    Arn: 'arn:aws:iam::123456789012:user/deployer',
  },
  'ec2 describe-availability-zones': {
    AvailabilityZones: ['a', 'b', 'c'].map((letter, i) => ({
      OptInStatus: 'opt-in-not-required',
      Messages: [],
      RegionName: 'eu-central-1',
      ZoneName: `eu-central-1${letter}`,
      ZoneId: `euc1-az${i + 1}`,
      GroupName: 'eu-central-1-zg-1',
      NetworkBorderGroup: 'eu-central-1',
      ZoneType: 'availability-zone',
      State: 'available',
    })),
  },
  'rds describe-orderable-db-instance-options --engine mysql --db-instance-class db.t4g.medium': {
    OrderableDBInstanceOptions: [
      orderable('8.0.40', 'gp3', ['a']),
      orderable('8.4.8', 'gp2', ['a']),
      orderable('8.4.8', 'gp3', ['a', 'b', 'c']),
    ],
  },
  'opensearch list-instance-type-details --engine-version OpenSearch_3.3 --instance-type m7g.large.search --retrieve-azs':
    {
      InstanceTypeDetails: [
        {
          InstanceType: 'm7g.large.search',
          EncryptionEnabled: true,
          CognitoEnabled: true,
          AppLogsEnabled: true,
          AdvancedSecurityEnabled: true,
          WarmEnabled: true,
          InstanceRole: ['Data', 'Master'],
          AvailabilityZones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],
        },
      ],
    },
  'ec2 describe-vpcs': { Vpcs: [{ VpcId: 'vpc-0123456789abcdef0', CidrBlock: '172.31.0.0/16', IsDefault: true }] },
  'service-quotas get-service-quota --service-code vpc --quota-code L-F678F1CE': {
    Quota: { ServiceCode: 'vpc', QuotaName: 'VPCs per Region', QuotaCode: 'L-F678F1CE', Value: 5.0, Adjustable: true },
  },
  'iam get-role --role-name AWSServiceRoleForAmazonOpenSearchService': {
    Role: { RoleName: 'AWSServiceRoleForAmazonOpenSearchService', Path: '/aws-service-role/' },
  },
  'lambda get-account-settings': {
    AccountLimit: {
      TotalCodeSize: 80_530_636_800,
      CodeSizeUnzipped: 262_144_000,
      CodeSizeZipped: 52_428_800,
      ConcurrentExecutions: 1_000,
      UnreservedConcurrentExecutions: 1_000,
    },
    AccountUsage: { TotalCodeSize: 0, FunctionCount: 0 },
  },
  'apigateway get-account': {
    throttleSettings: { burstLimit: 5_000, rateLimit: 10_000.0 },
    features: ['UsagePlans'],
    apiKeyVersion: '4',
  },
  'ssm get-parameter --name /cdk-bootstrap/hnb659fds/version': {
    Parameter: { Name: '/cdk-bootstrap/hnb659fds/version', Type: 'String', Value: '30', Version: 1 },
  },
};

function orderable(EngineVersion: string, StorageType: string, letters: string[]) {
  return {
    Engine: 'mysql',
    EngineVersion,
    DBInstanceClass: 'db.t4g.medium',
    AvailabilityZones: letters.map((letter) => ({ Name: `eu-central-1${letter}` })),
    MultiAZCapable: true,
    Vpc: true,
    StorageType,
  };
}
