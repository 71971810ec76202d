/** The way in: the token of the address or of the form becomes a cookie, and is kept nowhere else. */

import { ApiError, beginSession, get } from "./api.ts";
import type { ReaderSession } from "./schema.ts";
import { h } from "./dom.ts";

/** The token in the fragment ("#token=..."), which is taken out of the address and the history at once. */
export function tokenOfAddress(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token !== null) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/** The session of this browser, begun with the token if there is one. Throws ApiError. */
export async function openSession(token: string | null): Promise<ReaderSession> {
  return token ? await beginSession(clean(token)) : await get<ReaderSession>("session");
}

/** What people paste: a token, or the whole address that has it. */
export function clean(text: string): string {
  return text.trim().replace(/^.*#token=/, "");
}

/** A form that asks for a token until one is good; `reason` says why it asks. */
export function askForToken(root: HTMLElement, reason: string, done: (session: ReaderSession) => void): void {
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
    beginSession(clean(field.value)).then(done, (error: unknown) => {
      said.textContent = error instanceof ApiError && error.unauthorised
        ? "That token is not good here, or no longer."
        : "The receiver does not answer. Try again in a moment.";
      field.select();
    });
  });
  root.replaceChildren(h("main", { class: "alone" }, form));
  field.focus();
}
