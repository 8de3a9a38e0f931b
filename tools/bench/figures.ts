import type { Figure } from './figure.ts';
import { cost } from './figures/cost.ts';
import { embeddedBatch } from './figures/embedded-batch.ts';
import { embeddedConnections } from './figures/embedded-connections.ts';
import { embeddedCreate } from './figures/embedded-create.ts';
import { embeddedDuringSearches } from './figures/embedded-during-searches.ts';
import { embeddedFairness } from './figures/embedded-fairness.ts';
import { embeddedFeed } from './figures/embedded-feed.ts';
import { embeddedLag } from './figures/embedded-lag.ts';
import { embeddedMembers } from './figures/embedded-members.ts';
import { embeddedMemory } from './figures/embedded-memory.ts';
import { embeddedRead } from './figures/embedded-read.ts';
import { embeddedSearch } from './figures/embedded-search.ts';
import { feedLag } from './figures/feed-lag.ts';
import { functionCpu } from './figures/function-cpu.ts';
import { functionReads } from './figures/function-reads.ts';
import { functionStart } from './figures/function-start.ts';
import { migrationMysql } from './figures/migration-mysql.ts';
import { pageDepthEmbedded } from './figures/page-depth-embedded.ts';
import { pageDepthMysql } from './figures/page-depth-mysql.ts';
import { rollUpEmbedded } from './figures/roll-up-embedded.ts';
import { rollUpMysql } from './figures/roll-up-mysql.ts';
import { scaling } from './figures/scaling.ts';
import { searchLatencyEmbedded, searchLatencyEmbeddedLarge } from './figures/search-latency-embedded.ts';
import { searchLatencyOpensearch } from './figures/search-latency-opensearch.ts';
import { searchOldEmbedded } from './figures/search-old-embedded.ts';
import { searchWorkerFigure } from './figures/search-worker.ts';
import { storeWorkerFigure } from './figures/store-worker.ts';

/**
 * All figures by the name that `script/bench` accepts, in the order of the document. The last ones use the results of
 * the others.
 */
export const figures: Record<string, Figure> = {
  'embedded-create': embeddedCreate,
  'embedded-connections': embeddedConnections,
  'embedded-batch': embeddedBatch,
  'embedded-members': embeddedMembers,
  'embedded-lag': embeddedLag,
  'embedded-feed': embeddedFeed,
  'embedded-memory': embeddedMemory,
  'embedded-fairness': embeddedFairness,
  'embedded-read': embeddedRead,
  'embedded-search': embeddedSearch,
  'embedded-during-searches': embeddedDuringSearches,
  'search-latency-embedded': searchLatencyEmbedded,
  'search-latency-embedded-large': searchLatencyEmbeddedLarge,
  'search-old-embedded': searchOldEmbedded,
  'page-depth-embedded': pageDepthEmbedded,
  'roll-up-embedded': rollUpEmbedded,
  'function-cpu': functionCpu,
  'function-reads': functionReads,
  'function-start': functionStart,
  'store-worker': storeWorkerFigure,
  'search-worker': searchWorkerFigure,
  'search-latency-opensearch': searchLatencyOpensearch,
  'page-depth-mysql': pageDepthMysql,
  'roll-up-mysql': rollUpMysql,
  'migration-mysql': migrationMysql,
  cost,
  scaling,
  'feed-lag': feedLag,
};
