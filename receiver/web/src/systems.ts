/** Every system that the session may see, the worst first. */

import { ApiError, get, list, nameGatewayPath } from "./api.ts";
import { chooseZone } from "./days.ts";
import { h, setText } from "./dom.ts";
import { formatAge, formatAmount } from "./format.ts";
import { nameSystem } from "./header.ts";
import { listNotices } from "./health.ts";
import { texts } from "./locale.ts";
import { poll, type Poll } from "./poll.ts";
import { compareSystems, type SystemHealth } from "./ranking.ts";
import type { GatewayEntry, GatewayStatus } from "./schema.ts";

const REFRESH_S = 60;
/** The receiver answers so many questions of one token at once; more would only wait there. */
const AT_ONCE = 2;

interface Row extends SystemHealth {
  element: HTMLElement;
  power: HTMLElement;
  today: HTMLElement;
  heard: HTMLElement;
  said: HTMLElement;
}

export class SystemsView {
  private readonly search = h("input", { type: "search", "aria-label": texts.systems.search, placeholder: texts.systems.placeholder, class: "picker search" });
  private readonly body = h("ul", { class: "systems" });
  private readonly none = h("p", { class: "soft", role: "status" });
  private readonly rows = new Map<string, Row>();
  private readonly open: (serial: string) => void;
  private readonly refresh: Poll;
  private ended = false;

  /**
   * @param gateways All that the session may see.
   * @param open Called with the serial of the system that was chosen.
   */
  constructor(root: HTMLElement, gateways: GatewayEntry[], actions: { choose(serial: string): void; signOut(): void; askAgain(): void }) {
    this.open = actions.choose;
    const button = h("button", { type: "button", class: "quiet" }, texts.shared.signOut);
    button.addEventListener("click", actions.signOut);
    this.search.addEventListener("input", () => this.applySearch());
    root.replaceChildren(
      h("header", { class: "top" }, h("h1", {}, texts.shared.systems), h("div", { class: "days" }, this.search, button)),
      h("main", {}, this.none, this.body),
    );
    this.take(gateways);
    this.refresh = poll(() => this.read(), REFRESH_S, (error) => {
      if (error instanceof ApiError && error.status === 401) actions.askAgain();
      else setText(this.none, texts.shared.noConnection);
    });
  }

  end(): void {
    this.ended = true;
    this.refresh.stop();
  }

  private async read(): Promise<void> {
    const gateways = await list<GatewayEntry>("gateways");
    if (this.ended) return;
    this.take(gateways);
    const waiting = [...gateways];
    const readSome = async (): Promise<void> => {
      for (let entry = waiting.shift(); entry !== undefined && !this.ended; entry = waiting.shift()) {
        this.fill(await get<GatewayStatus>(nameGatewayPath(entry.gateway)));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, readSome));
    if (!this.ended) this.sort();
  }

  private take(gateways: GatewayEntry[]): void {
    for (const entry of gateways) {
      const row = this.rows.get(entry.gateway) ?? this.makeRow(entry);
      row.age = entry.age_seconds;
      setText(row.heard, texts.systems.heard(formatAge(entry.age_seconds)));
    }
    this.sort();
  }

  private makeRow(entry: GatewayEntry): Row {
    const [power, today, heard, said] = ["power", "today", "heard soft", "said"].map((name) => h("span", { class: name }));
    power!.textContent = today!.textContent = texts.none;
    const button = h(
      "button", { type: "button", class: "card system" },
      h("span", { class: "light", "aria-hidden": "true" }), h("strong", {}, nameSystem(entry)), said!,
      h("span", { class: "amount" }, texts.systems.now, power!), h("span", { class: "amount" }, texts.systems.today, today!), heard!,
    );
    button.addEventListener("click", () => this.open(entry.gateway));
    const row: Row = {
      serial: entry.gateway, name: nameSystem(entry), bad: 0, warnings: 0, age: entry.age_seconds,
      element: h("li", {}, button), power: power!, today: today!, heard: heard!, said: said!,
    };
    this.rows.set(entry.gateway, row);
    return row;
  }

  private fill(status: GatewayStatus): void {
    const row = this.rows.get(status.gateway);
    if (row === undefined || this.ended) return;
    const notices = listNotices(status, chooseZone(status.time_zone));
    row.bad = notices.filter((notice) => notice.level === "bad").length;
    row.warnings = notices.length - row.bad;
    row.age = status.age_seconds;
    const title = notices[0]?.title ?? "";
    setText(row.said, notices.length > 1 ? texts.systems.more(title, notices.length - 1) : title);
    setText(row.power, formatAmount(status.power.production_w, "W"));
    setText(row.today, formatAmount(status.today.production_wh, "Wh"));
    setText(row.heard, texts.systems.heard(formatAge(status.age_seconds)));
    row.element.querySelector(".light")!.className = `light ${row.bad ? "lost" : row.warnings ? "warned" : "live"}`;
  }

  private sort(): void {
    const sorted = [...this.rows.values()].sort(compareSystems).map((row) => row.element);
    const focused = document.activeElement;
    if (sorted.some((element, i) => this.body.children[i] !== element)) this.body.replaceChildren(...sorted);
    if (focused instanceof HTMLElement && this.body.contains(focused)) focused.focus();
    this.applySearch();
  }

  private applySearch(): void {
    const wanted = this.search.value.trim().toLocaleLowerCase();
    let shown = 0;
    for (const row of this.rows.values()) {
      const fits = `${row.name} ${row.serial}`.toLocaleLowerCase().includes(wanted);
      row.element.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    setText(this.none, shown === 0 ? texts.systems.noneFound : "");
  }
}
