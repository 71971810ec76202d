/** The way in: the token of the address or of the form becomes a cookie, and is kept nowhere else. */

import { ApiError, beginSession, describeToken, get } from "./api.ts";
import type { ReaderSession } from "./schema.ts";
import { h } from "./dom.ts";
import { formatDate } from "./days.ts";
import { texts } from "./locale.ts";

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
  const offered = await allowUnauthorised(describeToken(clean(token))); // one question: without a session no refusal
  const present = offered === null ? await allowUnauthorised(get<ReaderSession>("session")) : offered.present;
  return present === null || (offered !== null && isSame(present, offered)) ? null : { present, offered };
}

/** Ask before a link replaces a session: its sender may want to show another system than the reader looks for. */
export function askToReplace(root: HTMLElement, conflict: Conflict, replace: () => void, keep: () => void): void {
  const { present, offered } = conflict;
  const keeping = h("button", { type: "button", class: "primary" }, texts.session.stay);
  keeping.addEventListener("click", keep);
  const replacing = h("button", { type: "button" }, texts.session.replace);
  replacing.addEventListener("click", replace);
  const said = offered === null
    ? texts.session.linkRefused
    : texts.session.compare(describe(present), describe(offered));
  root.replaceChildren(h("main", { class: "alone" }, h(
    "section", { class: "card ask", role: "alertdialog", "aria-labelledby": "ask-title", "aria-describedby": "ask-why" },
    h("h1", { id: "ask-title" }, texts.session.conflict),
    h("p", { id: "ask-why" }, said),
    keeping,
    offered === null ? null : replacing,
  )));
  keeping.focus();
}

async function allowUnauthorised<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.unauthorised) return null;
    throw error;
  }
}

function isSame(one: ReaderSession, other: ReaderSession): boolean {
  return one.expires === other.expires && one.scope === other.scope && JSON.stringify(one.gateways) === JSON.stringify(other.gateways);
}

function describe(session: ReaderSession): string {
  const until = formatDate(new Date(session.expires * 1000).toISOString(), { dateStyle: "medium" });
  return texts.session.until(session.gateways === null ? texts.session.everySystem : session.gateways.join(", "), until);
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
    h("h1", { id: "ask-title" }, texts.session.title),
    said,
    h("label", { for: "token" }, texts.session.token),
    field,
    h("p", { id: "token-help", class: "soft" }, texts.session.help,
      h("code", {}, "envoy-receiver token create --link")),
    h("button", { type: "submit", class: "primary" }, texts.session.show),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    beginSession(clean(field.value)).then(go, (error: unknown) => {
      said.textContent = error instanceof ApiError && error.unauthorised
        ? texts.session.refused
        : texts.session.noAnswer;
      field.select();
    });
  });
  root.replaceChildren(h("main", { class: "alone" }, form));
  field.focus();
}
