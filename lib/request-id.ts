/** As many characters as a UUID has. */
export const requestIdLength = 36;

/** Whether a text may be a UUID in small letters, as API Gateway, Lambda and the embedded engine make one for each request. */
export const isRequestId = (text: string): boolean => text.length === requestIdLength && /^[0-9a-f-]+$/.test(text);
