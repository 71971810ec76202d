/** Where the reader is in time: in the address, so that going back, bookmarks and sharing work. */

import { findDate, addDays } from "./days.ts";
import { KnownDays, OLDEST } from "./known.ts";
import { findSpan, isDate, type Span, type SpanKind } from "./spans.ts";

/** Who holds an arrow key down wants to see the day where they let go. */
const STEP_MS = 150;

export class Navigator {
  readonly known: KnownDays;
  private readonly zone: string;
  private readonly kinds: readonly SpanKind[];
  private readonly show: () => void;
  private readonly read: () => void;
  private kind: SpanKind = "day";
  private date: string | null = null; // null: today, also after midnight
  private steps: Promise<void> = Promise.resolve();
  private timer = 0;
  private readonly goBack = (): void => {
    window.clearTimeout(this.timer);
    this.takeAddress();
    this.show();
    this.read();
  };

  /**
   * @param serials Of the gateways whose readings count.
   * @param kinds The periods that there are.
   * @param show Called at once when another span is chosen.
   * @param read Called when the reader stays there.
   */
  constructor(serials: readonly string[], zone: string, kinds: readonly SpanKind[], show: () => void, read: () => void) {
    this.known = new KnownDays(serials);
    this.zone = zone;
    this.kinds = kinds;
    this.show = show;
    this.read = read;
    this.takeAddress();
    window.addEventListener("popstate", this.goBack);
  }

  /** Read when the readings begin, before which there is nothing to show. Throws ApiError. */
  async readKnown(): Promise<void> {
    await this.known.readFirst();
    if (!this.clampDate()) return;
    this.writeAddress("replaceState");
    this.show();
    this.read();
  }

  end(): void {
    window.clearTimeout(this.timer);
    window.removeEventListener("popstate", this.goBack);
  }

  findSpan(): Span {
    return findSpan(this.kind, this.date, Date.now(), this.zone, this.known.first);
  }

  /** The nearest span with readings before (-1) or after (1) this one. */
  walk(direction: 1 | -1): void {
    this.steps = this.steps.then(() => this.walkNow(direction));
  }

  choose(kind: SpanKind): void {
    this.goTo(this.date, kind);
  }

  /** Go where a key says, unless it belongs to what has the focus. */
  handleKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target instanceof HTMLElement && event.target.closest("input, select, textarea, .scroll")) return;
    if (event.key === "ArrowLeft") this.walk(-1);
    else if (event.key === "ArrowRight") this.walk(1);
    else if (event.key === "Home") this.goTo(null);
    else return;
    event.preventDefault();
  }

  /** Open a bar: the span of the next finer kind that holds a date. */
  openBar(date: string): void {
    this.goTo(date, this.kind === "all" ? "year" : this.kind === "year" ? "month" : "day");
  }

  /** Whether a span is still the one to show: readers walk on while answers are on their way. */
  isShown(span: Span): boolean {
    const now = this.findSpan();
    return now.kind === span.kind && now.date === span.date;
  }

  /** Show the span that holds a date (null: today); `kind` chooses another one. */
  goTo(date: string | null, kind: SpanKind = this.kind): void {
    this.kind = kind;
    this.date = date === null || date >= this.findToday() ? null : date;
    this.clampDate();
    this.settle();
  }

  /** Leave a span that ended before the first reading for the one with the first reading; whether that was so. */
  private clampDate(): boolean {
    const { first } = this.known;
    if (this.date === null || first === null || this.findSpan().next > first) return false;
    this.date = first;
    return true;
  }

  private async walkNow(direction: 1 | -1): Promise<void> {
    const span = this.findSpan();
    if (span.kind === "all" || (span.isCurrent && direction > 0)) return;
    const wanted = direction > 0 ? span.next : addDays(span.date, -1);
    let found: string | null;
    try {
      found = await this.known.findNearest(wanted, direction);
    } catch {
      found = wanted; // the receiver is away: the page says so, and the reader may walk on
    }
    if (found === null && direction < 0) return;
    this.goTo(found);
  }

  private settle(): void {
    this.show();
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.writeAddress("pushState");
      this.read();
    }, STEP_MS);
  }

  private findToday(): string {
    return findDate(Date.now(), this.zone);
  }

  /** Take what the address says, as far as there is such a time, and let it say that alone. */
  private takeAddress(): void {
    const query = new URLSearchParams(location.search);
    const date = query.get("date") ?? "";
    this.kind = this.kinds.find((kind) => kind === query.get("period")) ?? "day";
    this.date = isDate(date) && date < this.findToday() ? (date < OLDEST ? OLDEST : date) : null;
    this.clampDate();
    this.writeAddress("replaceState");
  }

  private writeAddress(way: "pushState" | "replaceState"): void {
    const query = new URLSearchParams(location.search);
    query.delete("period");
    query.delete("date");
    if (this.kind !== "day") query.set("period", this.kind);
    if (this.date !== null) query.set("date", this.date);
    const text = query.toString();
    const search = text ? `?${text}` : "";
    if (search !== location.search) history[way](null, "", location.pathname + search);
  }
}
