/** Asking the receiver's API. The types of its answers are in schema.ts. Every address is relative to the page. */

import type { AlarmEntry, OfferedSession, ReaderSession } from "./schema.ts";

/** A refusal of the receiver, or no answer at all (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  /** What the receiver says is to be changed; empty where it says nothing. */
  readonly detail: string;

  constructor(status: number, detail = "") {
    super(status === 0 ? "the receiver does not answer" : `the receiver answered ${status}`);
    this.status = status;
    this.detail = detail;
  }

  /** Whether the session is over. */
  get unauthorised(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

/** The token of this tab: what changes something wants it in a header. It is kept nowhere else, so a reload forgets it. */
let bearer: string | null = null;

const TIMEOUT_MS = 15_000;
const BASE = "api/v1/";

/** GET something; gives the JSON. Throws ApiError. */
export async function get<T>(path: string, parameters: Record<string, string> = {}): Promise<T> {
  return (await (await ask(makeAddress(path, parameters))).json()) as T;
}

/** GET a list that comes in pages, whole. Throws ApiError. */
export async function list<T>(path: string, parameters: Record<string, string> = {}): Promise<T[]> {
  const entries: T[] = [];
  let next: string | null = makeAddress(path, parameters);
  while (next !== null) {
    const answer: Response = await ask(next);
    entries.push(...((await answer.json()) as T[]));
    const link = /<(\?[^>]*)>;\s*rel="next"/.exec(answer.headers.get("link") ?? "");
    next = link?.[1] ? BASE + path + link[1] : null;
  }
  return entries;
}

/** The path of something of one gateway. */
export function nameGatewayPath(serial: string, rest = ""): string {
  return `gateways/${encodeURIComponent(serial)}${rest}`;
}

/** The path of something of a site of several gateways. */
export function nameHousePath(site: string, rest: string): string {
  return `sites/${encodeURIComponent(site)}${rest}`;
}

/** The whole (relative) address of something, for an EventSource. */
export function makeAddress(path: string, parameters: Record<string, string> = {}): string {
  const query = new URLSearchParams(parameters).toString();
  return BASE + path + (query ? `?${query}` : "");
}

/** What a reader token lets its bearer see, and what the cookie does, which stays as it is. Throws ApiError. */
export async function describeToken(token: string): Promise<OfferedSession> {
  const headers = { authorization: `Bearer ${token}` };
  return (await (await ask(`${BASE}session`, { headers })).json()) as OfferedSession;
}

/** Exchange a reader token for the cookie. Throws ApiError. */
export async function beginSession(token: string): Promise<ReaderSession> {
  const headers = { authorization: `Bearer ${token}` };
  const session = (await (await ask(`${BASE}session`, { method: "POST", headers })).json()) as ReaderSession;
  bearer = token;
  return session;
}

/** Whether the page still knows the token with which it may change something. */
export function hasOwnToken(): boolean {
  return bearer !== null;
}

/** Take a token for changes, if it is an owner's; whether it is. Throws ApiError for one that is not good. */
export async function useOwnerToken(token: string): Promise<boolean> {
  const { scope } = await describeToken(token);
  if (scope === "owner") bearer = token;
  return scope === "owner";
}

/** Send something with the token of this tab; gives the JSON of the answer. Throws ApiError. */
export async function send<T>(method: "PATCH" | "POST", path: string, content: unknown): Promise<T> {
  const headers = { "authorization": `Bearer ${bearer ?? ""}`, "content-type": "application/json" };
  return (await (await ask(BASE + path, { method, headers, body: JSON.stringify(content) })).json()) as T;
}

/** Forget the cookie. Throws ApiError. */
export async function endSession(): Promise<void> {
  bearer = null;
  await ask(`${BASE}session`, { method: "DELETE" });
}

async function ask(url: string, options: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    // no-store: an unchanged answer out of the browser's cache would tell the ages of then
    answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS), ...options });
  } catch {
    throw new ApiError(0);
  }
  if (!answer.ok) throw new ApiError(answer.status, await readDetail(answer));
  return answer;
}

async function readDetail(answer: Response): Promise<string> {
  try {
    return String(((await answer.json()) as { detail?: string }).detail ?? "");
  } catch {
    return ""; // a proxy's own page
  }
}

/** The alarms of a gateway; null where the receiver says that it cannot tell. */
export async function listAlarms(gateway: string): Promise<AlarmEntry[] | null> {
  try {
    return await list<AlarmEntry>(nameGatewayPath(gateway, "/alarms"));
  } catch (error) {
    if (error instanceof ApiError && error.status === 503) return null;
    throw error;
  }
}
