// The stand-in of `k6/http`: asynchronous requests over Node's fetch.

/** @param {number[]} statuses */
const expectedStatuses = (...statuses) => statuses;

/**
 * A request that fails is an answer with the status 0, as in k6.
 */
async function asyncRequest(method, url, body, { headers = {}, timeout } = {}) {
  const began = performance.now();
  const answer = (status, text, found, error) => ({
    status,
    body: text,
    headers: found,
    error,
    timings: { duration: performance.now() - began },
  });
  try {
    const signal = AbortSignal.timeout(parseInt(timeout, 10) * 1000);
    const response = await fetch(url, { method, headers, body, signal });
    const text = await response.text();
    return answer(response.status, text, canonical(response.headers), "");
  } catch (error) {
    return answer(0, null, {}, String(error.cause ?? error));
  }
}

/** k6 writes the names of headers as Go does: `Retry-After`. */
function canonical(headers) {
  return Object.fromEntries(
    [...headers].map(([name, value]) => [
      name.replace(/(^|-)[a-z]/g, (first) => first.toUpperCase()),
      value,
    ]),
  );
}

export default { asyncRequest, expectedStatuses };
