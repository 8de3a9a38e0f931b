/** Returns whether a value of JSON is an object. */
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const withoutSender = (message: unknown): unknown => {
  if (!isObject(message) || !('sender' in message)) return message;
  const { sender: _ignored, ...rest } = message;
  return rest;
};

/**
 * Returns the body of a create without the sender of its message or messages. A sender from the holder of an access
 * token is ignored, even if it is not valid.
 */
export function withoutSenders(body: unknown): unknown {
  if (!isObject(body)) return body;
  const { messages } = body;
  return withoutSender(Array.isArray(messages) ? { ...body, messages: messages.map(withoutSender) } : body);
}
