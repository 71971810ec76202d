/** The live power flow: sun, house, grid and battery, with what moves between them. */

import { formatAmount, formatShare } from "./format.ts";
import { computeFlows, type Flows, type SiteNow } from "./flows.ts";
import { h, s, setText } from "./dom.ts";
import { texts } from "./locale.ts";

type FlowPlace = "sun" | "grid" | "house" | "battery";

const ICONS: Record<FlowPlace, string> = {
  sun: "M12 7.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9ZM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22M4.9 4.9l1.8 1.8M17.3 17.3l1.8 1.8M4.9 19.1l1.8-1.8M17.3 6.7l1.8-1.8",
  grid: "M12 2 7 22M12 2l5 20M4 8h16M4 8v2M20 8v2M5.5 13.5h13M8 18l7.5-4.5M16 18l-7.5-4.5",
  house: "M3.5 11.5 12 4l8.5 7.5M6 9.5V20h12V9.5M10 20v-5.5h4V20",
  battery: "M7 5h10v16H7ZM10 5V2.5h4V5M10 17h4M10 13h4",
};

/** Lines in a field of 400 by 250 (with battery 340); each is drawn in the direction in which power goes. */
const LINES: Record<keyof Flows, string> = {
  sunToHouse: "M206 58C206 150 250 178 346 178",
  sunToGrid: "M194 58C194 150 150 178 54 178",
  gridToHouse: "M54 186H346",
  sunToBattery: "M200 58V300",
  batteryToHouse: "M206 300C206 230 250 194 346 194",
  gridToBattery: "M54 194C150 194 194 230 194 300",
  batteryToGrid: "M194 300C194 230 150 194 54 194",
};
const WITH_BATTERY: ReadonlySet<string> = new Set(["sunToBattery", "batteryToHouse", "gridToBattery", "batteryToGrid"]);
const SLOWEST_S = 6;
const FASTEST_S = 1.2;
const FULL_W = 6_000;
/** Less than this is the meters' noise. */
const LEAST_W = 10;
/** How often a screen reader hears of it. */
const SPOKEN_MS = 60_000;

export class FlowView {
  readonly element: HTMLElement;
  private readonly lines = new Map<keyof Flows, SVGPathElement>();
  private readonly values = new Map<FlowPlace, HTMLElement>();
  private readonly words = new Map<FlowPlace, HTMLElement>();
  private readonly spoken = h("p", { class: "hidden", "aria-live": "polite" });
  private readonly field: HTMLElement;
  private spokenAt = -SPOKEN_MS;

  constructor() {
    const tracks = Object.entries(LINES).map(([name, path]) =>
      s("path", { d: path, class: WITH_BATTERY.has(name) ? "track only-battery" : "track" }));
    const moving = (Object.keys(LINES) as (keyof Flows)[]).map((name) => {
      const line = s("path", { d: LINES[name], class: `flow from-${name.split("To")[0]}` });
      this.lines.set(name, line);
      return line;
    });
    this.field = h(
      "div", { class: "flow-field" },
      s("svg", { viewBox: "0 0 400 350", class: "flow-lines", "aria-hidden": "true" }, ...tracks, ...moving),
      ...(Object.keys(ICONS) as FlowPlace[]).map((place) => this.makeNode(place)),
    );
    this.element = h(
      "section", { class: "card now", "aria-labelledby": "now-title" },
      h("h2", { id: "now-title" }, texts.flow.title), this.field, this.spoken,
    );
  }

  /**
   * Show the site at this moment.
   *
   * @param fresh false: what is shown is old.
   * @param charge How full the battery is, in %.
   * @param isHouseMeasured false: there is no meter of the house, so it and the grid are left out.
   */
  show(now: SiteNow, fresh: boolean, charge: number | null, isHouseMeasured: boolean): void {
    this.field.classList.toggle("sun-only", !isHouseMeasured);
    this.field.classList.toggle("has-battery", now.battery !== null || charge !== null);
    this.field.classList.toggle("stale", !fresh);
    this.set("sun", now.production === null ? null : Math.max(0, now.production), "");
    this.set("house", now.load, "");
    this.set("grid", now.net === null ? null : Math.abs(now.net), nameDirection(now.net, texts.flow.buying, texts.flow.selling));
    const words = [nameDirection(now.battery, texts.flow.giving, texts.flow.charging), charge === null ? "" : formatShare(charge / 100)];
    this.set("battery", now.battery === null ? null : Math.abs(now.battery), words.filter(Boolean).join(" "));
    const flows = computeFlows(now);
    for (const [name, line] of this.lines) {
      const power = flows[name];
      const moves = fresh && power >= LEAST_W;
      line.classList.toggle("moves", moves);
      if (moves) line.style.setProperty("--pace", `${computePace(power)}s`);
    }
    this.speak(now, fresh, isHouseMeasured);
  }

  private makeNode(place: FlowPlace): HTMLElement {
    const value = h("strong", {}, texts.none);
    const word = h("span", { class: "word" });
    this.values.set(place, value);
    this.words.set(place, word);
    return h(
      "div", { class: `node ${place}`, "data-place": place },
      s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, s("path", { d: ICONS[place] })),
      h("span", { class: "name" }, texts.flow.places[place]), value, word,
    );
  }

  private set(place: FlowPlace, power: number | null, word: string): void {
    setText(this.values.get(place)!, formatAmount(power, "W"));
    setText(this.words.get(place)!, word);
  }

  /** Not with every second: a screen reader would never be silent. */
  private speak(now: SiteNow, fresh: boolean, isHouseMeasured: boolean): void {
    const time = performance.now();
    if (!fresh || time - this.spokenAt < SPOKEN_MS) return;
    this.spokenAt = time;
    const { buying, selling, speak } = texts.flow;
    const grid = now.net === null ? null : `${now.net >= 0 ? buying : selling} ${formatAmount(Math.abs(now.net), "W")}`;
    const used = isHouseMeasured ? formatAmount(now.load, "W") : null;
    setText(this.spoken, speak(formatAmount(now.production, "W"), used, grid));
  }
}

function nameDirection(power: number | null, positive: string, negative: string): string {
  if (power === null || Math.abs(power) < LEAST_W) return "";
  return power > 0 ? positive : negative;
}

/** Seconds of one round of the moving dots: in steps, because a changed duration makes them jump. */
function computePace(power: number): number {
  const share = Math.min(1, Math.sqrt(power / FULL_W));
  return Math.round((SLOWEST_S - share * (SLOWEST_S - FASTEST_S)) * 2) / 2;
}
