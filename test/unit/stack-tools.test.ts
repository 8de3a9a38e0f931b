import { expect, test } from 'vitest';
import { requireTools } from '../../tools/stack/tools.ts';

const tool = (name: string, debianPackage: string, there: boolean) => ({
  name,
  debianPackage,
  present: async () => there,
});

test('every missing tool is named, with one command that installs them', async () => {
  const tools = [
    tool('MariaDB', 'mariadb-server', false),
    tool('Python', 'python3-venv', true),
    tool('Maven', 'maven', false),
  ];
  const refusal = requireTools(tools, true);
  await expect(refusal).rejects.toThrow('MariaDB, Maven');
  await expect(refusal).rejects.toThrow(/\n {2}apt-get install --yes mariadb-server maven\n/);
  await expect(requireTools(tools, false)).rejects.toThrow('sudo apt-get install');
});

test('no tool is reported when every tool is installed', async () => {
  await expect(requireTools([tool('Maven', 'maven', true)])).resolves.toBeUndefined();
});
