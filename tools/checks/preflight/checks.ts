import * as z from 'zod';
import type { Deployment } from '../../../infra/flags.ts';
import { type FunctionSize, functionSizes } from '../../../infra/sizes.ts';
import { formatNumber } from '../../cli/numbers.ts';
import { type Aws, AwsRefusal } from './aws-cli.ts';
import { type Finding, ok, problem, warning } from './findings.ts';
import { checkZones } from './zones.ts';

/** Returns the parsed output of a call, or undefined if AWS refused the call with one of these codes. */
async function unlessRefused<Schema extends z.ZodType>(
  codes: string[],
  schema: Schema,
  output: Promise<unknown>,
): Promise<z.output<Schema> | undefined> {
  try {
    return schema.parse(await output);
  } catch (error) {
    if (error instanceof AwsRefusal && codes.includes(error.code)) return undefined;
    throw error;
  }
}

/** The version of the bootstrap stack that the templates require: MIN_BOOTSTRAP_STACK_VERSION of CDK's synthesizer. */
const bootstrapVersion = 6;

async function checkBootstrap(aws: Aws): Promise<Finding[]> {
  const response = await unlessRefused(
    ['ParameterNotFound'],
    z.object({ Parameter: z.object({ Value: z.coerce.number() }) }),
    aws('ssm', 'get-parameter', '--name', '/cdk-bootstrap/hnb659fds/version'),
  );
  const version = response?.Parameter.Value;
  if (version === undefined) return [problem('CDK is not bootstrapped in this account and region: npx cdk bootstrap')];
  if (version < bootstrapVersion)
    return [
      problem(`CDK's bootstrap stack has version ${version}, but ${bootstrapVersion} is needed: npx cdk bootstrap`),
    ];
  return [ok(`CDK is bootstrapped, version ${version}`)];
}

/** The states of a stack in which it cannot be updated, and what to do. */
const stuckStates: [RegExp, string][] = [
  [
    /^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED|DELETE_FAILED)$/,
    'it cannot be updated in this state: delete the stack',
  ],
  [/^UPDATE_ROLLBACK_FAILED$/, 'continue the rollback first ("Rollback" in docs/deploying.md)'],
  [/_IN_PROGRESS$/, 'wait until this ends'],
];

async function checkStacks(aws: Aws, { name, stage }: Deployment): Promise<Finding[]> {
  const parts = ['Data', 'Service', ...(stage.monitoring ? ['Monitoring'] : [])];
  const names = ['ChatSystem-Account', ...parts.map((part) => `ChatSystem-${name}-${part}`)];
  const findings: Finding[] = [];
  for (const stack of names) {
    const response = await unlessRefused(
      // CloudFormation's code for a stack that does not exist.
      ['ValidationError'],
      z.object({ Stacks: z.array(z.object({ StackStatus: z.string() })) }),
      aws('cloudformation', 'describe-stacks', '--stack-name', stack),
    );
    const status = response?.Stacks[0]?.StackStatus;
    const [, remedy] = stuckStates.find(([states]) => status !== undefined && states.test(status)) ?? [];
    if (remedy) findings.push(problem(`stack ${stack} is ${status}: ${remedy}`));
    else if (status) findings.push(ok(`stack ${stack} exists (${status})`));
  }
  return findings.length > 0 ? findings : [ok(`no stack of stage ${name} exists yet`)];
}

/** The executions that AWS keeps for functions without a reservation. */
const unreservedExecutions = 100;

async function checkConcurrency(aws: Aws, { name, stage }: Deployment): Promise<Finding[]> {
  const response = z
    .object({ AccountLimit: z.object({ ConcurrentExecutions: z.number() }) })
    .parse(await aws('lambda', 'get-account-settings'));
  const limit = response.AccountLimit.ConcurrentExecutions;
  const sizes = Object.values<FunctionSize>(functionSizes);
  const reserved = stage.reservedConcurrency ? sizes.reduce((sum, size) => sum + (size.maxConcurrency ?? 0), 0) : 0;
  const request =
    'aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000';
  if (reserved > 0 && limit < reserved + unreservedExecutions)
    return [
      problem(
        `Lambda runs at most ${formatNumber(limit)} functions at once here. Stage ${name} reserves ${reserved}, and AWS requires ${unreservedExecutions} more. Request 1,000: ${request}`,
      ),
    ];
  if (limit < unreservedExecutions)
    return [
      warning(
        `Lambda runs at most ${formatNumber(limit)} functions at once here, so even a small load is throttled. Request 1,000: ${request}`,
      ),
    ];
  return [ok(`Lambda runs ${formatNumber(limit)} functions at once`)];
}

/** The quota of VPCs in a region. */
const vpcQuota = ['--service-code', 'vpc', '--quota-code', 'L-F678F1CE'];

async function checkVpcs(aws: Aws, deployment: Deployment): Promise<Finding[]> {
  const schema = z.object({ Vpcs: z.array(z.object({ VpcId: z.string(), IsDefault: z.boolean() })) });
  if (deployment.vpcId) {
    const response = await unlessRefused(
      ['InvalidVpcID.NotFound'],
      schema,
      aws('ec2', 'describe-vpcs', '--vpc-ids', deployment.vpcId),
    );
    const [vpc] = response?.Vpcs ?? [];
    if (!vpc) return [problem(`the network ${deployment.vpcId} of flag vpcId does not exist in this region`)];
    if (vpc.IsDefault)
      return [
        problem(`${vpc.VpcId} is the default VPC, which has only public subnets: pass a VPC with private subnets`),
      ];
    return [ok(`the network ${vpc.VpcId} exists`)];
  }
  if (!createsNetwork(deployment)) return [];
  const { Vpcs } = schema.parse(await aws('ec2', 'describe-vpcs'));
  const { Quota } = z
    .object({ Quota: z.object({ Value: z.number() }) })
    .parse(await aws('service-quotas', 'get-service-quota', ...vpcQuota));
  const used = `${Vpcs.length} of ${Quota.Value} VPCs of this region are in use`;
  if (Vpcs.length < Quota.Value) return [ok(used)];
  return [
    warning(
      `${used}. If the stage's own VPC is not among them, delete one, or request more: aws service-quotas request-service-quota-increase ${vpcQuota.join(' ')} --desired-value ${Quota.Value + 1}`,
    ),
  ];
}

const createsNetwork = ({ vpcId, mysql, opensearchUrl }: Deployment): boolean => !vpcId && !(mysql && opensearchUrl);

async function checkGateway(aws: Aws, { name, stage }: Deployment): Promise<Finding[]> {
  const { throttleSettings, cloudwatchRoleArn } = z
    .object({
      throttleSettings: z.object({ rateLimit: z.number(), burstLimit: z.number() }),
      cloudwatchRoleArn: z.string().optional(),
    })
    .parse(await aws('apigateway', 'get-account'));
  const { rateLimit, burstLimit } = throttleSettings;
  const above = Object.entries(stage.throttling).filter(
    ([, { rate, burst }]) => rate > rateLimit || burst > burstLimit,
  );
  const allows = `API Gateway allows this account ${formatNumber(rateLimit)} requests/s, with bursts of ${formatNumber(burstLimit)}`;
  const rates =
    above.length === 0
      ? ok(allows)
      : warning(
          `${allows}. Stage ${name} sets higher limits for ${above.map(([kind]) => kind).join(', ')} (infra/config.ts), which have no effect. Request more (Service Quotas, API Gateway, "Throttle rate"), or lower them`,
        );
  const isForeign = cloudwatchRoleArn !== undefined && !cloudwatchRoleArn.includes(':role/ChatSystem-Account-');
  if (!isForeign) return [rates];
  const stacks = ['Data', 'Service', ...(stage.monitoring ? ['Monitoring'] : [])];
  return [
    rates,
    warning(
      `API Gateway already writes logs with ${cloudwatchRoleArn}; cdk deploy --all would replace it. To keep it, deploy without the account stack: npx cdk deploy --force --exclusively ${stacks.map((part) => `ChatSystem-${name}-${part}`).join(' ')} -c stage=${name}`,
    ),
  ];
}

async function checkServiceRole(aws: Aws, { opensearchUrl }: Deployment): Promise<Finding[]> {
  if (opensearchUrl) return [];
  const role = await unlessRefused(
    ['NoSuchEntity'],
    z.object({ Role: z.object({}) }),
    aws('iam', 'get-role', '--role-name', 'AWSServiceRoleForAmazonOpenSearchService'),
  );
  if (role) return [ok("OpenSearch's service-linked role exists")];
  return [
    problem(
      "OpenSearch's service-linked role is missing: aws iam create-service-linked-role --aws-service-name opensearchservice.amazonaws.com",
    ),
  ];
}

async function checkSecrets(aws: Aws, { adminKeySecret, mysql }: Deployment): Promise<Finding[]> {
  const users = mysql?.userSecretNames;
  const secrets = {
    adminKeySecret,
    mysqlSecret: mysql?.secretName,
    mysqlReaderSecret: users?.reads,
    mysqlWorkerSecret: users?.work,
  };
  const findings: Finding[] = [];
  for (const [flag, secret] of Object.entries(secrets)) {
    if (secret === undefined) continue;
    const found = await unlessRefused(
      ['ResourceNotFoundException'],
      z.object({ Name: z.string() }),
      aws('secretsmanager', 'describe-secret', '--secret-id', secret),
    );
    if (found) findings.push(ok(`the secret ${secret} exists`));
    else
      findings.push(
        problem(`the secret ${secret} of flag ${flag} does not exist in this region: create it, or correct the flag`),
      );
  }
  return findings;
}

/** The checks by name, in the order in which they are printed. */
const checks: Record<string, (aws: Aws, deployment: Deployment) => Promise<Finding[]>> = {
  stacks: checkStacks,
  bootstrap: checkBootstrap,
  zones: async (aws, deployment) => (createsNetwork(deployment) ? await checkZones(aws, deployment) : []),
  network: checkVpcs,
  search: checkServiceRole,
  lambda: checkConcurrency,
  gateway: checkGateway,
  secrets: checkSecrets,
};

/** Where a deployment would go. */
export interface Target {
  account: string;
  region: string;
}

/**
 * Returns the account and region that the AWS CLI uses.
 *
 * @throws AwsRefusal when AWS rejects the credentials; CommandProblem when there are none, or no region
 */
export async function targetOf(aws: Aws): Promise<Target> {
  const { Account } = z.object({ Account: z.string() }).parse(await aws('sts', 'get-caller-identity'));
  const { AvailabilityZones } = z
    .object({ AvailabilityZones: z.tuple([z.object({ RegionName: z.string() })]).rest(z.unknown()) })
    .parse(await aws('ec2', 'describe-availability-zones'));
  return { account: Account, region: AvailabilityZones[0].RegionName };
}

/**
 * Runs all checks. A check that cannot be made gives a warning: AWS refused a call, or a response does not have the
 * documented form.
 */
export async function preflight(aws: Aws, deployment: Deployment): Promise<(Finding & { check: string })[]> {
  const results = Object.entries(checks).map(async ([check, run]) => {
    const findings = await run(aws, deployment).catch((error: unknown) => {
      if (error instanceof z.ZodError)
        return [warning(`not checked, because a response of AWS has an unknown form: ${z.prettifyError(error)}`)];
      if (!(error instanceof AwsRefusal)) throw error;
      return [warning(`not checked, because AWS refused a call (${error.code}: ${error.message})`)];
    });
    return findings.map((finding) => ({ check, ...finding }));
  });
  return (await Promise.all(results)).flat();
}
