/** Every system that the session may see, the worst first. */

import { ApiError, get, list, nameGatewayPath, nameHousePath } from "./api.ts";
import { chooseZone } from "./days.ts";
import { h, setText } from "./dom.ts";
import { describeFailure } from "./failures.ts";
import { formatAge, formatAmount } from "./format.ts";
import { nameSystem } from "./header.ts";
import { describeSilence } from "./house.ts";
import { listNotices } from "./health.ts";
import { texts } from "./locale.ts";
import { poll, type Poll } from "./poll.ts";
import { compareSystems, type SystemHealth } from "./ranking.ts";
import type { GatewayEntry, GatewayStatus, HouseEnergyTable, HouseEntry, HousePower } from "./schema.ts";

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
  private readonly houses = new Map<string, Row>();
  private readonly open: (serial: string) => void;
  private readonly openHouse: (site: string) => void;
  private readonly refresh: Poll;
  private ended = false;

  /**
   * @param gateways All that the session may see.
   * @param houses The sites of several gateways among them.
   * @param actions `choose` is called with the serial of the system that was chosen, `chooseHouse` with the site.
   */
  constructor(
    root: HTMLElement, gateways: GatewayEntry[], houses: HouseEntry[],
    actions: { choose(serial: string): void; chooseHouse(site: string): void; signOut(): void; askAgain(): void },
  ) {
    this.open = actions.choose;
    this.openHouse = actions.chooseHouse;
    const button = h("button", { type: "button", class: "quiet" }, texts.shared.signOut);
    button.addEventListener("click", actions.signOut);
    this.search.addEventListener("input", () => this.applySearch());
    root.replaceChildren(
      h("header", { class: "top" }, h("h1", {}, texts.shared.systems), h("div", { class: "days" }, this.search, button)),
      h("main", {}, this.none, this.body),
    );
    this.take(gateways);
    this.takeHouses(houses);
    this.refresh = poll(() => this.read(), REFRESH_S, (error) => {
      if (error instanceof ApiError && error.status === 401) actions.askAgain();
      else setText(this.none, describeFailure(error));
    });
  }

  end(): void {
    this.ended = true;
    this.refresh.stop();
  }

  private async read(): Promise<void> {
    const [gateways, houses] = await Promise.all([list<GatewayEntry>("gateways"), list<HouseEntry>("sites")]);
    if (this.ended) return;
    this.take(gateways);
    this.takeHouses(houses);
    const waiting = [...gateways];
    const readSome = async (): Promise<void> => {
      for (let entry = waiting.shift(); entry !== undefined && !this.ended; entry = waiting.shift()) {
        this.fill(await get<GatewayStatus>(nameGatewayPath(entry.gateway)));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, readSome));
    for (const house of houses) await this.fillHouse(house);
    if (!this.ended) this.sort();
  }

  private take(gateways: GatewayEntry[]): void {
    for (const entry of gateways) {
      const row = this.rows.get(entry.gateway) ?? this.makeRow(entry.gateway, nameSystem(entry), () => this.open(entry.gateway));
      this.rows.set(entry.gateway, row);
      row.age = entry.age_seconds;
      setText(row.heard, texts.systems.heard(formatAge(entry.age_seconds)));
    }
    this.sort();
  }

  private takeHouses(houses: HouseEntry[]): void {
    for (const house of houses) {
      const row = this.houses.get(house.site) ?? this.makeRow("", house.site, () => this.openHouse(house.site));
      this.houses.set(house.site, row);
      row.age = Math.max(...house.gateways.map((one) => one.age_seconds ?? Infinity));
      setText(row.heard, texts.systems.heard(formatAge(Number.isFinite(row.age) ? row.age : null)));
    }
    this.sort();
  }

  /** A site is as bad as its worst gateway. */
  private async fillHouse(house: HouseEntry): Promise<void> {
    const row = this.houses.get(house.site)!;
    const [power, table] = await Promise.all([
      get<HousePower>(nameHousePath(house.site, "/power")),
      get<HouseEnergyTable>(nameHousePath(house.site, "/energy"), { every: "1d", start: "today", time_zone: chooseZone(house.time_zone) }),
    ]);
    if (this.ended) return;
    const members = house.gateways.map((one) => this.rows.get(one.gateway)).filter((one) => one !== undefined).sort(compareSystems);
    row.bad = Math.max(house.silent.length, ...members.map((one) => one.bad));
    row.warnings = Math.max(0, ...members.map((one) => one.warnings));
    const silence = house.silent[0];
    setText(row.said, silence ? describeSilence(silence, Date.now()) : members[0]?.said.textContent ?? "");
    setText(row.power, formatAmount(power.production_w, "W"));
    setText(row.today, formatAmount(table.total.production_wh, "Wh"));
    showLight(row);
  }

  private makeRow(serial: string, name: string, open: () => void): Row {
    const [power, today, heard, said] = ["power", "today", "heard soft", "said"].map((name) => h("span", { class: name }));
    power!.textContent = today!.textContent = texts.none;
    const button = h(
      "button", { type: "button", class: "card system" },
      h("span", { class: "light", "aria-hidden": "true" }), h("strong", {}, name), said!,
      h("span", { class: "amount" }, texts.systems.now, power!), h("span", { class: "amount" }, texts.systems.today, today!), heard!,
    );
    button.addEventListener("click", open);
    return {
      serial, name, bad: 0, warnings: 0, age: 0,
      element: h("li", {}, button), power: power!, today: today!, heard: heard!, said: said!,
    };
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
    // reports of panels outlive the gateway by minutes: they say nothing of now
    setText(row.power, formatAmount(status.open_gap_since === null ? status.power.production_w : null, "W"));
    setText(row.today, formatAmount(status.today.production_wh, "Wh"));
    setText(row.heard, texts.systems.heard(formatAge(status.age_seconds)));
    showLight(row);
  }

  private sort(): void {
    const sorted = this.listRows().sort(compareSystems).map((row) => row.element);
    const focused = document.activeElement;
    if (sorted.some((element, i) => this.body.children[i] !== element)) this.body.replaceChildren(...sorted);
    if (focused instanceof HTMLElement && this.body.contains(focused)) focused.focus();
    this.applySearch();
  }

  private listRows(): Row[] {
    return [...this.houses.values(), ...this.rows.values()];
  }

  private applySearch(): void {
    const wanted = this.search.value.trim().toLocaleLowerCase();
    let shown = 0;
    for (const row of this.listRows()) {
      const fits = `${row.name} ${row.serial}`.toLocaleLowerCase().includes(wanted);
      row.element.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    setText(this.none, shown === 0 ? texts.systems.noneFound : "");
  }
}

function showLight(row: Row): void {
  row.element.querySelector(".light")!.className = `light ${row.bad ? "lost" : row.warnings ? "warned" : "live"}`;
}
