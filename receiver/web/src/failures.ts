/** What the top of the page says when a question had no answer. Pure. */

import { ApiError } from "./api.ts";
import { texts } from "./locale.ts";

const TOO_MANY = 429;

/** What is said of several failures: a lost connection explains all of them. */
export function nameWorst(failures: Iterable<string>): string {
  const [first = texts.shared.noConnection, ...others] = failures;
  return others.includes(texts.shared.noConnection) ? texts.shared.noConnection : first;
}

/** A receiver that refuses a question is there: whoever reads "No connection" would look for what is wrong in the network. */
export function describeFailure(error: unknown): string {
  const isRefusal = error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== TOO_MANY;
  return isRefusal ? texts.shared.refused : texts.shared.noConnection;
}
