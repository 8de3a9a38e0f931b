/** Longest time in milliseconds for a server on this machine to answer whether it is well. */
const answerMs = 5_000;

/** Whether the address answers with success. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMs) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
