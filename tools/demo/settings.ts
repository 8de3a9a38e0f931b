import path from 'node:path';
import { Command, Option } from 'commander';
import * as z from 'zod';
import { limits } from '../../lib/limits.ts';
import { parseSettings } from '../cli/command-line.ts';

const project = path.resolve(import.meta.dirname, '../..');

const hourMs = 60 * 60 * 1_000;
/** A run is taken up only while the API still knows the keys of its first requests, with an hour to finish in. */
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
    // What a header can hold.
    .regex(/^[\x20-\x7e]+$/, '--admin-key (ADMIN_KEY) must be printable ASCII; leave it out for an open registry.')
    .optional(),
  concurrency: z
    .string()
    .regex(/^[0-9]{1,3}$/, '--concurrency (CONCURRENCY) must be a whole number from 1 to 256.')
    .transform(Number)
    .refine((value) => value >= 1 && value <= 256, '--concurrency (CONCURRENCY) must be a whole number from 1 to 256.'),
  dataDir: z
    .string()
    .min(1, '--data-dir (DATA_DIR) must not be empty.')
    .transform((folder) => path.resolve(folder)),
  fresh: z.boolean().default(false),
});
export type Settings = z.output<typeof schema>;

const command = () =>
  new Command('script/demo')
    .description(
      [
        'Loads the Universal Declaration of Human Rights into a running chat system through its HTTP API: one application, a chat for each of over 500 languages, a message for each paragraph. Then it searches them in five scripts.',
        `Every run makes an application of its own. A run that was stopped, by Ctrl-C or in any other way, is taken up by the next one within ${resumableMs / hourMs} hours: what was accepted before is not sent again, and nothing gets there twice. All that is kept for it is the run's id, in demo-*.json in the data folder, until everything is loaded.`,
        'Each setting is a flag or a variable of the environment; the flag counts first.',
      ].join('\n\n'),
    )
    .addOption(
      new Option('--url <url>', 'base URL of the API').env('CHAT_SYSTEM_URL').default('http://localhost:3000/v1'),
    )
    .addOption(new Option('--admin-key <key>', 'admin key, where the API asks for one').env('ADMIN_KEY'))
    .addOption(
      new Option('--concurrency <number>', 'chats loaded at the same time, 1 to 256').env('CONCURRENCY').default('16'),
    )
    .addOption(
      new Option('--data-dir <folder>', 'folder that notes an unfinished run')
        .env('DATA_DIR')
        .default(path.join(project, 'data')),
    )
    .addOption(new Option('--fresh', 'leave an unfinished run as it is, and start another'));

/**
 * Reads the settings from the flags and, where there is none, from the environment.
 *
 * @returns undefined when the help was asked for, which has then been printed
 * @throws BadSettings naming all that is wrong
 */
export const readSettings = (argv: string[]): Settings | undefined => parseSettings(command(), schema, argv);
