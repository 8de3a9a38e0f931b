import path from 'node:path';
import { Command, Option } from 'commander';
import * as z from 'zod';
import { logLevels } from '../functions/runtime/observe/log.ts';
import { parseSettings } from '../tools/cli/command-line.ts';

const project = path.resolve(import.meta.dirname, '..');

const wholeNumber = (name: string, least: number, most: number) =>
  z
    .string()
    .refine((digits) => /^[0-9]+$/.test(digits) && Number(digits) >= least && Number(digits) <= most, {
      error: `${name} must be a whole number from ${least} to ${most}.`,
    })
    .transform(Number);

const schema = z.object({
  port: wholeNumber('--port (PORT)', 0, 65_535),
  host: z.string().min(1, '--host (HOST) must not be empty.'),
  dataDir: z
    .string()
    .min(1, '--data-dir (DATA_DIR) must not be empty.')
    .transform((folder) => path.resolve(folder)),
  adminKey: z
    .string()
    .min(1, '--admin-key (ADMIN_KEY) must not be empty; leave it out for an open registry.')
    .optional(),
  logLevel: z.enum(logLevels, { error: `--log-level (LOG_LEVEL) must be one of ${logLevels.join(', ')}.` }),
  rollupSeconds: wholeNumber('--rollup-seconds (ROLLUP_SECONDS)', 1, 3_600),
});
export type Settings = z.output<typeof schema>;

/** The flags and variables of script/start. */
export const settingsCommand = () =>
  new Command('script/start')
    .description(
      'Serves the chat system on this machine, with all its data in one folder. Each setting is a flag or a variable of the environment; the flag counts first.',
    )
    .addOption(new Option('--port <number>', 'port to listen on; 0 takes a free one').env('PORT').default('3000'))
    .addOption(new Option('--host <address>', 'address to listen on').env('HOST').default('127.0.0.1'))
    .addOption(
      new Option('--data-dir <folder>', 'folder that holds all data')
        .env('DATA_DIR')
        .default(path.join(project, 'data')),
    )
    .addOption(
      new Option('--admin-key <key>', 'key that creating and listing applications then ask for in x-api-key').env(
        'ADMIN_KEY',
      ),
    )
    .addOption(new Option('--log-level <level>', logLevels.join(', ')).env('LOG_LEVEL').default('info'))
    .addOption(
      new Option('--rollup-seconds <number>', 'time between two roll-ups of the counts, 1 to 3600')
        .env('ROLLUP_SECONDS')
        .default('60'),
    );

/**
 * Reads the settings from the flags and, where there is none, from the environment.
 *
 * @returns undefined when the help was asked for, which has then been printed
 * @throws BadSettings naming all that is wrong
 */
export const readSettings = (argv: string[]): Settings | undefined => parseSettings(settingsCommand(), schema, argv);
