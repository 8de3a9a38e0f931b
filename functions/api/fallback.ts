import middy from '@middy/core';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { preflightHeaders } from '../../lib/api/headers.ts';
import { Problem, routeNotFound } from '../../lib/api/problems.ts';
import { methodsOf, pathsOf, type Route, routes } from '../../lib/api/routes.ts';
import type { HttpHandler } from '../runtime/http/operation.ts';
import { proxyResult } from '../runtime/http/proxy-result.ts';
import { requestHeaders } from '../runtime/http/request-headers.ts';
import { pathCheck } from '../runtime/http/route-path.ts';

/**
 * For each path of the route table: its methods, and a function that tells whether the path of a request, as the client
 * wrote it, is this path.
 */
const known = new Map(
  [
    ...Map.groupBy(
      Object.values<Route>(routes).flatMap((route) => pathsOf(route).map((path) => ({ path, route }))),
      ({ path }) => path,
    ),
  ].map(([path, ofPath]) => [
    path,
    { isPath: pathCheck(path), methods: ofPath.flatMap(({ route }) => methodsOf(route)) },
  ]),
);

/**
 * Handles the requests that no operation handles: preflights, wrong methods and unknown paths. A host calls it with the
 * path of the route table as `resource` when the path is known.
 */
export const fallback = (): HttpHandler =>
  middy()
    .use(
      proxyResult({
        method: 'GET',
        path: '*',
        summary: '',
        tag: 'service',
        response: { status: 204 },
        problems: [],
        needs: [],
        allows: 'no token',
      }),
    )
    .use(requestHeaders())
    .handler(async ({ path, resource, httpMethod, headers }: APIGatewayProxyEvent) => {
      const route = known.get(resource);
      const allow = route?.isPath(path) ? { allow: [...route.methods, 'OPTIONS'].join(', ') } : undefined;
      // Unknown paths have a preflight too. Otherwise a browser would hide the problem that the request itself gets.
      const isPreflight = httpMethod === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
      if (!allow && !isPreflight) throw routeNotFound();
      if (allow && httpMethod !== 'OPTIONS')
        throw new Problem('method_not_allowed', `Allowed methods: ${allow.allow}.`, { headers: allow });
      return { headers: { ...allow, ...preflightHeaders } };
    }) as unknown as HttpHandler;
