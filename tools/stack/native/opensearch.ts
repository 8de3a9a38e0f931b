import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  globSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { cached } from '../cache.ts';
import { isRoot, makeFolder } from '../folders.ts';
import { loopback } from '../ports.ts';
import { responds } from '../responds.ts';
import { run, type Say } from '../run.ts';
import { findJava, type Java } from './java.ts';
import { fetchArtifact } from './maven.ts';
import type { NativeServer } from './native-server.ts';

const distribution = {
  group: 'org.opensearch.distribution.integ-test-zip',
  name: 'opensearch',
  version: '3.8.0',
  kind: 'zip',
  sha256: '196c3cf4602c394f2e40e6174ccbf2a924eae37246f08fa6bbb6b75f9fd5ff1f',
} as const;

/** The user id to run as instead of root, which OpenSearch refuses. The id needs no entry in /etc/passwd. */
const uidInsteadOfRoot = 9200;

const heap = '512m';

/** A single OpenSearch node with its data in the folder. It is ready when its indices can be used. */
export const opensearch = (folder: string, port: number): NativeServer => ({
  prepare: async (say) => {
    const java = await findJava(say);
    const home = await install(java, say);
    const config = await writeConfig(folder, home, java, port);
    const { JAVA_TOOL_OPTIONS: _, ...env } = process.env;
    return {
      command: [path.join(home, 'bin/opensearch')],
      cwd: folder,
      env: {
        ...env,
        HOME: folder,
        OPENSEARCH_JAVA_HOME: java.home,
        OPENSEARCH_PATH_CONF: config,
        OPENSEARCH_TMPDIR: path.join(folder, 'tmp'),
        // The second-tier compiler costs more in the first minutes than it saves on a development machine.
        OPENSEARCH_JAVA_OPTS: `-Xms${heap} -Xmx${heap} -XX:-AlwaysPreTouch -XX:TieredStopAtLevel=1`,
      },
      ...(isRoot && { uid: uidInsteadOfRoot }),
    };
  },
  ready: () => responds(`http://${loopback}:${port}/_cluster/health?wait_for_status=yellow&timeout=2s`),
});

const install = ({ jars }: Java, say: Say): Promise<string> =>
  cached(`opensearch-${distribution.version}${jars.length > 0 ? '-with-icu' : ''}`, say, async (target) => {
    const zip = `${target}.zip`;
    await fetchArtifact(distribution, zip, say);
    say('Unpacking');
    const cache = path.dirname(target);
    await run(['python3', '-m', 'zipfile', '-e', zip, cache]);
    rmSync(zip);
    const unpacked = path.join(cache, `${distribution.name}-${distribution.version}`);
    for (const command of globSync(path.join(unpacked, 'bin/opensearch*'))) chmodSync(command, 0o755);
    for (const jar of jars) copyFileSync(jar, path.join(unpacked, 'lib', path.basename(jar)));
    if (unpacked !== target) renameSync(unpacked, target);
  });

/** Writes the configuration next to the data; called at each start. */
async function writeConfig(folder: string, home: string, java: Java, port: number): Promise<string> {
  const config = path.join(folder, 'config');
  const temporary = path.join(folder, 'tmp');
  for (const stale of [config, temporary]) rmSync(stale, { recursive: true, force: true });
  for (const each of [
    config,
    path.join(config, 'jvm.options.d'),
    temporary,
    path.join(folder, 'data'),
    path.join(folder, 'logs'),
  ])
    makeFolder(each);
  copyFileSync(path.join(home, 'config/log4j2.properties'), path.join(config, 'log4j2.properties'));
  writeFileSync(path.join(config, 'jvm.options'), await jvmOptions(home, java));
  writeFileSync(
    path.join(config, 'opensearch.yml'),
    `cluster.name: chat-system
node.name: development
path.data: ${path.join(folder, 'data')}
path.logs: ${path.join(folder, 'logs')}
network.host: ${loopback}
http.port: ${port}
discovery.type: single-node
# A single node does not use the port between nodes, so any free port will do.
transport.port: 0
# A nearly full disk is common on a development machine and no reason to refuse writes.
cluster.routing.allocation.disk.threshold_enabled: false
`,
  );
  if (isRoot) changeOwner(folder);
  return config;
}

/**
 * Returns OpenSearch's JVM options without those that write into the shared installation, and without a module that
 * some runtimes lack.
 */
async function jvmOptions(home: string, { home: javaHome }: Java): Promise<string> {
  const { stdout: modules } = await promisify(execFile)(path.join(javaHome, 'bin/java'), ['--list-modules']);
  const unwanted = [
    '-Xlog:gc',
    'HeapDump',
    'ErrorFile',
    ...(modules.includes('jdk.incubator.vector') ? [] : ['jdk.incubator.vector']),
  ];
  return readFileSync(path.join(home, 'config/jvm.options'), 'utf8')
    .split('\n')
    .filter((line) => !unwanted.some((option) => line.includes(option)))
    .join('\n');
}

function changeOwner(folder: string): void {
  for (const file of [folder, ...globSync(path.join(folder, '**'))])
    if (existsSync(file)) chownSync(file, uidInsteadOfRoot, uidInsteadOfRoot);
}
