import { existsSync, globSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder } from '../folders.ts';
import { onPath, succeeds, type Tool } from '../tools.ts';

const downloaded = (): boolean =>
  ['opensearch-3.8.0', 'opensearch-3.8.0-with-icu'].some((name) => existsSync(path.join(cacheFolder, name)));

/** Required by MiniStack and Schemathesis. */
export const python: Tool = {
  name: 'Python 3.10 or newer with venv (python3)',
  debianPackage: 'python3-venv',
  present: () => succeeds('python3', '-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))'),
};

/** The load generator of script/bench. */
export const wrk: Tool = { name: 'the load generator wrk', debianPackage: 'wrk', present: async () => onPath('wrk') };

/** Returns the path of the libfaketime of Debian for multi-threaded programs; undefined when it is not installed. */
export const faketimeLibrary = (): string | undefined => globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0];

/** Changes the clock of a host in tests. */
export const faketime: Tool = {
  name: 'libfaketime (faketime)',
  debianPackage: 'faketime',
  present: async () => faketimeLibrary() !== undefined,
};

/** The names of the programs that the tests of pages accept as their browser. */
export const browserPrograms = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Opens the pages of tests. */
export const browser: Tool = {
  name: `Chromium (${browserPrograms.join(', ')})`,
  debianPackage: 'chromium',
  present: async () => browserPrograms.some(onPath),
};

/** Checks the text of `/v1/metrics` in tests. */
export const promtool: Tool = {
  name: "Prometheus's promtool",
  debianPackage: 'prometheus',
  present: async () => onPath('promtool'),
};

/** What the tests of docs/one-machine.md and docs/single.md boot and run (test/e2e/one-machine). */
export const oneMachineTools: Tool[] = [
  {
    name: 'systemd (systemd-analyze)',
    debianPackage: 'systemd',
    present: async () => onPath('systemd-analyze') && existsSync('/lib/systemd/systemd'),
  },
  { name: 'the reverse proxy Caddy (caddy)', debianPackage: 'caddy', present: async () => onPath('caddy') },
  { name: 'iproute2 (ip)', debianPackage: 'iproute2', present: async () => onPath('ip') },
  { name: 'ShellCheck (shellcheck)', debianPackage: 'shellcheck', present: async () => onPath('shellcheck') },
  { name: 'unzip', debianPackage: 'unzip', present: async () => onPath('unzip') },
];

/** The tools that the native provider needs. */
export const nativeTools: Tool[] = [
  {
    name: 'MariaDB (mariadbd, mariadb-install-db)',
    debianPackage: 'mariadb-server',
    present: async () => onPath('mariadbd') && onPath('mariadb-install-db'),
  },
  python,
  {
    name: 'Maven (mvn), which downloads OpenSearch',
    debianPackage: 'maven',
    present: async () => onPath('mvn') || downloaded(),
  },
];
