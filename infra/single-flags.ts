import * as z from 'zod';
import { singleStage } from './config.ts';
import { sharedFlags } from './flags.ts';
import { parseFlags } from './parse-flags.ts';
import type { StageFile } from './stage-files.ts';

const flags = z.object({
  stage: z.literal(singleStage).default(singleStage),
  domain: sharedFlags.domain,
  zone: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'is not a zone such as us-east-1a')
    .optional(),
  dataGb: z.coerce
    .number('is not a number')
    .int('is not a whole number')
    .min(1, 'is less than 1')
    // The largest gp3 volume that every zone has.
    .max(16_384, 'is more than 16384')
    .default(10),
  snapshot: z
    .string()
    .regex(/^snap-[0-9a-f]{8,17}$/, 'is not a snapshot id such as snap-0123456789abcdef0')
    .optional(),
  alarmEmail: sharedFlags.alarmEmail,
  // The idle stage costs about $19 a month (docs/deploying.md).
  monthlyBudget: sharedFlags.monthlyBudget.default(30),
  runbookUrl: sharedFlags.runbookUrl,
});

/** The names of the flags of stage single. */
export const singleFlagNames = Object.keys(flags.shape);

/** The settings of stage single. */
export interface SingleDeployment {
  /** The domain name of the API. Caddy gets its certificate. */
  domain: string;
  /** The availability zone of volume and instance. Default: the first one of the region. */
  zone?: string | undefined;
  /** The size of the data volume. */
  dataGb: number;
  /** The snapshot from which the data volume is created. Default: it is created empty. */
  snapshot?: string | undefined;
  /** The e-mail address that is notified of alarms and of the budget. */
  alarmEmail?: string | undefined;
  /** The budget of the whole account, in USD per month. */
  monthlyBudget: number;
  /** The URL of the runbook, for the links in alarm descriptions. Default: the descriptions name the file. */
  runbookUrl?: string | undefined;
}

/** Returns whether the command line names stage single. */
export const isSingle = ({ stage }: Record<string, unknown>): boolean => stage === singleStage;

/**
 * Reads the flags of stage single.
 *
 * @param context the whole context of the CDK app, including CDK's own keys
 * @throws InvalidFlags naming every flag that is invalid, missing or unknown, and where it was passed
 */
export function readSingleFlags(
  context: Record<string, unknown>,
  file: StageFile = { path: '', content: {}, problems: [] },
): SingleDeployment {
  const { domain = '', ...others } = parseFlags(flags, context, file, (_, has) =>
    has('domain') ? [] : ['-c domain: is missing; clients reach the machine under this name, over HTTPS'],
  );
  return { domain, ...others };
}
