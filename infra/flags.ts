import * as z from 'zod';
import type { openRegistry } from '../functions/aws/admin-key.ts';
import { type Stage, type StageName, stages, zonesOf } from './config.ts';
import { refused, unknownFlags } from './context.ts';
import { domainOf, isAddressOfAws } from './domain-address.ts';

/** Flags that are wrong, all of them, one a line. */
export class InvalidFlags extends Error {}

const urlOf = (protocols: string[], example: string) =>
  z
    .string()
    .refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), `is not a URL like ${example}`)
    .refine(
      (text) => !URL.canParse(text) || !new URL(text).password,
      'holds a password, which everyone who may read the template would see',
    );
const secretName = z
  .string()
  .regex(/^[\w/+=.@-]{1,512}$/, 'is not the name of a secret in Secrets Manager (letters, digits and /_+=.@-)')
  // In a function's environment, it says that there is no admin key.
  .refine(
    (name) => name !== ('open' satisfies typeof openRegistry),
    'is a name that no secret of chat-system can have',
  );

const flags = z.object({
  stage: z
    .enum(Object.keys(stages) as [StageName], `is not a stage of infra/config.ts: ${Object.keys(stages).join(', ')}`)
    .default('dev'),
  vpcId: z
    .string()
    .regex(/^vpc-[0-9a-f]{8,17}$/, 'is not the id of a VPC, vpc-…')
    .optional(),
  zones: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z](,[a-z]{2}(-[a-z]+)+-\d[a-z])*$/, 'is not like us-east-1a,us-east-1b')
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
      'is not like arn:aws:es:region:account:domain/name',
    )
    .optional(),
  plaintext: z.literal('allowed', 'is not "allowed"').optional(),
  adminKeySecret: secretName.optional(),
  rollupMinutes: z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .min(1, 'is less than 1')
    // The contract: counts are never later than an hour.
    .max(60, 'is more than 60')
    .default(1),
  alarmEmail: z.email('is not an e-mail address').optional(),
  monthlyBudget: z.coerce.number('is not a number').int('is not a whole number').min(1, 'is less than 1').optional(),
  runbookUrl: urlOf(['https:'], 'https://host/docs/runbook.md').optional(),
});
type Flags = z.output<typeof flags>;

type FlagName = keyof Flags;

/** What `-c` takes. */
export const flagNames = Object.keys(flags.shape) as FlagName[];

/** SQL that is there already. */
export interface GivenMysql {
  /** `mysql://user@host:port/database`, without a password. */
  url: string;
  /** The name of the secret that holds `{"password": "…"}`. */
  secretName: string;
  /** The names of the secrets that hold `{"username": "…", "password": "…"}` of users with fewer rights. */
  userSecretNames?: { reads: string; work: string };
}

/** What one deployment is made from: its stage, and what is there already. */
export interface Deployment {
  name: StageName;
  stage: Stage;
  vpcId?: string;
  /** The names of the zones of a network that is made; without it, the first ones of the region. */
  zones?: string[];
  mysql?: GivenMysql;
  opensearchUrl?: string;
  /** The domain of Amazon OpenSearch Service behind `opensearchUrl`, to which functions sign their requests. */
  searchDomainArn?: string;
  /** The name of the secret that is the operators' key; without it, a key is made. */
  adminKeySecret?: string;
  rollupMinutes: number;
  /** Who is told of alarms, and of costs. */
  alarmEmail?: string;
  /** In USD, of the whole account. */
  monthlyBudget: number;
  /** Where the texts of alarms link to; without it, they name the file. */
  runbookUrl?: string;
}

/**
 * Reads the flags of the CDK command line (`-c name=value`).
 *
 * @param context all that the CDK app gets as context, CDK's own keys included
 * @throws InvalidFlags naming every flag that is wrong or unknown
 */
export function readFlags(context: Record<string, unknown>): Deployment {
  const given = Object.fromEntries(flagNames.map((flag) => [flag, context[flag]]));
  const result = flags.safeParse(given);
  const issues = result.error?.issues ?? [];
  const wrong = new Set(issues.map(({ path: [flag] }) => flag as FlagName));
  // Each flag is optional or has a default, so what is left of them is judged together, and all mistakes are named at once.
  // A stage that does not exist is judged as the default one.
  const sound = flags.parse({ ...given, ...Object.fromEntries([...wrong].map((flag) => [flag, undefined])) });
  const problems = [
    ...unknownFlags(context, flagNames),
    ...issues.map(refused).map((problem) => `${problem}${hintFor(problem)}`),
    ...missing(sound, (flag) => sound[flag] !== undefined || wrong.has(flag)),
    ...conflicts(sound),
    ...inPlaintext(sound),
  ];
  if (problems.length > 0) throw new InvalidFlags(problems.join('\n'));

  const { stage, vpcId, zones, opensearchUrl, searchDomainArn, adminKeySecret, rollupMinutes } = sound;
  const { alarmEmail, monthlyBudget, runbookUrl } = sound;
  const mysql = givenMysql(sound);
  return {
    name: stage,
    stage: stages[stage],
    ...(vpcId && { vpcId }),
    ...(zones && { zones }),
    ...(mysql && { mysql }),
    ...(opensearchUrl && { opensearchUrl }),
    ...(searchDomainArn && { searchDomainArn }),
    ...(adminKeySecret && { adminKeySecret }),
    rollupMinutes,
    ...(alarmEmail && { alarmEmail }),
    monthlyBudget: monthlyBudget ?? stages[stage].monthlyBudget,
    ...(runbookUrl && { runbookUrl }),
  };
}

function givenMysql(flags: Flags): GivenMysql | undefined {
  const { mysqlUrl: url, mysqlSecret: secretName, mysqlReaderSecret: reads, mysqlWorkerSecret: work } = flags;
  if (!url || !secretName) return undefined;
  return { url, secretName, ...(reads && work && { userSecretNames: { reads, work } }) };
}

const hintFor = (problem: string): string =>
  problem.includes('holds a password')
    ? '; put it in Secrets Manager as {"password": "…"} and name that with -c mysqlSecret=<name>'
    : '';

/** @param has whether the flag was given, right or wrong */
function missing({ stage }: Flags, has: (flag: FlagName) => boolean): string[] {
  const { database, searchDomain }: Stage = stages[stage];
  const problems: string[] = [];
  const need = (flag: FlagName, why: string) => {
    if (!has(flag)) problems.push(`-c ${flag}: is missing; ${why}`);
  };
  const pair = 'mysqlUrl and mysqlSecret belong together';
  if (!database) need('mysqlUrl', `stage ${stage} has no database of its own`);
  else if (has('mysqlSecret')) need('mysqlUrl', pair);
  if (has('mysqlUrl')) need('mysqlSecret', pair);
  const together = 'mysqlReaderSecret and mysqlWorkerSecret belong together, with mysqlSecret';
  if (has('mysqlReaderSecret')) need('mysqlWorkerSecret', together);
  if (has('mysqlWorkerSecret')) need('mysqlReaderSecret', together);
  if (has('mysqlReaderSecret') && has('mysqlWorkerSecret') && !has('mysqlUrl')) need('mysqlSecret', together);
  if (!searchDomain) need('opensearchUrl', `stage ${stage} has no search domain of its own`);
  if (has('searchDomainArn')) need('opensearchUrl', 'searchDomainArn is of the domain behind it');
  // Of the two, one is made in a network of ours, from which nothing else can be reached.
  if (database && searchDomain && has('mysqlUrl') !== has('opensearchUrl'))
    need('vpcId', 'mysqlUrl and opensearchUrl, one without the other, need a VPC that reaches both');
  return problems;
}

/** Flags that are right by themselves and wrong beside the others. */
function conflicts(flags: Flags): string[] {
  const { stage, vpcId, zones, mysqlUrl, opensearchUrl, searchDomainArn } = flags;
  const problems: string[] = [];
  const secrets = [flags.mysqlSecret, flags.mysqlReaderSecret, flags.mysqlWorkerSecret].filter((name) => name);
  if (new Set(secrets).size < secrets.length)
    problems.push('-c mysqlReaderSecret: each of the three SQL users has a secret of its own; name no secret twice');
  const wanted = zonesOf(stages[stage]);
  if (zones && (vpcId || (mysqlUrl && opensearchUrl)))
    problems.push('-c zones: is for a network that is made, and with these flags none is');
  else if (zones && zones.length !== wanted)
    problems.push(`-c zones: names ${zones.length} of the ${wanted} zones that stage ${stage} has`);
  if (opensearchUrl && !searchDomainArn && isAddressOfAws(opensearchUrl) && !domainOf(opensearchUrl))
    problems.push(
      '-c opensearchUrl: is an address of AWS that does not name its domain; say which it is with -c searchDomainArn, so that requests are signed (OpenSearch Serverless does not have what the service uses)',
    );
  return problems;
}

/** A password and messages would be readable on the way to these servers. */
function inPlaintext({ stage, mysqlUrl, opensearchUrl, plaintext }: Flags): string[] {
  if (plaintext || stages[stage].plaintext) return [];
  const unless = 'or say -c plaintext=allowed where nobody else can read what is on the way';
  const problems: string[] = [];
  if (mysqlUrl && !isEncrypted(mysqlUrl))
    problems.push(
      `-c mysqlUrl: asks for no TLS with a verified certificate; end it with ?ssl=Amazon%20RDS or ?ssl={"verifyIdentity":true}, ${unless}`,
    );
  if (opensearchUrl?.startsWith('http:'))
    problems.push(`-c opensearchUrl: asks for no TLS; begin it with https:, ${unless}`);
  return problems;
}

/**
 * Whether the URL asks for TLS that another server can't answer. As mysql2 reads it: `ssl` is the name of a profile, or a
 * JSON object of TLS options, without which any certificate of a public authority is taken.
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
