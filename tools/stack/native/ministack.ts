import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { credentials } from '../credentials.ts';
import { makeFolder } from '../folders.ts';
import { loopback } from '../ports.ts';
import { responds } from '../responds.ts';
import type { NativeServer } from './native-server.ts';
import { pythonEnvironment } from './python.ts';

const version = '1.5.33';
const program = path.join(import.meta.dirname, 'serve-ministack.py');

/** A MiniStack server with its state in the folder. Its functions run as processes of this Node.js. */
export const ministack = (home: string, port: number): NativeServer => ({
  prepare: async (say) => {
    const environment = await pythonEnvironment(`ministack-${version}`, 'ministack-requirements.txt', say);
    const folder = (name: string) => makeFolder(path.join(home, name));
    // MiniStack's program for functions is CommonJS. Without this file, Node.js would apply the project's package.json.
    writeFileSync(path.join(folder('tmp'), 'package.json'), '{"type": "commonjs"}\n');
    return {
      command: [path.join(environment, 'bin/python'), program],
      cwd: makeFolder(home),
      // Pass no other variable of the shell, because MiniStack passes its environment on to the functions.
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
        // Both would listen on fixed ports, which two checkouts cannot share.
        IOT_MTLS_ENABLED: '0',
        SFTP_ENABLED: '0',
        // Halves the cold start time of a function.
        NODE_COMPILE_CACHE: folder('compiled'),
        // A test run finds what it has started by this variable.
        ...(process.env.CHAT_SYSTEM_TEST_RUN && { CHAT_SYSTEM_TEST_RUN: process.env.CHAT_SYSTEM_TEST_RUN }),
      },
    };
  },
  ready: () => responds(`http://${loopback}:${port}/_ministack/ready`),
});
