/** The editor of the roof: its owner places and names panels, or pastes where they are, and saves it. */

import { ApiError, get, hasOwnToken, nameGatewayPath, send } from "./api.ts";
import { h, setText } from "./dom.ts";
import { texts } from "./locale.ts";
import { OwnerTokenForm, PanelFields, PasteForm } from "./roof_forms.ts";
import { RoofGrid } from "./roof_grid.ts";
import { RoofPlan } from "./roof_plan.ts";
import type { LayoutPanels, PanelPlaces } from "./schema.ts";

const CHANGED = 412;

export class RoofEditor {
  private readonly path: string;
  private readonly serials: string[];
  private readonly saved: () => void;
  private readonly element: HTMLDialogElement;
  private readonly note = h("p", { class: "note soft" });
  private readonly status = h("p", { class: "note", role: "status" });
  private readonly problem = h("div", { class: "reason", role: "alert" });
  private readonly work = h("div", { class: "editor-work" });
  private readonly save = h("button", { type: "button", class: "primary" }, texts.roof.save);
  private plan = new RoofPlan([], {});
  private version = "";
  private chosen: string | null = null;

  /**
   * @param serial The gateway.
   * @param serials Of all its panels.
   * @param saved Called after something was saved.
   */
  constructor(serial: string, serials: string[], saved: () => void) {
    this.path = nameGatewayPath(serial, "/panels");
    this.serials = serials;
    this.saved = saved;
    const close = h("button", { type: "button", class: "quiet", "aria-label": texts.shared.close }, "✕");
    const cancel = h("button", { type: "button" }, texts.roof.cancel);
    for (const button of [close, cancel]) button.addEventListener("click", () => this.element.close());
    this.save.addEventListener("click", () => void this.store());
    this.element = h(
      "dialog", { class: "card panel-dialog roof-editor", "aria-labelledby": "roof-title" },
      h("div", { class: "head" }, h("h2", { id: "roof-title" }, texts.roof.title), close),
      h("p", { class: "note" }, texts.roof.hint), this.note, this.work, this.status, this.problem,
      h("div", { class: "editor-buttons" }, this.save, cancel),
    );
    this.element.addEventListener("close", () => this.element.remove());
    this.element.addEventListener("keydown", (event) => event.stopPropagation()); // arrow keys of the page change the day
  }

  /** Show it, with what the sites file says now. */
  async open(): Promise<void> {
    document.body.append(this.element);
    this.element.showModal();
    await this.read();
  }

  private async read(): Promise<void> {
    this.save.disabled = true;
    setText(this.status, texts.roof.loading);
    this.problem.replaceChildren();
    try {
      const places = await get<PanelPlaces>(this.path);
      this.version = places.version;
      this.plan = new RoofPlan(this.serials, places.panels);
      setText(this.status, "");
      this.show(places);
    } catch {
      setText(this.status, "");
      this.showProblem(texts.roof.unread);
    }
  }

  private show(places: PanelPlaces): void {
    if (places.obstacle !== null) {
      setText(this.note, "");
      this.showProblem(texts.roof.locked, places.obstacle);
      return;
    }
    setText(this.note, places.keeps_comments ? texts.roof.kept : texts.roof.notKept);
    this.save.disabled = !hasOwnToken();
    if (hasOwnToken()) this.draw();
    else this.work.replaceChildren(new OwnerTokenForm(() => this.show(places)).element);
  }

  /** Draw the plan again; the panel that was moved or selected keeps the focus. */
  private draw(focused: string | null = null): void {
    const grid = new RoofGrid(this.plan, {
      handleMove: (serial) => this.tell(serial),
      handleChoice: (serial) => this.choose(serial),
    });
    const adding = h("button", { type: "button" }, texts.roof.newArray);
    adding.addEventListener("click", () => this.addArray());
    this.work.replaceChildren(
      ...this.plan.listArrays().map((array) => this.drawArray(array, grid)),
      h("div", {}, adding),
      h("section", { class: "editor-array" }, h("h3", {}, texts.roof.tray), grid.drawTray(this.chosen)),
      this.chosen === null ? "" : new PanelFields(this.plan, this.chosen, (serial) => this.tell(serial, false)).element,
      new PasteForm((text) => this.take(text)).element,
    );
    if (focused !== null) this.work.querySelector<HTMLElement>(`[data-inverter="${CSS.escape(focused)}"]`)?.focus();
  }

  private drawArray(array: string | null, grid: RoofGrid): HTMLElement {
    const facing = this.plan.findFacing(array);
    const name = h("input", { type: "text", maxlength: "100", value: array ?? "", placeholder: texts.roof.unnamed });
    const azimuth = h("input", { type: "number", min: "0", max: "360", step: "any", value: facing.azimuth === null ? "" : String(facing.azimuth) });
    const tilt = h("input", { type: "number", min: "0", max: "90", step: "any", value: facing.tilt === null ? "" : String(facing.tilt) });
    name.addEventListener("change", () => {
      const wanted = name.value.trim() || null;
      if (!this.plan.listArrays().includes(wanted)) this.plan.renameArray(array, wanted);
      this.draw();
    });
    const turn = (): void => {
      if (azimuth.reportValidity() && tilt.reportValidity()) this.plan.turn(array, { azimuth: parse(azimuth.value), tilt: parse(tilt.value) });
    };
    for (const field of [azimuth, tilt]) field.addEventListener("change", turn);
    return h(
      "section", { class: "editor-array" },
      h("div", { class: "editor-fields" },
        h("label", {}, texts.roof.arrayName, name), h("label", {}, texts.roof.azimuth, azimuth), h("label", {}, texts.roof.tiltField, tilt)),
      grid.drawArray(array, this.chosen),
    );
  }

  private addArray(): void {
    const names = this.plan.listArrays();
    let number = names.length + 1;
    while (names.includes(texts.roof.newArrayName(number))) number += 1;
    this.plan.addArray(texts.roof.newArrayName(number));
    this.draw();
  }

  private choose(serial: string): void {
    this.chosen = serial;
    this.draw(serial);
  }

  /** Say where a panel is now. */
  private tell(serial: string, focus = true): void {
    const { name, array, row, column } = this.plan.get(serial);
    const shown = name ?? serial;
    this.draw(focus ? serial : null);
    setText(this.status, row === null ? texts.roof.off(shown) : texts.roof.moved(shown, array ?? texts.roof.unnamed, row, column!));
  }

  private async take(text: string): Promise<void> {
    this.problem.replaceChildren();
    try {
      const { panels } = await send<LayoutPanels>("POST", `${this.path}/layout`, { text });
      const { count, others } = this.plan.take(panels);
      this.draw();
      setText(this.status, texts.roof.taken(count, others));
    } catch (error) {
      this.fail(texts.roof.notTaken, error);
    }
  }

  private async store(): Promise<void> {
    const panels = this.plan.listChanges();
    this.problem.replaceChildren();
    if (Object.keys(panels).length === 0) {
      setText(this.status, texts.roof.nothing);
      return;
    }
    this.save.disabled = true;
    setText(this.status, texts.roof.saving);
    try {
      await send<PanelPlaces>("PATCH", this.path, { version: this.version, panels });
      this.saved();
      this.element.close();
    } catch (error) {
      setText(this.status, "");
      this.save.disabled = false;
      this.fail(texts.roof.failed, error);
    }
  }

  private fail(lead: string, error: unknown): void {
    const status = error instanceof ApiError ? error.status : 0;
    if (status === CHANGED) {
      const again = h("button", { type: "button" }, texts.roof.readAgain);
      again.addEventListener("click", () => void this.read());
      this.problem.replaceChildren(h("p", {}, texts.roof.changed), again);
    } else {
      this.showProblem(lead, status === 0 ? texts.roof.noAnswer : error instanceof ApiError ? error.detail : "");
    }
    this.problem.scrollIntoView({ block: "nearest" });
  }

  /** What the receiver says is English. */
  private showProblem(lead: string, detail = ""): void {
    this.problem.replaceChildren(h("p", {}, `${lead} `, h("span", detail === texts.roof.noAnswer ? {} : { lang: "en" }, detail)));
  }
}

function parse(text: string): number | null {
  return text.trim() === "" ? null : Number(text);
}
