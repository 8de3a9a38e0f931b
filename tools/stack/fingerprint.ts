import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { project } from '../cli/project.ts';
import type { Servers } from './provider.ts';

/** The files that a deployment is built from. */
const sources = ['infra/**', 'functions/**', 'lib/**', 'package-lock.json', 'cdk.json', 'tsconfig.json'];

/** Returns a hash that changes whenever a deployment of this checkout to these servers would change. */
export function fingerprint({ awsEndpoint, fromFunctions, hasFeed }: Servers): string {
  const hash = createHash('sha256').update(JSON.stringify([awsEndpoint, fromFunctions, hasFeed]));
  for (const file of globSync(sources, { cwd: project }).sort()) {
    const place = path.join(project, file);
    if (statSync(place).isFile()) hash.update(`\0${file}\0`).update(readFileSync(place));
  }
  return hash.digest('hex');
}
