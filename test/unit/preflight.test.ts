import { expect, test } from 'vitest';
import { readFlags } from '../../infra/flags.ts';
import { type Aws, AwsRefusal, failureOf } from '../../tools/checks/preflight/aws-cli.ts';
import { preflight, targetOf } from '../../tools/checks/preflight/checks.ts';
import { CommandProblem } from '../../tools/cli/problem.ts';
import { outputs } from './aws-cli-outputs.ts';

/** Returns the AWS account of aws-cli-outputs.ts, with these other outputs or refusals. */
const account =
  (others: Record<string, unknown> = {}): Aws =>
  async (...command) => {
    const all: Record<string, unknown> = { ...outputs, ...others };
    const output = all[command.join(' ')];
    if (output instanceof Error) throw output;
    if (output !== undefined) return output;
    if (command[1] === 'describe-stacks')
      throw new AwsRefusal('ValidationError', `Stack with id ${command.at(-1)} does not exist`);
    throw new Error(`aws-cli-outputs.ts has no output of aws ${command.join(' ')}`);
  };

async function findings(others: Record<string, unknown> = {}, flags: Record<string, unknown> = { stage: 'prod' }) {
  const all = await preflight(account(others), readFlags(flags));
  return all.filter(({ kind }) => kind !== 'ok').map(({ kind, check, text }) => `${kind} ${check}: ${text}`);
}

const zones = (...names: string[]) =>
  names.map((ZoneName, i) => ({
    RegionName: ZoneName.slice(0, -1),
    ZoneName,
    ZoneId: `x-az${i + 1}`,
    State: 'available',
  }));

test('an account in which everything is prepared has no problem and no warning', async () => {
  expect(await findings()).toEqual([]);
  const all = await preflight(account(), readFlags({ stage: 'prod' }));
  expect(all.map(({ check, text }) => `${check}: ${text}`)).toEqual([
    'stacks: no stack of stage prod exists yet',
    'bootstrap: CDK is bootstrapped, version 30',
    'zones: eu-central-1a, eu-central-1b, eu-central-1c offer MySQL 8.4 on db.t4g.medium and OpenSearch 3.3 on m7g.large.search',
    'network: 1 of 5 VPCs of this region are in use',
    "search: OpenSearch's service-linked role exists",
    'lambda: Lambda runs 1,000 functions at once',
    'gateway: API Gateway allows this account 10,000 requests/s, with bursts of 5,000',
  ]);
});

test('the target is the account and region of the AWS CLI', async () => {
  expect(await targetOf(account())).toEqual({ account: '123456789012', region: 'eu-central-1' });
});

test('an empty account gets every missing part named at once, each with the command that creates it', async () => {
  const empty = {
    'ssm get-parameter --name /cdk-bootstrap/hnb659fds/version': new AwsRefusal('ParameterNotFound', ''),
    'iam get-role --role-name AWSServiceRoleForAmazonOpenSearchService': new AwsRefusal('NoSuchEntity', 'not found'),
    'lambda get-account-settings': { AccountLimit: { ConcurrentExecutions: 10 } },
  };
  expect(await findings(empty)).toEqual([
    expect.stringMatching(/^problem bootstrap: .*npx cdk bootstrap$/),
    expect.stringMatching(/^problem search: .*aws iam create-service-linked-role --aws-service-name opensearchservice/),
    expect.stringMatching(
      /^problem lambda: Lambda runs at most 10 functions at once here\. Stage prod reserves 3, .*aws service-quotas request/,
    ),
  ]);
  expect(await findings({ 'lambda get-account-settings': empty['lambda get-account-settings'] }, {})).toEqual([
    expect.stringMatching(/^warning lambda: Lambda runs at most 10 functions/),
  ]);
});

test('a bootstrap stack that is too old is named with its version', async () => {
  const old = { 'ssm get-parameter --name /cdk-bootstrap/hnb659fds/version': { Parameter: { Value: '5' } } };
  expect(await findings(old)).toEqual([expect.stringMatching(/^problem bootstrap: .* version 5, but 6 is needed/)]);
});

test('a region with two zones cannot have prod, and can have dev', async () => {
  const two = { 'ec2 describe-availability-zones': { AvailabilityZones: zones('eu-central-1a', 'eu-central-1b') } };
  expect(await findings(two)).toEqual([
    'problem zones: this region has 2 zones, but the stage needs 3: choose another region',
  ]);
  expect(await findings(two, {})).toEqual([]);
});

test('a zone that lacks something is named, with the zones to pass instead', async () => {
  const four = ['us-east-1a', 'us-east-1b', 'us-east-1c', 'us-east-1d'];
  const virginia = {
    'ec2 describe-availability-zones': {
      AvailabilityZones: zones(...four).map((zone, i) => (i === 1 ? { ...zone, ZoneId: 'use1-az3' } : zone)),
    },
    'rds describe-orderable-db-instance-options --engine mysql --db-instance-class db.t4g.medium': {
      OrderableDBInstanceOptions: [
        {
          EngineVersion: '8.4.9',
          StorageType: 'gp3',
          MultiAZCapable: true,
          AvailabilityZones: four.map((Name) => ({ Name })),
        },
      ],
    },
    'opensearch list-instance-type-details --engine-version OpenSearch_3.3 --instance-type m7g.large.search --retrieve-azs':
      {
        InstanceTypeDetails: [{ InstanceType: 'm7g.large.search', AvailabilityZones: ['us-east-1a', 'us-east-1d'] }],
      },
  };
  expect(await findings(virginia)).toEqual([
    'problem zones: us-east-1b (use1-az3) lacks RDS Proxy, OpenSearch 3.3 on m7g.large.search: only us-east-1a, us-east-1d offers everything, but the stage needs 3 zones: choose another region',
    expect.stringMatching(/^problem zones: us-east-1c \(x-az3\) lacks OpenSearch 3\.3/),
  ]);
  expect(await findings(virginia, {})).toEqual([
    'problem zones: us-east-1b (use1-az3) lacks RDS Proxy: pass "zones": "us-east-1a,us-east-1d"',
  ]);
  // The domain of dev has one node, in the first zone.
  expect(await findings(virginia, { zones: 'us-east-1a,us-east-1c' })).toEqual([]);
  expect(await findings(virginia, { zones: 'us-east-1a,eu-central-1b' })).toEqual([
    expect.stringMatching(/^problem zones: eu-central-1b is not a zone of this region: pass "zones"/),
  ]);
});

test('if AWS does not name the zones of a search node type, every zone is assumed to have it', async () => {
  // As in the sample of AWS: https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_ListInstanceTypeDetails.html
  for (const AvailabilityZones of [null, undefined])
    expect(
      await findings({
        'opensearch list-instance-type-details --engine-version OpenSearch_3.3 --instance-type m7g.large.search --retrieve-azs':
          { InstanceTypeDetails: [{ InstanceType: 'm7g.large.search', AvailabilityZones }] },
      }),
    ).toEqual([]);
});

test('a response of an unknown form gives a warning, and the other checks are made', async () => {
  const odd = {
    'lambda get-account-settings': { AccountLimit: {} },
    'apigateway get-account': { throttleSettings: null },
  };
  expect(await findings(odd)).toEqual([
    expect.stringMatching(
      /^warning lambda: not checked, because a response of AWS has an unknown form: .*AccountLimit\./s,
    ),
    expect.stringMatching(/^warning gateway: not checked, because a response of AWS has an unknown form/),
  ]);
});

test('a version or size that the region does not offer is named', async () => {
  const none = {
    'opensearch list-instance-type-details --engine-version OpenSearch_3.3 --instance-type m7g.large.search --retrieve-azs':
      {
        InstanceTypeDetails: [],
      },
    'rds describe-orderable-db-instance-options --engine mysql --db-instance-class db.t4g.medium': {
      OrderableDBInstanceOptions: [],
    },
  };
  expect(await findings(none)).toEqual([
    expect.stringMatching(
      /^problem zones: this region does not offer MySQL 8\.4 on db\.t4g\.medium and OpenSearch 3\.3 on m7g\.large\.search: choose another region/,
    ),
  ]);
});

test.for([
  ['ROLLBACK_COMPLETE', 'it cannot be updated in this state: delete the stack'],
  ['UPDATE_ROLLBACK_FAILED', 'continue the rollback first'],
  ['UPDATE_IN_PROGRESS', 'wait until this ends'],
] as const)('a stack in the state %s is a problem: %s', async ([StackStatus, remedy]) => {
  const name = 'cloudformation describe-stacks --stack-name ChatSystem-prod-Data';
  expect(await findings({ [name]: { Stacks: [{ StackStatus }] } })).toEqual([
    expect.stringContaining(`problem stacks: stack ChatSystem-prod-Data is ${StackStatus}: ${remedy}`),
  ]);
  expect(await findings({ [name]: { Stacks: [{ StackStatus: 'UPDATE_COMPLETE' }] } })).toEqual([]);
});

test('limits of API Gateway that are lower than those of the stage give a warning, and so does a logging role of somebody else', async () => {
  const gateway = {
    'apigateway get-account': {
      throttleSettings: { burstLimit: 1_250, rateLimit: 2_500 },
      cloudwatchRoleArn: 'arn:aws:iam::123456789012:role/logs-of-others',
    },
  };
  expect(await findings(gateway)).toEqual([
    expect.stringMatching(/^warning gateway: API Gateway allows this account 2,500 requests\/s.* for write \(/),
    expect.stringMatching(
      /^warning gateway: .*logs-of-others; .*--exclusively ChatSystem-prod-Data ChatSystem-prod-Service/,
    ),
  ]);
});

test('a region whose quota of VPCs is used up gives a warning', async () => {
  const vpc = { VpcId: 'vpc-1', IsDefault: false };
  expect(await findings({ 'ec2 describe-vpcs': { Vpcs: Array(5).fill(vpc) } })).toEqual([
    expect.stringMatching(/^warning network: 5 of 5 VPCs .*--desired-value 6$/),
  ]);
});

test('with existing servers, their network and secrets are checked, and zones are not', async () => {
  const flags = {
    stage: 'prod',
    vpcId: 'vpc-0123456789abcdef0',
    mysqlUrl: 'mysql://chat@db.example/chat?ssl=Amazon%20RDS',
    mysqlSecret: 'chat-database',
    opensearchUrl: 'https://search.example',
    adminKeySecret: 'chat/key',
  };
  const existing = {
    'ec2 describe-vpcs --vpc-ids vpc-0123456789abcdef0': outputs['ec2 describe-vpcs'],
    'secretsmanager describe-secret --secret-id chat-database': { Name: 'chat-database' },
    'secretsmanager describe-secret --secret-id chat/key': new AwsRefusal('ResourceNotFoundException', ''),
  };
  expect(await findings(existing, flags)).toEqual([
    expect.stringMatching(/^problem network: vpc-0123456789abcdef0 is the default VPC/),
    expect.stringMatching(/^problem secrets: the secret chat\/key of flag adminKeySecret does not exist/),
  ]);
});

test('a check that the caller is not allowed to make gives a warning, and the other checks are made', async () => {
  const denied = { 'lambda get-account-settings': new AwsRefusal('AccessDeniedException', 'not authorized') };
  expect(await findings(denied)).toEqual([
    'warning lambda: not checked, because AWS refused a call (AccessDeniedException: not authorized)',
  ]);
});

test('an error of the AWS CLI is told apart: not installed, no credentials or region, or refused by AWS', () => {
  const failed = new Error('Command failed: aws');
  const refused =
    '\nAn error occurred (NoSuchEntity) when calling the GetRole operation: The role with name X cannot be found.\n';
  expect(failureOf(failed, refused)).toMatchObject({
    code: 'NoSuchEntity',
    message: 'The role with name X cannot be found.',
  });
  const throttled =
    'An error occurred (Throttling) when calling the DescribeStacks operation (reached max retries: 2): Rate exceeded';
  expect(failureOf(failed, throttled)).toMatchObject({ code: 'Throttling', message: 'Rate exceeded' });
  const signedOut = failureOf(
    failed,
    'Unable to locate credentials. You can configure credentials by running "aws configure".',
  );
  expect(signedOut).toBeInstanceOf(CommandProblem);
  expect(signedOut.message).toMatch(/^The AWS CLI cannot call AWS: Unable to locate credentials.*\nSign in/s);
  const missing = failureOf(Object.assign(new Error('spawn aws ENOENT'), { code: 'ENOENT' }), '');
  expect(missing.message).toBe('The AWS CLI is not installed: https://docs.aws.amazon.com/cli/');
});
