import type { Figure } from './figure.ts';
import { embeddedCreate } from './figures/embedded-create.ts';
import { pageDepthMysql } from './figures/page-depth-mysql.ts';
import { rollUpMysql } from './figures/roll-up-mysql.ts';
import { searchLatencyOpensearch } from './figures/search-latency-opensearch.ts';
import { searchWorkerFigure } from './figures/search-worker.ts';
import { storeWorkerFigure } from './figures/store-worker.ts';

/** All figures, in the order of the document; a name is what `script/bench` takes. */
export const figures: Record<string, Figure> = {
  'embedded-create': embeddedCreate,
  'store-worker': storeWorkerFigure,
  'search-worker': searchWorkerFigure,
  'search-latency-opensearch': searchLatencyOpensearch,
  'page-depth-mysql': pageDepthMysql,
  'roll-up-mysql': rollUpMysql,
};
