import * as z from 'zod';
import type { openRegistry } from '../functions/aws/admin-key.ts';
import { type Stage, type StageName, stages } from './config.ts';

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
  mysqlUrl: urlOf(['mysql:'], 'mysql://user@host:3306/database').optional(),
  mysqlSecret: secretName.optional(),
  mysqlReaderSecret: secretName.optional(),
  mysqlWorkerSecret: secretName.optional(),
  opensearchUrl: urlOf(['http:', 'https:'], 'https://host:9200').optional(),
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
});
type Flags = z.output<typeof flags>;

/** What `-c` takes. */
export const flagNames = Object.keys(flags.shape);

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
  mysql?: GivenMysql;
  opensearchUrl?: string;
  /** The name of the secret that is the operators' key; without it, a key is made. */
  adminKeySecret?: string;
  rollupMinutes: number;
  /** Who is told of alarms. */
  alarmEmail?: string;
}

/**
 * Reads the flags of the CDK command line (`-c name=value`).
 *
 * @throws InvalidFlags naming every flag that is wrong
 */
export function readFlags(context: (flag: string) => unknown): Deployment {
  const result = flags.safeParse(Object.fromEntries(flagNames.map((flag) => [flag, context(flag)])));
  const problems = result.success
    ? [...missing(result.data), ...inPlaintext(result.data)]
    : result.error.issues.map(({ path, message }) => `-c ${path.join('.')}: ${message}${hintFor(message)}`);
  if (!result.success || problems.length > 0) throw new InvalidFlags(problems.join('\n'));

  const { stage, vpcId, opensearchUrl, adminKeySecret, rollupMinutes, alarmEmail } = result.data;
  const mysql = givenMysql(result.data);
  return {
    name: stage,
    stage: stages[stage],
    ...(vpcId && { vpcId }),
    ...(mysql && { mysql }),
    ...(opensearchUrl && { opensearchUrl }),
    ...(adminKeySecret && { adminKeySecret }),
    rollupMinutes,
    ...(alarmEmail && { alarmEmail }),
  };
}

function givenMysql(flags: Flags): GivenMysql | undefined {
  const { mysqlUrl: url, mysqlSecret: secretName, mysqlReaderSecret: reads, mysqlWorkerSecret: work } = flags;
  if (!url || !secretName) return undefined;
  return { url, secretName, ...(reads && work && { userSecretNames: { reads, work } }) };
}

const hintFor = (message: string): string =>
  message.startsWith('holds a password')
    ? '; put it in Secrets Manager as {"password": "…"} and name that with -c mysqlSecret=<name>'
    : '';

function missing(flags: Flags): string[] {
  const { stage, vpcId, mysqlUrl, mysqlSecret, mysqlReaderSecret, mysqlWorkerSecret, opensearchUrl } = flags;
  const { database, searchDomain }: Stage = stages[stage];
  const problems: string[] = [];
  const need = (flag: string, given: string | undefined, why: string) => {
    if (!given) problems.push(`-c ${flag}: is missing; ${why}`);
  };
  if (!database) need('mysqlUrl', mysqlUrl, `stage ${stage} has no database of its own`);
  else if (mysqlSecret) need('mysqlUrl', mysqlUrl, 'mysqlUrl and mysqlSecret belong together');
  if (mysqlUrl) need('mysqlSecret', mysqlSecret, 'mysqlUrl and mysqlSecret belong together');
  const together = 'mysqlReaderSecret and mysqlWorkerSecret belong together, with mysqlSecret';
  if (mysqlReaderSecret) need('mysqlWorkerSecret', mysqlWorkerSecret, together);
  if (mysqlWorkerSecret) need('mysqlReaderSecret', mysqlReaderSecret, together);
  if (mysqlReaderSecret && mysqlWorkerSecret && !mysqlUrl) need('mysqlSecret', mysqlSecret, together);
  const secrets = [mysqlSecret, mysqlReaderSecret, mysqlWorkerSecret].filter((name) => name !== undefined);
  if (new Set(secrets).size < secrets.length)
    problems.push('-c mysqlReaderSecret: each of the three SQL users has a secret of its own; name no secret twice');
  if (!searchDomain) need('opensearchUrl', opensearchUrl, `stage ${stage} has no search domain of its own`);
  // Of the two, one is made in a network of ours, from which nothing else can be reached.
  if (database && searchDomain && Boolean(mysqlUrl) !== Boolean(opensearchUrl))
    need('vpcId', vpcId, 'mysqlUrl and opensearchUrl, one without the other, need a VPC that reaches both');
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
