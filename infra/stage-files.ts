import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type StageName, type singleStage, stageNames } from './config.ts';

/** The flags in the file of a stage. */
export interface StageFile {
  /** The path of the file as messages show it. */
  path: string;
  /** What the file contains, unchecked. */
  content: unknown;
  /** A line for each mistake that prevents the file from being read. */
  problems: string[];
}

const folder = path.join(import.meta.dirname, 'stages');
const pathOf = (file: string): string => `infra/stages/${file}`;

/**
 * Reads `infra/stages/<stage>.json`. A stage without a file has no flags. A file that belongs to no stage is a mistake,
 * because its flags would have no effect.
 */
export function readStageFile(stage: StageName | typeof singleStage, stageFolder = folder): StageFile {
  const files = readdirSync(stageFolder);
  const problems = files
    .filter((file) => path.extname(file) !== '.json' || !stageNames.includes(path.basename(file, '.json')))
    .map(
      (file) =>
        `${pathOf(file)}: is not the file of a stage; the stages of infra/config.ts are ${stageNames.join(', ')}`,
    );
  const file = `${stage}.json`;
  let content: unknown = {};
  if (files.includes(file))
    try {
      content = JSON.parse(readFileSync(path.join(stageFolder, file), 'utf8'));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      problems.push(`${pathOf(file)}: is not JSON: ${error.message}`);
    }
  return { path: pathOf(file), content, problems };
}
