/** Characters of a request's id: Lambda and the embedded engine give each request a UUID. */
export const requestIdLength = 36;
