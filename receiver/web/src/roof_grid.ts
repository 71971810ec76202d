/** The arrays of the editor as rows and columns of cells, in which panels are moved by pointer or by keyboard. */

import { h } from "./dom.ts";
import { texts } from "./locale.ts";
import type { RoofPlan } from "./roof_plan.ts";

const DRAG_PX = 5;
const STEPS: Record<string, [number, number]> = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** What the editor does when a panel is moved or selected. */
export interface GridActions {
  /** Something changed: draw again and say it; the panel keeps the focus. */
  handleMove(serial: string): void;
  handleChoice(serial: string): void;
}

export class RoofGrid {
  private readonly plan: RoofPlan;
  private readonly actions: GridActions;
  private drag: { serial: string; tile: HTMLElement; x: number; y: number; moves: boolean } | null = null;

  constructor(plan: RoofPlan, actions: GridActions) {
    this.plan = plan;
    this.actions = actions;
  }

  /** The cells of an array, with the panels in them. */
  drawArray(array: string | null, chosen: string | null): HTMLElement {
    const { rows, columns } = this.plan.findSize(array);
    const label = texts.roof.cells(array ?? texts.roof.unnamed);
    const grid = h("div", { class: "editor-grid", role: "group", "aria-label": label });
    grid.style.setProperty("--columns", String(columns));
    const tiles = new Map(this.plan.listPlaced(array).map((serial) => {
      const { row, column } = this.plan.get(serial);
      return [`${row}/${column}`, this.drawTile(serial, chosen)];
    }));
    for (let row = 1; row <= rows; row += 1) {
      for (let column = 1; column <= columns; column += 1) {
        const cell = h("div", { class: "cell", "data-row": String(row), "data-column": String(column) }, tiles.get(`${row}/${column}`) ?? null);
        if (array !== null) cell.dataset["array"] = array;
        grid.append(cell);
      }
    }
    return grid;
  }

  /** The panels beside the roof. */
  drawTray(chosen: string | null): HTMLElement {
    const serials = this.plan.listUnplaced();
    return h(
      "div", { class: "tray", role: "group", "aria-label": texts.roof.tray }, ...serials.map((serial) => this.drawTile(serial, chosen)),
      serials.length === 0 ? h("p", { class: "soft note" }, texts.roof.trayEmpty) : null,
    );
  }

  private drawTile(serial: string, chosen: string | null): HTMLElement {
    const name = this.plan.get(serial).name;
    const tile = h("button", { type: "button", class: "panel editor-tile", "data-inverter": serial, "aria-pressed": String(serial === chosen) },
      h("span", { class: "panel-name" }, name ?? serial));
    tile.title = name === null ? serial : `${name} (${serial})`;
    tile.addEventListener("click", () => this.actions.handleChoice(serial));
    tile.addEventListener("keydown", (event) => this.moveByKey(serial, event));
    tile.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.drag = { serial, tile, x: event.clientX, y: event.clientY, moves: false };
      tile.setPointerCapture(event.pointerId);
    });
    tile.addEventListener("pointermove", (event) => this.follow(event));
    tile.addEventListener("pointerup", (event) => this.drop(event));
    tile.addEventListener("pointercancel", () => this.endDrag());
    return tile;
  }

  private moveByKey(serial: string, event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const step = STEPS[event.key];
    const { array, row, column } = this.plan.get(serial);
    const isOnRoof = this.plan.listPlaced(array).includes(serial);
    if (step === undefined) {
      if (!isOnRoof || (event.key !== "Delete" && event.key !== "Backspace")) return;
      this.plan.takeOff(serial);
    } else if (!isOnRoof) {
      this.plan.placeSomewhere(serial);
    } else {
      const { rows, columns } = this.plan.findSize(array);
      const to = [row! + step[0], column! + step[1]] as const;
      if (to[0] >= 1 && to[1] >= 1 && to[0] <= rows && to[1] <= columns) this.plan.move(serial, array, ...to);
    }
    event.preventDefault();
    this.actions.handleMove(serial);
  }

  private follow(event: PointerEvent): void {
    const drag = this.drag;
    if (drag === null) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    drag.moves ||= Math.hypot(dx, dy) > DRAG_PX;
    if (!drag.moves) return;
    drag.tile.classList.add("dragged");
    drag.tile.style.translate = `${dx}px ${dy}px`;
  }

  private drop(event: PointerEvent): void {
    const drag = this.drag;
    this.endDrag();
    if (drag === null || !drag.moves) return;
    const target = document.elementsFromPoint(event.clientX, event.clientY).find((each) => each.matches(".cell, .tray")) as HTMLElement | undefined;
    if (target === undefined) return;
    if (target.matches(".tray")) this.plan.takeOff(drag.serial);
    else this.plan.move(drag.serial, target.dataset["array"] ?? null, Number(target.dataset["row"]), Number(target.dataset["column"]));
    this.actions.handleMove(drag.serial);
  }

  private endDrag(): void {
    this.drag?.tile.classList.remove("dragged");
    if (this.drag !== null) this.drag.tile.style.translate = "";
    this.drag = null;
  }
}
