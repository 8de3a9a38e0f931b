/** Timeout of a health check, in milliseconds. */
const answerMs = 5_000;

/** Whether a GET request to the URL succeeds. */
export async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMs) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
