import path from 'node:path';
import type { OpenOptions, OpsServices } from './engine.ts';
import type { ImportTarget } from './import.ts';

/** The flags that choose the system. */
export interface EngineFlags {
  dataDir: string;
  stack?: boolean;
  aws?: boolean;
}

/** Opens the system that the flags choose. */
export async function openServices(
  { dataDir, stack, aws }: EngineFlags,
  options: OpenOptions = {},
): Promise<OpsServices> {
  // Load only the engine that is needed: the AWS SDK takes longer to load than most commands run, and it is missing
  // when only the packages of script/start are installed (see script/ops).
  if (!stack && !aws) return (await import('./embedded-services.ts')).openEmbedded(path.resolve(dataDir), options);
  const engine = await import('./aws-services.ts');
  return stack ? engine.openStack() : engine.openAws();
}

/** Returns the system that the flags choose as the target of an import, which may be a new data folder. */
export async function importTarget(flags: EngineFlags): Promise<ImportTarget> {
  const { dataDir, stack, aws } = flags;
  const folder = path.resolve(dataDir);
  const isNew = !stack && !aws && (await import('./embedded-services.ts')).isNewFolder(folder);
  return { newFolder: isNew ? folder : undefined, open: () => openServices(flags, { onNewFolder: 'create' }) };
}
