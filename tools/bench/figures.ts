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
 * The figures by the topic under which the document shows them, and by the name that `script/bench` accepts. The figures
 * of the last two topics use the results of others.
 */
export const topics: Record<string, Record<string, Figure>> = {
  'Embedded: creating and storing': {
    'embedded-create': embeddedCreate,
    'embedded-connections': embeddedConnections,
    'embedded-batch': embeddedBatch,
    'embedded-members': embeddedMembers,
    'embedded-memory': embeddedMemory,
    'embedded-lag': embeddedLag,
    'roll-up-embedded': rollUpEmbedded,
  },
  'Embedded: reading and searching': {
    'embedded-read': embeddedRead,
    'page-depth-embedded': pageDepthEmbedded,
    'embedded-search': embeddedSearch,
    'search-old-embedded': searchOldEmbedded,
    'search-latency-embedded': searchLatencyEmbedded,
    'search-latency-embedded-large': searchLatencyEmbeddedLarge,
  },
  'Embedded: following live': {
    'embedded-feed': embeddedFeed,
  },
  'Embedded: requests beside other work': {
    'embedded-fairness': embeddedFairness,
    'embedded-during-searches': embeddedDuringSearches,
  },
  'AWS: functions, SQL and search': {
    'function-cpu': functionCpu,
    'function-reads': functionReads,
    'function-start': functionStart,
    'store-worker': storeWorkerFigure,
    'search-worker': searchWorkerFigure,
    'page-depth-mysql': pageDepthMysql,
    'roll-up-mysql': rollUpMysql,
    'migration-mysql': migrationMysql,
    'search-latency-opensearch': searchLatencyOpensearch,
  },
  'AWS: what messages cost': {
    cost,
  },
  'AWS: the lag of store and feed': {
    scaling,
    'feed-lag': feedLag,
  },
};

/** All figures by their name, in the order of the document. */
export const figures: Record<string, Figure> = Object.fromEntries(
  Object.values(topics).flatMap(Object.entries<Figure>),
);
