/** The domain that an address of AWS names: `vpc-<name>-<letters of its own>.<region>.es.amazonaws.com`, or `search-…`. */
export const domainOf = (url: string): string | undefined =>
  /^(?:vpc|search)-(.+)-[^-.]+\.[^.]+\.es\.amazonaws\.com$/.exec(new URL(url).hostname)?.[1];

/** Whether AWS gave the address, so that requests to it must be signed. */
export const isAddressOfAws = (url: string): boolean =>
  /\.(amazonaws\.com(\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)$/.test(new URL(url).hostname);
