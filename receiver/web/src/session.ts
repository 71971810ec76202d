/** The way in: the token of the address or of the form becomes a cookie, and is kept nowhere else. */

import { ApiError, beginSession, describeToken, get } from "./api.ts";
import type { ReaderSession } from "./schema.ts";
import { h } from "./dom.ts";

/** The code or token in the fragment ("#t=..." or "#token=..."), which is taken out of the address and the history at once. */
export function takeTokenOfAddress(): string | null {
  const given = new URLSearchParams(location.hash.slice(1));
  const token = given.get("t") ?? given.get("token");
  if (token !== null) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/** The session of this browser, begun with the token if there is one. Throws ApiError. */
export async function openSession(token: string | null): Promise<ReaderSession> {
  return token ? await beginSession(clean(token)) : await get<ReaderSession>("session");
}

/** A session of this browser, and what the token of a link shows instead; null for a token that is not good. */
export interface Conflict {
  present: ReaderSession;
  offered: ReaderSession | null;
}

/** The session that a link would replace by another; null where it replaces none. Throws ApiError. */
export async function findConflict(token: string): Promise<Conflict | null> {
  const present = await allowUnauthorised(get<ReaderSession>("session"));
  if (present === null) return null;
  const offered = await allowUnauthorised(describeToken(clean(token)));
  return offered !== null && isSame(present, offered) ? null : { present, offered };
}

/** Ask before a link replaces a session: its sender may want to show another system than the reader looks for. */
export function askToReplace(root: HTMLElement, conflict: Conflict, replace: () => void, keep: () => void): void {
  const { present, offered } = conflict;
  const keeping = h("button", { type: "button", class: "primary" }, "Stay with mine");
  keeping.addEventListener("click", keep);
  const replacing = h("button", { type: "button" }, "Open the link");
  replacing.addEventListener("click", replace);
  const said = offered === null
    ? "The token of this link is not accepted here: it has expired, was revoked, or is for another receiver."
    : `You see ${describe(present)} here. This link shows ${describe(offered)}, and signs you out of yours.`;
  root.replaceChildren(h("main", { class: "alone" }, h(
    "section", { class: "card ask", role: "alertdialog", "aria-labelledby": "ask-title", "aria-describedby": "ask-why" },
    h("h1", { id: "ask-title" }, "This link has another token"),
    h("p", { id: "ask-why" }, said),
    keeping,
    offered === null ? null : replacing,
  )));
  keeping.focus();
}

async function allowUnauthorised(answer: Promise<ReaderSession>): Promise<ReaderSession | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.unauthorised) return null;
    throw error;
  }
}

function isSame(one: ReaderSession, other: ReaderSession): boolean {
  return one.expires === other.expires && JSON.stringify(one.gateways) === JSON.stringify(other.gateways);
}

function describe(session: ReaderSession): string {
  const until = new Date(session.expires * 1000).toISOString().slice(0, 10);
  return `${session.gateways === null ? "every system" : session.gateways.join(", ")} (until ${until})`;
}

/** What people paste: a token, or the whole address that has it. */
export function clean(text: string): string {
  return text.trim().replace(/^.*#t(?:oken)?=/, "");
}

/** A form that asks for a token until one is good; `reason` says why it asks. */
export function askForToken(root: HTMLElement, reason: string, go: (session: ReaderSession) => void): void {
  const field = h("input", {
    id: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true,
    "aria-describedby": "token-help token-reason",
  });
  const said = h("p", { id: "token-reason", class: "reason", role: "alert" }, reason);
  const form = h(
    "form", { class: "card ask", "aria-labelledby": "ask-title" },
    h("h1", { id: "ask-title" }, "Your solar system"),
    said,
    h("label", { for: "token" }, "Reader token"),
    field,
    h("p", { id: "token-help", class: "soft" }, "Paste the token, or open the link, that this command prints: ",
      h("code", {}, "envoy-receiver token create --link")),
    h("button", { type: "submit", class: "primary" }, "Show it"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    beginSession(clean(field.value)).then(go, (error: unknown) => {
      said.textContent = error instanceof ApiError && error.unauthorised
        ? "That token is not accepted here: it has expired, was revoked, or is for another receiver."
        : "The receiver does not answer. Try again in a moment.";
      field.select();
    });
  });
  root.replaceChildren(h("main", { class: "alone" }, form));
  field.focus();
}
