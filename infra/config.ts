import * as z from 'zod';

/** Flags that are wrong, all of them, one a line. */
export class InvalidConfig extends Error {}

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
  .regex(/^[\w/+=.@-]{1,512}$/, 'is not the name of a secret in Secrets Manager (letters, digits and /_+=.@-)');

const flags = z.object({
  stage: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,19}$/, 'is not a name of up to 20 small letters, digits and hyphens')
    .default('dev'),
  mysqlUrl: urlOf(['mysql:'], 'mysql://user@host:3306/database').optional(),
  mysqlSecret: secretName.optional(),
  opensearchUrl: urlOf(['http:', 'https:'], 'https://host:9200').optional(),
  adminKeySecret: secretName.optional(),
  rollupMinutes: z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .min(1, 'is less than 1')
    // The contract: counts are never later than an hour.
    .max(60, 'is more than 60')
    .default(1),
});

/** SQL and search that are there already. */
export interface GivenServers {
  /** `mysql://user@host:port/database`, without a password. */
  mysqlUrl: string;
  /** The name of the secret that holds `{"password": "…"}`. */
  mysqlSecret: string;
  opensearchUrl: string;
}

export interface Config {
  /** Which of several deployments in one account this is. */
  stage: string;
  /** Without it, the stack makes a database and a search domain of its own. */
  given?: GivenServers;
  /** The name of the secret that is the operators' key; without it, everyone may create and list applications. */
  adminKeySecret?: string;
  rollupMinutes: number;
  /** Whether what holds data outlives the stack. */
  keepData: boolean;
}

/**
 * Reads the flags of the CDK command line (`-c name=value`).
 *
 * @throws InvalidConfig naming every flag that is wrong
 */
export function readConfig(context: (flag: string) => unknown): Config {
  const result = flags.safeParse(Object.fromEntries(Object.keys(flags.shape).map((flag) => [flag, context(flag)])));
  const problems = result.success
    ? missing(result.data)
    : result.error.issues.map(({ path, message }) => `-c ${path.join('.')}: ${message}${hintFor(message)}`);
  if (!result.success || problems.length > 0) throw new InvalidConfig(problems.join('\n'));

  const { stage, mysqlUrl, mysqlSecret, opensearchUrl, adminKeySecret, rollupMinutes } = result.data;
  return {
    stage,
    ...(mysqlUrl && mysqlSecret && opensearchUrl && { given: { mysqlUrl, mysqlSecret, opensearchUrl } }),
    ...(adminKeySecret && { adminKeySecret }),
    rollupMinutes,
    keepData: stage !== 'dev',
  };
}

const hintFor = (message: string): string =>
  message.startsWith('holds a password')
    ? '; put it in Secrets Manager as {"password": "…"} and name that with -c mysqlSecret=<name>'
    : '';

/** SQL and search are given together or not at all: those that the stack makes are out of reach of others' networks. */
function missing(given: { [Flag in keyof GivenServers]?: string | undefined }): string[] {
  const needed = ['mysqlUrl', 'mysqlSecret', 'opensearchUrl'] as const;
  const absent = needed.filter((flag) => given[flag] === undefined);
  if (absent.length === needed.length) return [];
  return absent.map((flag) => `-c ${flag}: is missing; mysqlUrl, mysqlSecret and opensearchUrl belong together`);
}
