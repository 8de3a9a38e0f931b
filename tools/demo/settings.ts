import { Command, Option } from 'commander';
import * as z from 'zod';
import { limits } from '../../lib/limits.ts';
import { parseSettings, wholeNumber } from '../cli/command-line.ts';
import { dataFolderOption, dataFolderSetting } from '../cli/data-folder.ts';

const hourMs = 60 * 60 * 1_000;
/**
 * A run can be resumed while the API remembers the keys of its first requests, minus an hour for the rest of the run.
 */
export const resumableMs = limits.idempotencyMs - hourMs;

const schema = z.object({
  url: z
    .url({
      protocol: /^https?$/,
      error: '--url (CHAT_SYSTEM_URL) must be the base URL of an API, such as http://localhost:3000/v1.',
    })
    .refine((url) => !/[?#@]/.test(url), '--url (CHAT_SYSTEM_URL) must have no user, query or fragment.')
    .transform((url) => url.replace(/\/+$/, '')),
  adminKey: z
    .string()
    // A header value must be printable ASCII.
    .regex(/^[\x20-\x7e]+$/, '--admin-key (ADMIN_KEY) must be printable ASCII; leave it out if the API has none.')
    .optional(),
  concurrency: wholeNumber('--concurrency (CONCURRENCY)', 1, 256),
  dataDir: dataFolderSetting,
  fresh: z.boolean().default(false),
});
export type Settings = z.output<typeof schema>;

const command = () =>
  new Command('script/demo')
    .description(
      [
        'Loads the Universal Declaration of Human Rights into a running chat system through its HTTP API: one application, a chat for each of over 500 languages, a message for each paragraph. Then searches them in five scripts.',
        `Every run creates its own application. If a run stops early, by Ctrl-C or otherwise, the next run within ${resumableMs / hourMs} hours resumes it: accepted messages are not sent again, and nothing is created twice. For this, the run's id is kept in demo-*.json in the data folder until everything is loaded.`,
        'Each setting is a flag or an environment variable; the flag takes precedence.',
      ].join('\n\n'),
    )
    .addOption(
      new Option('--url <url>', 'base URL of the API').env('CHAT_SYSTEM_URL').default('http://localhost:3000/v1'),
    )
    .addOption(new Option('--admin-key <key>', 'admin key, if the API has one').env('ADMIN_KEY'))
    .addOption(
      new Option('--concurrency <number>', 'chats loaded at the same time, 1 to 256').env('CONCURRENCY').default('16'),
    )
    .addOption(dataFolderOption('folder that keeps the id of an unfinished run'))
    .addOption(new Option('--fresh', 'start a new run even if there is an unfinished one'));

/**
 * Reads the settings from the flags and, where a flag is missing, from the environment.
 *
 * @returns undefined when the arguments request the help, which is then printed
 * @throws CommandProblem naming every wrong setting
 */
export const readSettings = (argv: string[]): Settings | undefined => parseSettings(command(), schema, argv);
