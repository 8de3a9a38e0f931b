import { Command, Option } from 'commander';
import * as z from 'zod';
import { logLevels } from '../functions/runtime/observe/log.ts';
import { parseSettings, wholeNumber } from '../tools/cli/command-line.ts';
import { dataFolderOption, dataFolderSetting } from '../tools/cli/data-folder.ts';

const schema = z.object({
  port: wholeNumber('--port (PORT)', 0, 65_535),
  host: z.string().min(1, '--host (HOST) must not be empty.'),
  dataDir: dataFolderSetting,
  adminKey: z
    .string()
    // HTTP removes white space around the value of a header.
    .trim()
    .min(1, '--admin-key (ADMIN_KEY) must not be empty; leave it out to require no admin key.')
    // Clients and Node.js disagree about the encoding of other characters in a header.
    .regex(
      /^[ -~]*$/,
      '--admin-key (ADMIN_KEY) must have only printable ASCII characters, because it is sent in a header.',
    )
    .optional(),
  logLevel: z.enum(logLevels, { error: `--log-level (LOG_LEVEL) must be one of ${logLevels.join(', ')}.` }),
  rollupSeconds: wholeNumber('--rollup-seconds (ROLLUP_SECONDS)', 1, 3_600),
});
export type Settings = z.output<typeof schema>;

/** The flags and environment variables of script/start. */
export const settingsCommand = () =>
  new Command('script/start')
    .description(
      'Serves the chat system on this machine, with all its data in one folder. Each setting is a flag or an environment variable; the flag takes precedence.',
    )
    .addOption(new Option('--port <number>', 'port to listen on; 0 picks a free one').env('PORT').default('3000'))
    .addOption(new Option('--host <address>', 'address to listen on').env('HOST').default('127.0.0.1'))
    .addOption(dataFolderOption('folder that holds all data'))
    .addOption(
      new Option('--admin-key <key>', 'key that clients must send in x-api-key to create or list applications').env(
        'ADMIN_KEY',
      ),
    )
    .addOption(new Option('--log-level <level>', logLevels.join(', ')).env('LOG_LEVEL').default('info'))
    .addOption(
      new Option('--rollup-seconds <number>', 'seconds between two updates of the counts, 1 to 3600')
        .env('ROLLUP_SECONDS')
        .default('60'),
    );

/**
 * Reads the settings from the flags and, for a missing flag, from the environment.
 *
 * @returns undefined when the arguments request the help, which is then printed
 * @throws CommandProblem naming every wrong setting
 */
export const readSettings = (argv: string[]): Settings | undefined => parseSettings(settingsCommand(), schema, argv);
