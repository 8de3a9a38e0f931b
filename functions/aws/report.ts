import { Metrics } from '@aws-lambda-powertools/metrics';
import * as z from 'zod/mini';
import { log } from '../runtime/observe/log.ts';
import { type MetricName, metrics, metricsNamespace } from '../runtime/observe/metrics.ts';
import { linesOf, type Report } from '../runtime/observe/report.ts';
import { provider } from './provider.ts';

/**
 * Writes reports as log lines in CloudWatch's embedded metric format, one for each invocation. SYSTEM_NAME separates
 * the metrics of several deployments in one account. Metrics that are 0 are left out: AWS charges for the bytes of the
 * log, and for each hour in which a metric has a value.
 */
export const report = provider({
  variables: { SYSTEM_NAME: z.string().check(z.minLength(1)) },
  create: ({ SYSTEM_NAME }): Report => {
    const emf = new Metrics({ namespace: metricsNamespace, serviceName: SYSTEM_NAME });
    return (message, measured, requestIds) => {
      const [first, ...more] = linesOf(measured, requestIds);
      const found = (Object.entries(measured) as [MetricName, number | undefined][]).filter(([, value]) => value);
      if (found.length > 0) {
        for (const [name, value = 0] of found) emf.addMetric(name, metrics[name], value);
        emf.addMetadata('message', message);
        if (first?.request_ids) emf.addMetadata('request_ids', first.request_ids);
        emf.publishStoredMetrics();
      }
      for (const line of more) log.info(message, line);
    };
  },
});
