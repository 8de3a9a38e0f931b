import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readSettings } from '../../local/settings.ts';
import { CommandProblem } from '../../tools/cli/problem.ts';

const variables = ['PORT', 'HOST', 'DATA_DIR', 'ADMIN_KEY', 'LOG_LEVEL', 'ROLLUP_SECONDS'];

describe('the settings', () => {
  beforeEach(() => {
    for (const name of variables) vi.stubEnv(name, undefined);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  /** Returns the error in the words for the user. */
  const complaint = (...argv: string[]): string => {
    try {
      readSettings(argv);
    } catch (error) {
      expect(error).toBeInstanceOf(CommandProblem);
      return (error as Error).message;
    }
    return 'none';
  };

  test('every setting has a default', () => {
    expect(readSettings([])).toEqual({
      port: 3_000,
      host: '127.0.0.1',
      dataDir: path.resolve(import.meta.dirname, '../../data'),
      logLevel: 'info',
      rollupSeconds: 60,
    });
  });

  test('settings can be given as flags', () => {
    const flags = ['--port', '0', '--host', '::', '--data-dir', 'x', '--admin-key', 'k', '--log-level', 'debug'];
    expect(readSettings([...flags, '--rollup-seconds=5'])).toEqual({
      port: 0,
      host: '::',
      dataDir: path.resolve('x'),
      adminKey: 'k',
      logLevel: 'debug',
      rollupSeconds: 5,
    });
  });

  test('settings can be given as environment variables, and flags have precedence', () => {
    vi.stubEnv('PORT', '4000');
    vi.stubEnv('HOST', '0.0.0.0');
    vi.stubEnv('DATA_DIR', '/srv/chat');
    vi.stubEnv('ADMIN_KEY', 'key');
    vi.stubEnv('LOG_LEVEL', 'warn');
    vi.stubEnv('ROLLUP_SECONDS', '10');
    const settings = {
      port: 4_000,
      host: '0.0.0.0',
      dataDir: '/srv/chat',
      adminKey: 'key',
      logLevel: 'warn',
      rollupSeconds: 10,
    };
    expect(readSettings([])).toEqual(settings);
    expect(readSettings(['--port', '5000'])).toEqual({ ...settings, port: 5_000 });
  });

  test('all invalid settings are named at once, by flag and variable', () => {
    vi.stubEnv('LOG_LEVEL', 'loud');
    vi.stubEnv('ADMIN_KEY', '');
    expect(complaint('--port', '65536', '--host', '', '--data-dir', '', '--rollup-seconds', '0')).toBe(
      [
        '--port (PORT) must be a whole number from 0 to 65535.',
        '--host (HOST) must not be empty.',
        '--data-dir (DATA_DIR) must not be empty.',
        '--admin-key (ADMIN_KEY) must not be empty; leave it out to require no admin key.',
        '--log-level (LOG_LEVEL) must be one of debug, info, warn, error, silent.',
        '--rollup-seconds (ROLLUP_SECONDS) must be a whole number from 1 to 3600.',
      ].join(' '),
    );
  });

  test.for(['-1', '1.5', 'x', '', ' 80', '0x50', '99999'])('the port %j is refused', (port) => {
    expect(complaint(`--port=${port}`)).toBe('--port (PORT) must be a whole number from 0 to 65535.');
  });

  test('an admin key is what a client can send in a header', () => {
    expect(readSettings(['--admin-key', ' a key!~\r\n'])).toMatchObject({ adminKey: 'a key!~' });
    expect(complaint('--admin-key', ' \n')).toContain('must not be empty');
    for (const key of ['a\nb', 'cl\u00e9', 'a\tb', '\u{1F511}'])
      expect(complaint('--admin-key', key)).toBe(
        '--admin-key (ADMIN_KEY) must have only printable ASCII characters, because it is sent in a header.',
      );
  });

  test('a setting accepts whole numbers up to its bounds', () => {
    expect(readSettings(['--port', '65535', '--rollup-seconds', '3600'])).toMatchObject({
      port: 65_535,
      rollupSeconds: 3_600,
    });
    expect(complaint('--rollup-seconds', '3601')).toContain('1 to 3600');
  });

  test('an unknown setting, or one without its value, is refused in a sentence', () => {
    expect(complaint('--prot', '80')).toMatch(/^Unknown option '--prot'.*; see script\/start --help\.$/s);
    expect(complaint('--port')).toMatch(/^Option '--port <number>' argument missing; see script\/start --help\.$/);
    expect(complaint('serve')).toMatch(/^Too many arguments.*; see script\/start --help\.$/);
  });

  test('--version prints the versions of chat-system and Node.js, and nothing is started', () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(readSettings(['--version'])).toBeUndefined();
    expect(write.mock.calls.join('')).toMatch(/^chat-system \d+\.\d+\.\d+, Node\.js 2\d\.\d+\.\d+\n$/);
  });

  test('--help explains all settings', () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(readSettings(['--help'])).toBeUndefined();
    const help = write.mock.calls
      .map(([text]) => text)
      .join('')
      .replace(/\s+/g, ' ');
    for (const name of variables) expect(help).toContain(`env: ${name}`);
  });
});
