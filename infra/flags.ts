import * as z from 'zod';
import type { openRegistry } from '../functions/aws/admin-key.ts';
import { type Stage, type StageName, stageNames, stages, zoneCountOf } from './config.ts';
import type { DomainSettings } from './constructs/api-domain.ts';
import { domainOf, isAddressOfAws } from './domain-address.ts';
import { parseFlags } from './parse-flags.ts';
import type { StageFile } from './stage-files.ts';

const urlOf = (protocols: string[], example: string) =>
  z
    .string()
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `is not a URL such as ${example}`,
    )
    .refine(
      (text) => !URL.canParse(text) || !new URL(text).password,
      'contains a password, which everyone who can read the template would see; remove it (for MySQL, store it in Secrets Manager as {"password": "…"} and pass the name of the secret with -c mysqlSecret=<name>)',
    );
const secretName = z
  .string()
  .regex(/^[\w/+=.@-]{1,512}$/, 'is not the name of a secret in Secrets Manager (letters, digits and /_+=.@-)')
  // In the environment of a function, this value means that creating and listing applications requires no admin key.
  .refine((name) => name !== ('open' satisfies typeof openRegistry), 'is reserved; choose another name for the secret');

/** The flags that stage single has too. */
export const sharedFlags = {
  domain: z
    .string()
    .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}$/, 'is not a domain name such as chat.example.org')
    // RFC 1035 allows 255 bytes. The length byte of the first label and the root take two of them.
    .max(253, 'is longer than 253 characters, the limit of DNS')
    .optional(),
  alarmEmail: z.email('is not an e-mail address').optional(),
  monthlyBudget: z.coerce.number('is not a number').int('is not a whole number').min(1, 'is less than 1').optional(),
  runbookUrl: urlOf(['https:'], 'https://host/docs/runbook.md').optional(),
};

const flags = z.object({
  stage: z
    .enum(
      Object.keys(stages) as [StageName],
      `is not a stage of infra/config.ts; the stages are ${stageNames.join(', ')}`,
    )
    .default('dev'),
  vpcId: z
    .string()
    .regex(/^vpc-[0-9a-f]{8,17}$/, 'is not a VPC id such as vpc-0123456789abcdef0')
    .optional(),
  zones: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z](,[a-z]{2}(-[a-z]+)+-\d[a-z])*$/, 'is not a list such as us-east-1a,us-east-1b')
    .transform((names) => names.split(','))
    .refine((names) => new Set(names).size === names.length, 'names a zone twice')
    .optional(),
  mysqlUrl: urlOf(['mysql:'], 'mysql://user@host:3306/database').optional(),
  mysqlSecret: secretName.optional(),
  mysqlReaderSecret: secretName.optional(),
  mysqlWorkerSecret: secretName.optional(),
  opensearchUrl: urlOf(['http:', 'https:'], 'https://host:9200').optional(),
  searchDomainArn: z
    .string()
    .regex(
      /^arn:aws[\w-]*:es:[a-z0-9-]+:\d{12}:domain\/[a-z][a-z0-9-]{2,27}$/,
      'is not an ARN such as arn:aws:es:region:account:domain/name',
    )
    .optional(),
  plaintext: z.literal('allowed', 'is not "allowed"').optional(),
  adminKeySecret: secretName.optional(),
  feed: z.enum(['on', 'off'], 'is neither "on" nor "off"').optional(),
  rollupMinutes: z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .min(1, 'is less than 1')
    // The API promises that counts are at most one hour old.
    .max(60, 'is more than 60')
    .default(1),
  domain: sharedFlags.domain,
  certificateArn: z
    .string()
    .regex(
      /^arn:aws[\w-]*:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
      'is not an ARN such as arn:aws:acm:region:account:certificate/id',
    )
    .optional(),
  // A new table already has 4,000.
  warmWrites: z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .min(4_000, 'is less than 4000')
    .optional(),
  alarmEmail: sharedFlags.alarmEmail,
  monthlyBudget: sharedFlags.monthlyBudget,
  runbookUrl: sharedFlags.runbookUrl,
});
type Flags = z.output<typeof flags>;

type FlagName = keyof Flags;

/** The names of all flags. */
export const flagNames = Object.keys(flags.shape) as FlagName[];

/** An existing MySQL database. */
export interface ExistingMysql {
  /** `mysql://user@host:port/database`, without a password. */
  url: string;
  /** The name of the secret that holds `{"password": "…"}`. */
  secretName: string;
  /** The names of the secrets that hold `{"username": "…", "password": "…"}` of users with fewer rights. */
  userSecretNames?: { reads: string; work: string };
}

/** The settings of a deployment: its stage, and the values of the flags. */
export interface Deployment {
  name: StageName;
  stage: Stage;
  /** The id of an existing VPC. */
  vpcId?: string;
  /** The names of the availability zones of a created network. Default: the first ones of the region. */
  zones?: string[];
  mysql?: ExistingMysql;
  /** The URL of an existing OpenSearch cluster. */
  opensearchUrl?: string;
  /** The ARN of the Amazon OpenSearch Service domain behind `opensearchUrl`. Functions sign their requests to it. */
  searchDomainArn?: string;
  /** The name of an existing secret that holds the admin key. Default: a secret is created. */
  adminKeySecret?: string;
  /** The custom domain of the API. Default: the address that AWS gives it. */
  domain?: DomainSettings;
  /** Whether clients can follow changes live. */
  feed: boolean;
  /** The time between two runs of the roll-up. */
  rollupMinutes: number;
  /** The writes per second that the ledger's table accepts from its start. Default: what AWS gives a new table. */
  warmWrites?: number;
  /** The e-mail address that is notified of alarms and of the budget. */
  alarmEmail?: string;
  /** The budget of the whole account, in USD per month. */
  monthlyBudget: number;
  /** The URL of the runbook, for the links in alarm descriptions. Default: the descriptions name the file. */
  runbookUrl?: string;
}

/** Returns the name of the stage that the command line names, or `dev` if it names none or an unknown one. */
export const stageIn = ({ stage }: Record<string, unknown>): StageName => flags.shape.stage.catch('dev').parse(stage);

/**
 * Reads the flags of the CDK command line (`-c name=value`) and of the stage's file. The command line takes precedence.
 *
 * @param context the whole context of the CDK app, including CDK's own keys
 * @throws InvalidFlags naming every flag that is invalid, missing or unknown, and where it was passed
 */
export function readFlags(
  context: Record<string, unknown>,
  file: StageFile = { path: '', content: {}, problems: [] },
): Deployment {
  const valid = parseFlags(flags, context, file, (each, has) => [
    ...missing(each, has),
    ...conflicts(each),
    ...inPlaintext(each),
  ]);
  const { stage, vpcId, zones, opensearchUrl, searchDomainArn, adminKeySecret, rollupMinutes } = valid;
  const { domain, certificateArn, feed, warmWrites, alarmEmail, monthlyBudget, runbookUrl } = valid;
  const mysql = existingMysql(valid);
  return {
    name: stage,
    stage: stages[stage],
    ...(vpcId && { vpcId }),
    ...(zones && { zones }),
    ...(mysql && { mysql }),
    ...(opensearchUrl && { opensearchUrl }),
    ...(searchDomainArn && { searchDomainArn }),
    ...(adminKeySecret && { adminKeySecret }),
    ...(domain && certificateArn && { domain: { name: domain, certificateArn } }),
    feed: feed === undefined ? stages[stage].feed : feed === 'on',
    rollupMinutes,
    ...(warmWrites && { warmWrites }),
    ...(alarmEmail && { alarmEmail }),
    monthlyBudget: monthlyBudget ?? stages[stage].monthlyBudget,
    ...(runbookUrl && { runbookUrl }),
  };
}

function existingMysql(flags: Flags): ExistingMysql | undefined {
  const { mysqlUrl: url, mysqlSecret: secretName, mysqlReaderSecret: reads, mysqlWorkerSecret: work } = flags;
  if (!url || !secretName) return undefined;
  return { url, secretName, ...(reads && work && { userSecretNames: { reads, work } }) };
}

/**
 * Returns a line for each flag that is required by the stage or by another flag and was not passed.
 *
 * @param has whether the flag was passed, valid or not
 */
function missing({ stage }: Flags, has: (flag: FlagName) => boolean): string[] {
  const { database, searchDomain }: Stage = stages[stage];
  const problems: string[] = [];
  const need = (flag: FlagName, why: string) => {
    if (!has(flag)) problems.push(`-c ${flag}: is missing; ${why}`);
  };
  const pair = 'mysqlUrl and mysqlSecret have to be passed together';
  if (!database) need('mysqlUrl', `stage ${stage} does not create a database`);
  else if (has('mysqlSecret')) need('mysqlUrl', pair);
  if (has('mysqlUrl')) need('mysqlSecret', pair);
  const together = 'mysqlReaderSecret, mysqlWorkerSecret and mysqlSecret have to be passed together';
  if (has('mysqlReaderSecret')) need('mysqlWorkerSecret', together);
  if (has('mysqlWorkerSecret')) need('mysqlReaderSecret', together);
  if (has('mysqlReaderSecret') && has('mysqlWorkerSecret') && !has('mysqlUrl')) need('mysqlSecret', together);
  if (!searchDomain) need('opensearchUrl', `stage ${stage} does not create a search domain`);
  if (has('domain')) need('certificateArn', 'it names the certificate of the domain');
  if (has('certificateArn')) need('domain', 'certificateArn is the certificate of a custom domain');
  if (has('searchDomainArn'))
    need('opensearchUrl', 'searchDomainArn only names the domain that opensearchUrl points to');
  // If only one of the two servers exists, the other is created in a network of its own, whose functions cannot reach
  // the existing one.
  if (database && searchDomain && has('mysqlUrl') !== has('opensearchUrl'))
    need('vpcId', 'with only one of mysqlUrl and opensearchUrl, name a VPC that reaches both servers');
  return problems;
}

/** Returns a line for each flag that is valid by itself but conflicts with another flag or the stage. */
function conflicts(flags: Flags): string[] {
  const { stage, vpcId, zones, mysqlUrl, opensearchUrl, searchDomainArn } = flags;
  const problems: string[] = [];
  const secrets = [flags.mysqlSecret, flags.mysqlReaderSecret, flags.mysqlWorkerSecret].filter((name) => name);
  if (new Set(secrets).size < secrets.length)
    problems.push('-c mysqlReaderSecret: each of the three SQL users needs its own secret; pass three different names');
  const needed = zoneCountOf(stages[stage]);
  if (zones && (vpcId || (mysqlUrl && opensearchUrl)))
    problems.push('-c zones: has no effect, because no network is created with these flags; leave it out');
  else if (zones && zones.length !== needed)
    problems.push(`-c zones: has ${zones.length} zones, but stage ${stage} needs ${needed}`);
  if (opensearchUrl && !searchDomainArn && isAddressOfAws(opensearchUrl) && !domainOf(opensearchUrl))
    problems.push(
      '-c opensearchUrl: is an AWS address that does not name its domain; pass -c searchDomainArn, so that requests are signed (OpenSearch Serverless is not supported)',
    );
  return problems;
}

/** Returns a line for each URL without TLS: passwords and messages would be readable on the network. */
function inPlaintext({ stage, mysqlUrl, opensearchUrl, plaintext }: Flags): string[] {
  if (plaintext || stages[stage].plaintext) return [];
  const unless = 'or pass -c plaintext=allowed if nobody else can read the traffic';
  const problems: string[] = [];
  if (mysqlUrl && !isEncrypted(mysqlUrl))
    problems.push(
      `-c mysqlUrl: does not require TLS with a verified certificate; append ?ssl=Amazon%20RDS or ?ssl={"verifyIdentity":true}, ${unless}`,
    );
  if (opensearchUrl?.startsWith('http:'))
    problems.push(`-c opensearchUrl: does not use TLS; start it with https:, ${unless}`);
  return problems;
}

/**
 * Returns whether the URL requires TLS and a certificate that only the named server can have. mysql2 reads `ssl` as the
 * name of a profile or as a JSON object of TLS options. Without such options it accepts any certificate of a public
 * authority.
 */
function isEncrypted(mysqlUrl: string): boolean {
  const ssl = new URL(mysqlUrl).searchParams.get('ssl') ?? '';
  if (ssl === 'Amazon RDS') return true;
  const options = tlsOptions.safeParse(ssl);
  return options.success && options.data.rejectUnauthorized && (options.data.verifyIdentity || 'ca' in options.data);
}

const tlsOptions = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue('is not JSON');
      return z.NEVER;
    }
  })
  .pipe(z.looseObject({ rejectUnauthorized: z.boolean().default(true), verifyIdentity: z.boolean().default(false) }));
