/**
 * Returns the name of the search domain in an AWS address (`vpc-<name>-<random>.<region>.es.amazonaws.com` or
 * `search-…`), or undefined for any other address.
 */
export const domainOf = (url: string): string | undefined =>
  /^(?:vpc|search)-(.+)-[^-.]+\.[^.]+\.es\.amazonaws\.com$/.exec(new URL(url).hostname)?.[1];

/** Returns whether the address belongs to AWS, so that requests to it have to be signed. */
export const isAddressOfAws = (url: string): boolean =>
  /\.(amazonaws\.com(\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)$/.test(new URL(url).hostname);
