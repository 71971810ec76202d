/** The forms of the roof's editor: one panel by its fields, what is pasted, and the owner's token. */

import { useOwnerToken } from "./api.ts";
import { h, setText } from "./dom.ts";
import { texts } from "./locale.ts";
import type { RoofPlan } from "./roof_plan.ts";
import { clean } from "./session.ts";

/** The name and the place of the panel that is selected. */
export class PanelFields {
  readonly element: HTMLElement;

  /** `changed` is called after each change, with the panel. */
  constructor(plan: RoofPlan, serial: string, changed: (serial: string) => void) {
    const words = plan.get(serial);
    const name = h("input", { type: "text", maxlength: "100", value: words.name ?? "" });
    const array = h("select", {}, ...plan.listArrays().map((one) =>
      h("option", { value: one ?? "", selected: one === words.array }, one ?? texts.roof.unnamed)));
    const row = h("input", { type: "number", min: "1", max: "1000", value: words.row === null ? "" : String(words.row) });
    const column = h("input", { type: "number", min: "1", max: "1000", value: words.column === null ? "" : String(words.column) });
    const said = h("p", { class: "note", role: "alert" });
    const off = h("button", { type: "button" }, texts.roof.takeOff);
    name.addEventListener("change", () => {
      plan.rename(serial, name.value);
      changed(serial);
    });
    const place = (): void => {
      const [down, right] = [Number(row.value), Number(column.value)];
      if (row.value === "" || column.value === "") return; // the other one is still to come
      if (!Number.isInteger(down) || !Number.isInteger(right) || !row.checkValidity() || !column.checkValidity()) {
        setText(said, texts.roof.whole);
        return;
      }
      plan.move(serial, array.value === "" ? null : array.value, down, right);
      changed(serial);
    };
    for (const field of [array, row, column]) field.addEventListener("change", place);
    off.addEventListener("click", () => {
      plan.takeOff(serial);
      changed(serial);
    });
    this.element = h(
      "section", { class: "editor-array", "aria-labelledby": "roof-panel" }, h("h3", { id: "roof-panel" }, texts.roof.panel(serial)),
      h("div", { class: "editor-fields" },
        h("label", {}, texts.roof.name, name), h("label", {}, texts.roof.arrayName, array),
        h("label", {}, texts.roof.row, row), h("label", {}, texts.roof.column, column)),
      said, off,
    );
  }
}

/** A list, or Enlighten's array layout, to be taken over. */
export class PasteForm {
  readonly element: HTMLElement;

  /** `take` is called with what was pasted. */
  constructor(take: (text: string) => Promise<void>) {
    const field = h("textarea", { rows: "5", spellcheck: "false" });
    const use = h("button", { type: "button" }, texts.roof.pasteUse);
    use.addEventListener("click", () => {
      if (field.value.trim() !== "") void take(field.value);
    });
    this.element = h(
      "details", { class: "editor-paste" }, h("summary", {}, texts.roof.paste), h("p", { class: "note soft" }, texts.roof.pasteHelp),
      h("label", {}, texts.roof.pasteField, field), use,
    );
  }
}

/** Asks for the owner's token where the page has forgotten it. */
export class OwnerTokenForm {
  readonly element: HTMLFormElement;

  /** `go` is called once a token is there. */
  constructor(go: () => void) {
    const field = h("input", { id: "owner-token", type: "password", autocomplete: "off", spellcheck: "false", required: true });
    const said = h("p", { class: "reason", role: "alert" });
    this.element = h(
      "form", { class: "editor-array" }, h("label", { for: "owner-token" }, texts.roof.token), field,
      h("p", { class: "note soft" }, texts.roof.tokenHelp, h("code", {}, "envoy-receiver token create --link --owner")), said,
      h("button", { type: "submit", class: "primary" }, texts.roof.tokenUse),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      useOwnerToken(clean(field.value)).then((isOwner) => (isOwner ? go() : setText(said, texts.roof.tokenRefused)), () => setText(said, texts.roof.tokenRefused));
    });
  }
}
