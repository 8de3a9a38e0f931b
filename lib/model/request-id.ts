/** Length of a request id, in characters. Lambda and the embedded engine give each request a UUID. */
export const requestIdLength = 36;
