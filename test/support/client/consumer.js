// What the tests run with the package chat-system-client, in Node.js and in a browser: a consumer that follows a
// chat while it writes, and whose server is killed meanwhile. `control` is the URL of the test.

/**
 * @param {typeof import('../../client/src/index.ts')} client
 * @param {string} control
 */
export async function consume({ ChatSystem }, control) {
  const ask = async (path, body) =>
    (await fetch(`${control}${path}`, { method: 'POST', body: JSON.stringify(body) })).json();
  const { url, rounds } = await ask('/begin', {});
  const system = new ChatSystem({ url, token: async () => (await ask('/token', {})).access_token });
  const chat = system.chat(1);

  const messages = new Map();
  const faults = [];
  const statuses = [];
  const ending = new AbortController();
  let seenLast;
  const last = new Promise((resolve) => {
    seenLast = resolve;
  });
  const follow = async () => {
    let version = 0;
    const onStatus = ({ live, error }) => {
      const status = live ? 'live' : error.code;
      statuses.push(status);
      ask('/status', { status }).catch((reason) => faults.push(String(reason)));
    };
    for await (const { change, data } of chat.follow({ after: 0, signal: ending.signal, onStatus })) {
      for (const { change: made, type, message } of data) {
        if (made <= version || made > change) faults.push(`version ${made} came after ${version}, in step ${change}`);
        if (type === 'message.deleted') messages.delete(message.number);
        else messages.set(message.number, message);
        if (message.body === 'the last one') seenLast();
      }
      version = change;
    }
  };
  const following = follow().catch((error) => {
    if (!ending.signal.aborted) faults.push(`following ended: ${error}`);
  });

  const bodies = [];
  for (let i = 0; i < rounds; i++) {
    const { number } = await chat.send(`message ${i}`, { metadata: { i } });
    bodies.push(`message ${i}`);
    if (i % 7 === 1) {
      await chat.editMessage(number, { body: `edited ${i}` });
      bodies[bodies.length - 1] = `edited ${i}`;
    }
    if (i % 9 === 1) {
      await chat.deleteMessage(number);
      bodies.pop();
    }
    await ask('/round', { round: i });
  }
  await chat.send('the last one');
  bodies.push('the last one');
  await last;
  const listed = [];
  for await (const message of chat.messages({ limit: 7 })) listed.push(message);
  ending.abort();
  await following;
  const followed = [...messages.values()].sort((a, b) => a.number - b.number);
  await ask('/end', { bodies, listed, followed, faults, statuses });
}
