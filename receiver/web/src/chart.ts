/** Curves over a day, drawn by uPlot, with a legend in HTML that follows the pointer. */

import uPlot from "uplot";
import { formatAmount, formatMeasurement, formatShare, formatTicks } from "./format.ts";
import { formatClock, formatClocks, hasTwelveHours } from "./days.ts";
import { h, setText } from "./dom.ts";
import { texts } from "./locale.ts";

/** One curve: what it is called and which colour of the style sheet it has. */
export interface CurveLine {
  label: string;
  colour: string;
  filled?: boolean;
  dashed?: boolean;
  /** Its values are no watts but %: it has a scale of its own, and is left out where it has no value. */
  percent?: boolean;
  /** Its values are neither watts nor %, and its scale is as wide as they need. */
  unit?: "°C" | "V";
}

/** Values in W (or %) at times (seconds since 1970); null is unknown. */
export interface Curves {
  times: number[];
  values: (number | null)[][];
}

const STEPS_W = [100, 200, 250, 500, 1000, 2000, 2500, 5000, 10_000, 20_000, 50_000, 100_000];
const STEPS_PERCENT = [25, 50];
const TIMES_S = [300, 600, 900, 1800, ...[1, 2, 3, 4, 6, 12].map((hours) => hours * 3600)];
/** Nobody zooms in further: the curve has a point every five minutes. */
const SHORTEST_S = 3600;
/** A shorter drag is a click. */
const LEAST_DRAG_PX = 8;
/** A scale never ends below this: the noise of a quiet night is no mountain range. */
const LEAST_W = 250;
const STEPS_OTHER = [1, 2, 5, 10, 20, 50];
const MARGIN = 2; // °C or V beyond the values, so that a steady one is no mountain range either
const OTHER_SCALES: uPlot.Scales = Object.fromEntries((["°C", "V"] as const).map((unit) =>
  [unit, { range: (_: uPlot, low: number, high: number): uPlot.Range.MinMax => [low - MARGIN, high + MARGIN] }]));
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const FILL = "38"; // as the alpha of a colour, in hexadecimal

export class Chart {
  readonly element: HTMLElement;
  private readonly drawing = h("div", { class: "plot", role: "img" });
  private readonly readout: HTMLElement;
  private readonly time = h("span", { class: "at" });
  private readonly shown: HTMLElement[] = [];
  private readonly keys: HTMLElement[] = [];
  private plot: uPlot | null = null;
  private curves: Curves | null = null;
  private range: [number, number] = [0, 1];
  private zoomed: [number, number] | null = null;
  private pointed: number | null = null; // the time that was pointed at last
  private readonly closer = makeZoom("+", texts.curve.closer, () => this.showCloser());
  private readonly whole = makeZoom(texts.curve.whole, texts.curve.showWhole, () => this.showPart(null));
  private atRest: string[] | null = null;
  private hasPercent = false;
  private readonly resized = new ResizeObserver(() => this.resize());
  private readonly scheme = matchMedia("(prefers-color-scheme: dark)");
  private readonly redraw = (): void => this.draw();

  private readonly lines: CurveLine[];
  private zone: string;

  constructor(lines: CurveLine[], zone: string) {
    this.lines = lines;
    this.zone = zone;
    const entries = lines.map((line) => {
      const value = h("span", { class: "value" });
      this.shown.push(value);
      const key = h("span", { class: `key ${line.colour}${line.dashed ? " dashed" : ""}` }, line.label, " ", value);
      this.keys.push(key);
      return key;
    });
    this.readout = h("p", { class: "legend", "aria-hidden": "true" }, ...entries, this.time);
    this.whole.hidden = true;
    const zooms = h("div", { class: "zooms" }, this.whole, this.closer);
    this.element = h("div", { class: "chart" }, h("div", { class: "chart-head" }, this.readout, zooms), this.drawing);
    this.drawing.addEventListener("dblclick", () => this.showPart(null));
    this.resized.observe(this.drawing);
    this.scheme.addEventListener("change", this.redraw);
  }

  /**
   * Show curves from `start` to `stop` (seconds since 1970) on the clocks of `zone`; `summary` says it in words.
   *
   * @param atRest What the legend says of each line while nobody points at a time; null: the newest values.
   */
  show(curves: Curves, start: number, stop: number, zone: string, summary: string, atRest: string[] | null = null): void {
    const hasPercent = this.lines.some((line, i) => line.percent && this.isKnown(curves, i));
    const same = this.plot !== null && this.zone === zone && this.range[0] === start && this.range[1] === stop &&
      this.hasPercent === hasPercent;
    this.curves = curves;
    this.atRest = atRest;
    this.hasPercent = hasPercent;
    const anything = this.lines.some((_, i) => this.isKnown(curves, i));
    this.lines.forEach((line, i) => { this.keys[i]!.hidden = (line.percent === true || anything) && !this.isKnown(curves, i); });
    if (this.range[0] !== start) this.leaveZoom();
    this.range = [start, stop];
    this.zone = zone;
    this.drawing.setAttribute("aria-label", summary);
    if (same) this.plot?.setData([curves.times, ...curves.values]);
    else this.draw();
    this.read(null);
  }

  private isKnown(curves: Curves, index: number): boolean {
    return curves.values[index]?.some((value) => value !== null) ?? false;
  }

  destroy(): void {
    this.resized.disconnect();
    this.scheme.removeEventListener("change", this.redraw);
    this.plot?.destroy();
  }

  private draw(): void {
    this.plot?.destroy();
    this.plot = null;
    const width = this.drawing.clientWidth;
    if (this.curves === null || width === 0) return;
    this.plot = new uPlot(this.makeOptions(width), [this.curves.times, ...this.curves.values], this.drawing);
  }

  private resize(): void {
    if (this.plot === null) this.draw();
    else this.plot.setSize({ width: this.drawing.clientWidth, height: this.drawing.clientHeight });
  }

  private makeOptions(width: number): uPlot.Options {
    const style = getComputedStyle(this.drawing);
    const readColour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    const axis = { stroke: readColour("soft"), font: FONT, ticks: { show: false }, grid: { stroke: readColour("line"), width: 1 } };
    return {
      width,
      height: this.drawing.clientHeight,
      padding: [8, 20, 0, 0],
      legend: { show: false },
      tzDate: (second) => uPlot.tzDate(new Date(second * 1000), this.zone),
      cursor: { drag: { x: true, y: false, setScale: false, dist: LEAST_DRAG_PX }, points: { size: 7 }, y: false },
      scales: { x: { range: () => this.zoomed ?? this.range }, y: { range: (_, low, high) => [Math.min(0, low * 1.08), Math.max(LEAST_W, high * 1.08)] }, percent: { range: [0, 100] }, ...OTHER_SCALES },
      hooks: {
        setCursor: [(plot) => this.read(plot.cursor.idx ?? null)],
        setSelect: [(plot) => this.showSelection(plot)],
      },
      axes: [
        { ...axis, incrs: TIMES_S, space: hasTwelveHours() ? 58 : 44, size: 28, values: (_, ticks) => formatClocks(ticks.map((tick) => tick * 1000), this.zone) },
        { ...axis, show: this.lines.some((line) => !line.unit), incrs: STEPS_W, space: 36, size: 56, values: (_, ticks) => formatTicks(ticks, "W") },
        {
          ...axis, scale: "percent", side: 1, show: this.hasPercent, incrs: STEPS_PERCENT, size: 44, grid: { show: false },
          values: (_, ticks) => ticks.map((tick) => (tick === 0 ? "" : formatShare(tick / 100))), // the last clock stands there
        },
        ...this.lines.flatMap(({ unit }, i): uPlot.Axis[] => unit === undefined ? [] : [{
          ...axis, scale: unit, side: i === 0 ? 3 : 1, size: 56, space: 36, grid: { ...axis.grid, show: i === 0 },
          values: (_, ticks) => ticks.map((tick) => formatMeasurement(tick, unit, 0)), incrs: STEPS_OTHER,
        }]),
      ],
      series: [
        {},
        ...this.lines.map((line): uPlot.Series => ({
          stroke: readColour(line.colour),
          scale: line.unit ?? (line.percent ? "percent" : "y"),
          width: 2,
          points: { show: false },
          spanGaps: false,
          ...(line.filled ? { fill: readColour(line.colour) + FILL } : {}),
          ...(line.dashed ? { dash: [5, 4] } : {}),
        })),
      ],
    };
  }

  private showSelection(plot: uPlot): void {
    const { left, width } = plot.select;
    if (width < LEAST_DRAG_PX) return;
    const part: [number, number] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    queueMicrotask(() => this.showPart(part)); // uPlot is not done with the drag yet, and a new plot is drawn
  }

  /** Half of what is seen, around the time that was pointed at last. */
  private showCloser(): void {
    const [start, stop] = this.zoomed ?? this.range;
    const quarter = (stop - start) / 4;
    const centre = this.pointed !== null && this.pointed > start && this.pointed < stop ? this.pointed : (start + stop) / 2;
    this.showPart([centre - quarter, centre + quarter]);
  }

  /** Show a part of the day, at least an hour; null: all of it. */
  private showPart(part: [number, number] | null): void {
    if (part === null) this.leaveZoom();
    else {
      const [first, last] = this.range;
      const length = Math.max(SHORTEST_S, part[1] - part[0]);
      const start = Math.min(last - length, Math.max(first, (part[0] + part[1] - length) / 2));
      this.zoomed = [start, start + length];
      this.whole.hidden = false;
      this.closer.disabled = length <= SHORTEST_S;
    }
    this.draw();
  }

  private leaveZoom(): void {
    if (document.activeElement === this.whole) this.closer.focus();
    this.zoomed = null;
    this.whole.hidden = true;
    this.closer.disabled = false;
  }

  private format(index: number, value: number | null | undefined): string {
    const { unit } = this.lines[index]!;
    if (unit) return formatMeasurement(value, unit, unit === "V" ? 1 : 0);
    return this.lines[index]!.percent ? formatShare(typeof value === "number" ? value / 100 : null) : formatAmount(value, "W");
  }

  /** The legend's values: those under the pointer, else what is said at rest. */
  private read(index: number | null): void {
    const curves = this.curves;
    if (curves === null) return;
    if (index === null && this.atRest !== null) {
      this.shown.forEach((value, i) => setText(value, this.atRest![i] ?? texts.none));
      setText(this.time, "");
      return;
    }
    if (index !== null) this.pointed = curves.times[index] ?? null;
    const at = index ?? this.findNewest(curves);
    this.shown.forEach((value, i) => setText(value, at < 0 ? texts.none : this.format(i, curves.values[i]?.[at])));
    const time = curves.times[at];
    setText(this.time, time === undefined ? "" : formatClock(time * 1000, this.zone));
  }

  /** The newest moment of which every line has a value, but those that have none at all; -1: there is none. */
  private findNewest(curves: Curves): number {
    const measured = curves.values.filter((_, i) => !this.lines[i]?.percent && this.isKnown(curves, i));
    return measured.length === 0 ? -1 : curves.times.findLastIndex((_, i) => measured.every((values) => (values[i] ?? null) !== null));
  }
}

function makeZoom(text: string, label: string, act: () => void): HTMLButtonElement {
  const button = h("button", { type: "button", class: "quiet", "aria-label": label }, text);
  button.addEventListener("click", act);
  return button;
}
