import { renameSync } from 'node:fs';
import path from 'node:path';
import { verify } from '../cache.ts';
import { run, type Say } from '../run.ts';

/** A file on Maven Central. */
export interface Artifact {
  group: string;
  name: string;
  version: string;
  kind: 'zip' | 'jar';
  sha256: string;
}

/**
 * Downloads the file with Maven, which uses the mirrors and proxies that this machine is configured for, and verifies
 * it.
 */
export async function fetchArtifact(
  { group, name, version, kind, sha256 }: Artifact,
  target: string,
  say: Say,
): Promise<void> {
  const folder = path.dirname(target);
  say(`Downloading ${name} ${version} from Maven Central`);
  await run([
    'mvn',
    '--batch-mode',
    '--quiet',
    'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy',
    `-Dartifact=${group}:${name}:${version}:${kind}`,
    `-DoutputDirectory=${folder}`,
  ]);
  const file = path.join(folder, `${name}-${version}.${kind}`);
  await verify(file, sha256);
  renameSync(file, target);
}
