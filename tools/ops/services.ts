import path from 'node:path';
import type { OpsServices } from './engine.ts';

/** Which system a command is about, as the flags say. */
export interface EngineFlags {
  dataDir: string;
  stack?: boolean;
  aws?: boolean;
}

/**
 * Opens the system that the flags name.
 *
 * @param disagreeing what to do with a data folder of which one file has lost commits
 */
export async function openServices(
  { dataDir, stack, aws }: EngineFlags,
  disagreeing: 'refuse' | 'repair' = 'refuse',
): Promise<OpsServices> {
  // Each engine is loaded where it is asked for alone: the AWS SDK takes longer to load than most commands run.
  if (!stack && !aws) return (await import('./embedded-services.ts')).openEmbedded(path.resolve(dataDir), disagreeing);
  const engine = await import('./aws-services.ts');
  return stack ? engine.openStack() : engine.openAws();
}
