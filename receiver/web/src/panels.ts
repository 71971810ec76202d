/** The panels as they lie on the roof, coloured by what they give. */

import { formatAge, formatAmount, formatThousands } from "./format.ts";
import { arrange, describeFacing, findBrightest, namePanel, shortenName, type ArrayLayout } from "./layout.ts";
import { h, setText } from "./dom.ts";
import { texts } from "./locale.ts";
import type { InverterEntry } from "./schema.ts";
import { isAsleep } from "./sleep.ts";

export class PanelsView {
  readonly element: HTMLElement;
  private readonly title = h("h2", { id: "panels-title" }, texts.panels.title);
  private readonly summary = h("p", { class: "soft note" });
  private readonly editing = h("button", { type: "button", class: "quiet edit" }, texts.roof.edit);
  private readonly roof = h("div", { class: "roof" });
  private readonly tiles = new Map<string, HTMLButtonElement>();
  private readonly choose: (panel: InverterEntry) => void;
  private panels: InverterEntry[] = [];
  private drawn = "";

  /**
   * @param choose Called with the panel that somebody selects.
   * @param edit Called with the panels when their owner wants to place them; null: nobody may.
   */
  constructor(choose: (panel: InverterEntry) => void, edit: ((panels: InverterEntry[]) => void) | null = null) {
    this.choose = choose;
    this.editing.hidden = true; // until it is known which panels there are
    this.editing.addEventListener("click", () => edit?.(this.panels));
    this.element = h(
      "section", { class: "card panels", "aria-labelledby": "panels-title" },
      h("div", { class: "head" }, this.title, this.summary, edit && this.editing), this.roof,
      h("p", { class: "soft note keys" }, texts.panels.hint),
    );
    this.roof.addEventListener("keydown", (event) => this.move(event));
  }

  /**
   * Show the panels.
   *
   * @param energies Wh of a past time by serial; null: the power of now.
   * @param words How the roof is now.
   */
  show(panels: InverterEntry[], energies: Map<string, number> | null, words: string): void {
    this.element.hidden = this.editing.hidden = panels.length === 0;
    this.panels = panels;
    const layout = arrange(panels);
    const key = JSON.stringify(layout.map((array) => [array.name, array.columns, array.azimuth, array.tilt, array.panels.map((panel) => [panel.inverter, namePanel(panel), panel.row, panel.column])]));
    if (key !== this.drawn) this.draw(layout);
    this.drawn = key;
    const values = panels.map((panel) => (energies ? energies.get(panel.inverter) ?? null : isAsleep(panel, panels) ? null : panel.power ?? null));
    const best = energies ? 0 : Math.max(0, ...panels.map((panel) => panel.max_power ?? 0));
    const full = findBrightest(values, best);
    panels.forEach((panel, i) => this.fill(panel, values[i] ?? null, full, energies === null));
    setText(this.summary, energies ? texts.panels.past(panels.length) : words);
  }

  private draw(layout: ArrayLayout[]): void {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset["inverter"] : undefined;
    this.tiles.clear();
    this.roof.replaceChildren(...layout.map((array) => {
      const grid = h("div", { class: array.columns === null ? "array free" : "array", role: "group", "aria-label": array.name ?? texts.panels.title });
      if (array.columns !== null) grid.style.setProperty("--columns", String(array.columns));
      grid.append(...array.panels.map((panel) => this.makeTile(panel, array.columns !== null)));
      const facing = describeFacing(array.azimuth, array.tilt);
      const heading = array.name === null ? null : h("h3", {}, array.name);
      return h("div", {}, heading, facing === "" ? null : h("p", { class: "soft note" }, facing), grid);
    }));
    const first = this.tiles.values().next().value;
    this.enter((focused && this.tiles.get(focused)) || first, focused !== undefined);
  }

  private makeTile(panel: InverterEntry, placed: boolean): HTMLButtonElement {
    const tile = h(
      "button", { type: "button", class: "panel", "data-inverter": panel.inverter, tabindex: "-1" },
      h("span", { class: "panel-name" }, h("span", { class: "hidden" }, findOmittedPart(panel)), shortenName(panel)),
      h("span", { class: "panel-value" }, h("span", { class: "panel-number" }), h("span", { class: "panel-unit" })), h("span", { class: "panel-state hidden" }),
    );
    if (placed) {
      tile.style.gridRow = String(panel.row);
      tile.style.gridColumn = String(panel.column);
    }
    tile.addEventListener("click", () => {
      const now = this.panels.find((one) => one.inverter === panel.inverter);
      this.enter(tile, false);
      if (now) this.choose(now);
    });
    this.tiles.set(panel.inverter, tile);
    return tile;
  }

  private fill(panel: InverterEntry, value: number | null, full: number, live: boolean): void {
    const tile = this.tiles.get(panel.inverter)!;
    const unheard = live && (panel.state === "silent" || panel.state === "gone");
    tile.classList.toggle("unheard", unheard || (value === null && !(live && panel.state === "idle")));
    tile.classList.toggle("asleep", live && !unheard && !value);
    tile.style.setProperty("--heat", `${Math.round((unheard ? 0 : (value ?? 0) / full) * 100)}%`);
    const shown = live ? formatAmount(value, "W") : value === null ? texts.none : formatThousands(value);
    const [number = "", unit] = unheard ? [texts.panels.states[panel.state]] : shown.split("\u202f");
    setText(tile.querySelector(".panel-number")!, number);
    setText(tile.querySelector(".panel-unit")!, unit === undefined ? "" : `\u202f${unit}`);
    const state = live ? texts.panels.heard(texts.panels.states[panel.state], formatAge(panel.age_seconds)) : "";
    setText(tile.querySelector(".panel-state")!, live ? state : "\u202fkWh");
    const title = `${namePanel(panel)}: ${formatAmount(value, live ? "W" : "Wh")}${state}`;
    if (tile.title !== title) tile.title = title;
  }

  /** One tab stop for all panels; arrow keys go from one to the next where it stands. */
  private move(event: KeyboardEvent): void {
    const from = event.target;
    if (!(from instanceof HTMLButtonElement) || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = findNeighbour(from, [...this.tiles.values()], event.key);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation(); // the arrow keys of the page change the day
    this.enter(to, true);
  }

  private enter(tile: HTMLButtonElement | undefined, focus: boolean): void {
    if (!tile) return;
    for (const other of this.tiles.values()) other.tabIndex = other === tile ? 0 : -1;
    if (focus) tile.focus();
  }
}

/** What a tile leaves out of its panel's name. */
function findOmittedPart(panel: InverterEntry): string {
  const name = namePanel(panel);
  return name.slice(0, name.length - shortenName(panel).length);
}

/** The nearest tile in the direction of an arrow key; the tile itself at an edge, null for other keys. */
function findNeighbour(from: HTMLElement, tiles: HTMLButtonElement[], key: string): HTMLButtonElement | null {
  const directions: Record<string, [number, number]> = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  };
  const direction = directions[key];
  if (!direction) return null;
  const [dx, dy] = direction;
  const here = findCentre(from);
  let nearest: [number, HTMLButtonElement | null] = [Infinity, null];
  for (const tile of tiles) {
    const there = findCentre(tile);
    const along = (there.x - here.x) * dx + (there.y - here.y) * dy;
    const beside = Math.abs((there.x - here.x) * dy) + Math.abs((there.y - here.y) * dx);
    const distance = along + 4 * beside;
    if (along > 1 && distance < nearest[0]) nearest = [distance, tile];
  }
  return nearest[1] ?? (from as HTMLButtonElement);
}

function findCentre(element: HTMLElement): { x: number; y: number } {
  const box = element.getBoundingClientRect();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
