import { RemovalPolicy } from 'aws-cdk-lib';

/**
 * Returns the removal policy of a resource that holds data. A retained resource is still deleted when its own creation
 * fails: it holds no data yet, and would block the next attempt.
 */
export const removalOf = (keepData: boolean): RemovalPolicy =>
  keepData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
