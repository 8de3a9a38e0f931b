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
import { answers } from '../answers.ts';
import { cached } from '../cache.ts';
import { dataFolder, isRoot, makeFolder } from '../folders.ts';
import { loopback } from '../ports.ts';
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

/** OpenSearch refuses to run as root; a number needs no entry among the users. */
const uidInsteadOfRoot = 9200;

const heap = '512m';

export const opensearchFolder = path.join(dataFolder, 'opensearch');

/** A single OpenSearch node of this checkout; it is ready when its indices can be used. */
export const opensearch = (port: number): NativeServer => ({
  prepare: async (say) => {
    const java = await findJava(say);
    const home = await install(java, say);
    const config = await writeConfig(home, java, port);
    const { JAVA_TOOL_OPTIONS: _, ...env } = process.env;
    return {
      command: [path.join(home, 'bin/opensearch')],
      cwd: opensearchFolder,
      env: {
        ...env,
        HOME: opensearchFolder,
        OPENSEARCH_JAVA_HOME: java.home,
        OPENSEARCH_PATH_CONF: config,
        OPENSEARCH_TMPDIR: path.join(opensearchFolder, 'tmp'),
        // The compiler of the second tier costs more in the first minutes than it brings to a development machine.
        OPENSEARCH_JAVA_OPTS: `-Xms${heap} -Xmx${heap} -XX:-AlwaysPreTouch -XX:TieredStopAtLevel=1`,
      },
      ...(isRoot && { uid: uidInsteadOfRoot }),
    };
  },
  ready: () => answers(`http://${loopback}:${port}/_cluster/health?wait_for_status=yellow&timeout=2s`),
});

const install = ({ jars }: Java, say: Say): Promise<string> =>
  cached(`opensearch-${distribution.version}${jars.length > 0 ? '-with-icu' : ''}`, say, async (target) => {
    const zip = `${target}.zip`;
    await fetchArtifact(distribution, zip, say);
    say('Unpacking');
    const folder = path.dirname(target);
    await run(['python3', '-m', 'zipfile', '-e', zip, folder]);
    rmSync(zip);
    const unpacked = path.join(folder, `${distribution.name}-${distribution.version}`);
    for (const command of globSync(path.join(unpacked, 'bin/opensearch*'))) chmodSync(command, 0o755);
    for (const jar of jars) copyFileSync(jar, path.join(unpacked, 'lib', path.basename(jar)));
    if (unpacked !== target) renameSync(unpacked, target);
  });

/** The configuration is written anew at each start, beside the data. */
async function writeConfig(home: string, java: Java, port: number): Promise<string> {
  const config = path.join(opensearchFolder, 'config');
  const temporary = path.join(opensearchFolder, 'tmp');
  for (const folder of [config, temporary]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [
    config,
    path.join(config, 'jvm.options.d'),
    temporary,
    path.join(opensearchFolder, 'data'),
    path.join(opensearchFolder, 'logs'),
  ])
    makeFolder(folder);
  copyFileSync(path.join(home, 'config/log4j2.properties'), path.join(config, 'log4j2.properties'));
  writeFileSync(path.join(config, 'jvm.options'), await jvmOptions(home, java));
  writeFileSync(
    path.join(config, 'opensearch.yml'),
    `cluster.name: chat-system
node.name: development
path.data: ${path.join(opensearchFolder, 'data')}
path.logs: ${path.join(opensearchFolder, 'logs')}
network.host: ${loopback}
http.port: ${port}
discovery.type: single-node
# The port between nodes is not used by a single one: any free port does.
transport.port: 0
# A nearly full disk is common on a development machine, and no reason to refuse writes.
cluster.routing.allocation.disk.threshold_enabled: false
`,
  );
  if (isRoot) giveAway(opensearchFolder);
  return config;
}

/** Without the options that write into the installation, which is shared, and a module that not every runtime has. */
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

function giveAway(folder: string): void {
  for (const file of [folder, ...globSync(path.join(folder, '**'))])
    if (existsSync(file)) chownSync(file, uidInsteadOfRoot, uidInsteadOfRoot);
}
