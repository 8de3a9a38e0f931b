/** Timeout of a health check, in milliseconds. */
const timeoutMs = 5_000;

/** Returns whether a GET request to the URL succeeds. */
export async function responds(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
