import path from 'node:path';
import type { OpsServices } from './engine.ts';

/** The flags that choose the system. */
export interface EngineFlags {
  dataDir: string;
  stack?: boolean;
  aws?: boolean;
}

/**
 * Opens the system that the flags choose.
 *
 * @param onLostCommits what to do with a data folder when one of its two files lacks commits that the other one builds
 *   on
 */
export async function openServices(
  { dataDir, stack, aws }: EngineFlags,
  onLostCommits: 'refuse' | 'repair' = 'refuse',
): Promise<OpsServices> {
  // Load only the engine that is needed: the AWS SDK takes longer to load than most commands run, and it is missing
  // when only the packages of script/start are installed (see script/ops).
  if (!stack && !aws)
    return (await import('./embedded-services.ts')).openEmbedded(path.resolve(dataDir), onLostCommits);
  const engine = await import('./aws-services.ts');
  return stack ? engine.openStack() : engine.openAws();
}
