// Writes lib/api/console-assets.ts: the script and the style of the console, bundled and minified from the folder console
// and the client. The file is committed, because script/start installs no development packages and has no build step.
//
//   npm run console            writes the file
//   npm run console -- --check exits 1 when the file differs from what would be written
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const project = path.resolve(import.meta.dirname, '../..');
const target = path.join(project, 'lib/api/console-assets.ts');

// Preact's licence requires its notice in every copy.
const notice = readFileSync(path.join(project, 'node_modules/preact/LICENSE'), 'utf8').trim();
const { outputFiles } = await build({
  absWorkingDir: project,
  entryPoints: { script: 'console/src/main.tsx', style: 'console/src/style.css' },
  outdir: 'unwritten',
  write: false,
  bundle: true,
  minify: true,
  format: 'iife',
  platform: 'browser',
  target: ['es2022', 'chrome120', 'firefox121', 'safari17'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  tsconfigRaw: {},
  banner: { js: `/*! This page contains Preact.\n${notice}\n*/` },
});
const textOf = (extension: string): string =>
  JSON.stringify(
    (outputFiles.find((file) => file.path.endsWith(extension))?.text ?? '').replaceAll('</script', '<\\/script'),
  );

const text = `// Written by tools/console/main.ts from the folder console; do not edit.

export const script =
  ${textOf('.js')};

export const style =
  ${textOf('.css')};
`;
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('lib/api/console-assets.ts differs from the folder console: run npm run console');
    process.exitCode = 1;
  }
} else writeFileSync(target, text);
