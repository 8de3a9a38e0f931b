import middy from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { Problem } from '../../lib/api/problems.ts';
import { methodsOf, type Route, routes } from '../../lib/api/routes.ts';
import { answering } from '../runtime/http/answering.ts';
import type { HttpHandler } from '../runtime/http/operation.ts';

const byPath = Map.groupBy(Object.values<Route>(routes), ({ path }) => path);

/**
 * The paths of the route table as patterns. Paths that end in a fixed segment, such as `/batch`, come before those that
 * end in a parameter.
 */
const patterns = [...byPath]
  .sort(([a], [b]) => Number(a.endsWith('}')) - Number(b.endsWith('}')))
  .map(([path, ofPath]) => ({
    pattern: new RegExp(`^${path.replace('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
    methods: ofPath.flatMap(methodsOf),
  }));

/** Handles the requests that no operation handles: preflights, wrong methods and unknown paths. */
export const fallback = (): HttpHandler =>
  middy()
    .use(
      answering({
        method: 'GET',
        path: '*',
        summary: '',
        tag: 'service',
        response: { status: 204 },
        problems: [],
        needs: [],
      }),
    )
    .handler(async ({ path: requested, httpMethod }: APIGatewayProxyEvent) => {
      const route = patterns.find(({ pattern }) => pattern.test(requested));
      if (!route) throw new Problem('route_not_found', 'No route has this path; see the docs page.');
      const allow = [...route.methods, 'OPTIONS'].join(', ');
      if (httpMethod !== 'OPTIONS')
        throw new Problem('method_not_allowed', `Allowed methods: ${allow}.`, { headers: { allow } });
      return {
        headers: {
          allow,
          'access-control-allow-methods': allow,
          'access-control-allow-headers': 'content-type, idempotency-key, if-none-match, x-api-key',
          'access-control-max-age': '86400',
        },
      };
    }) as unknown as HttpHandler;
