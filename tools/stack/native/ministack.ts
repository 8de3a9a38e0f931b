import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { answers } from '../answers.ts';
import { credentials } from '../credentials.ts';
import { makeFolder } from '../folders.ts';
import { loopback } from '../ports.ts';
import type { NativeServer } from './native-server.ts';
import { pythonEnvironment } from './python.ts';

const version = '1.5.33';
const program = path.join(import.meta.dirname, 'serve-ministack.py');

/** A MiniStack with its state in the folder, whose functions run as processes of this Node.js. */
export const ministack = (home: string, port: number): NativeServer => ({
  prepare: async (say) => {
    const environment = await pythonEnvironment(`ministack-${version}`, 'ministack-requirements.txt', say);
    const folder = (name: string) => makeFolder(path.join(home, name));
    // Its program for functions is CommonJS; without this, Node.js would take it for what the project's package.json says.
    writeFileSync(path.join(folder('tmp'), 'package.json'), '{"type": "commonjs"}\n');
    return {
      command: [path.join(environment, 'bin/python'), program],
      cwd: makeFolder(home),
      // Nothing else of the shell's environment: MiniStack hands its own on to the functions.
      env: {
        ...credentials,
        PATH: [path.dirname(process.execPath), process.env.PATH].join(path.delimiter),
        LANG: 'C.UTF-8',
        HOME: home,
        TMPDIR: folder('tmp'),
        GATEWAY_PORT: String(port),
        BIND_HOST: loopback,
        LAMBDA_EXECUTOR: 'local',
        PERSIST_STATE: '1',
        STATE_DIR: folder('state'),
        S3_PERSIST: '1',
        S3_DATA_DIR: folder('s3'),
        // Both would listen on ports of their own, which two checkouts can't share.
        IOT_MTLS_ENABLED: '0',
        SFTP_ENABLED: '0',
        // Halves the time of a function's cold start.
        NODE_COMPILE_CACHE: folder('compiled'),
      },
    };
  },
  ready: () => answers(`http://${loopback}:${port}/_ministack/ready`),
});
