import { RemovalPolicy } from 'aws-cdk-lib';

/**
 * What becomes of a resource that holds data when its stack goes or it is replaced. One that is kept goes all the same
 * when its own creation fails: it holds nothing yet, and would be in the way of the next try.
 */
export const removalOf = (keepData: boolean): RemovalPolicy =>
  keepData ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY;
