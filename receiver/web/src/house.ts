/** A site of several gateways on the page: its sums now and over time, and the way to each gateway. */

import { ApiError, get, list, nameHousePath } from "./api.ts";
import { BarsView } from "./bars.ts";
import { chooseZone, findDate } from "./days.ts";
import { h, setText } from "./dom.ts";
import { FlowView } from "./flow.ts";
import { formatAge } from "./format.ts";
import { isKnown } from "./known.ts";
import { texts } from "./locale.ts";
import { Navigator } from "./navigator.ts";
import { poll, type Poll } from "./poll.ts";
import type { HouseEnergyTable, HouseEntry, HousePower, SilentGateway } from "./schema.ts";
import { computeKnownShare, type Span, type SpanKind } from "./spans.ts";
import { TilesView } from "./tiles.ts";
import { TimesView } from "./times.ts";

const POWER_S = 5;
const ENERGY_S = 60;
const HOUSE_S = 60;
const KNOWN_S = 300;
/** The periods of a site: all years would be summed from their quarter hours again and again. */
const PERIODS = ["day", "week", "month", "year"] as const satisfies readonly SpanKind[];

export interface HouseActions {
  /** null: the list of all systems. */
  choose(serial: string | null): void;
  askAgain(): void;
}

export class HouseView {
  private readonly flow = new FlowView();
  private readonly tiles: TilesView;
  private readonly bars: BarsView;
  private readonly title = h("h2", { id: "curve-title" });
  private readonly card: HTMLElement;
  private readonly silent = h("ul", { class: "systems", role: "status" });
  private readonly members = h("ul", { class: "systems" });
  private readonly state = h("span", { class: "state", role: "status" });
  private readonly navigator: Navigator;
  private readonly times: TimesView;
  private readonly polls: Poll[];
  private readonly energy: Poll;
  private readonly house: HouseEntry;
  private readonly zone: string;
  private readonly actions: HouseActions;
  private readonly handleKeys = (event: KeyboardEvent): void => this.navigator.handleKey(event);
  private isHouseMeasured = true; // until it is known that nobody measures the grid
  private ended = false;

  constructor(root: HTMLElement, house: HouseEntry, actions: HouseActions) {
    this.house = house;
    this.actions = actions;
    this.zone = chooseZone(house.time_zone);
    this.tiles = new TilesView(house.currency);
    const serials = house.gateways.map((one) => one.gateway);
    this.navigator = new Navigator(serials, this.zone, PERIODS, () => this.showSpan(), () => this.energy.runNow());
    this.times = new TimesView(PERIODS, this.navigator);
    this.bars = new BarsView(house.currency, (date) => this.navigator.openBar(date));
    this.card = h("section", { class: "card curve", "aria-labelledby": "curve-title" }, this.title, this.bars.element);
    root.replaceChildren(this.makeHeader(), h("main", {}, this.silent,
      h("div", { class: "layout" }, this.flow.element, this.card, this.tiles.element,
        h("section", { class: "card about", "aria-labelledby": "members-title" },
          h("h2", { id: "members-title" }, texts.house.gateways), this.members))));
    this.showHouse(house);
    this.showSpan();
    this.energy = this.startPoll(ENERGY_S, () => this.readEnergy());
    this.polls = [
      this.startPoll(POWER_S, () => this.readPower()), this.energy, this.startPoll(HOUSE_S, () => this.readHouse()),
      this.startPoll(KNOWN_S, () => this.readKnown()),
    ];
    document.addEventListener("keydown", this.handleKeys);
  }

  end(): void {
    this.ended = true;
    for (const one of this.polls) one.stop();
    this.navigator.end();
    document.removeEventListener("keydown", this.handleKeys);
  }

  private makeHeader(): HTMLElement {
    const back = h("button", { type: "button", class: "quiet back" }, texts.header.allSystems);
    back.addEventListener("click", () => this.actions.choose(null));
    return h("header", { class: "top" },
      h("div", { class: "title" }, h("div", { class: "titled" }, back, h("h1", {}, this.house.site)), h("p", { class: "live" }, this.state)),
      this.times.element);
  }

  private showSpan(): void {
    const span = this.navigator.findSpan();
    this.times.show(span, this.navigator.known.first, findDate(Date.now(), this.zone));
    this.card.hidden = span.kind === "day"; // a day is one bar: the tiles say it
  }

  private startPoll(seconds: number, work: () => Promise<void>): Poll {
    const workAndNote = async (): Promise<void> => {
      await work();
      setText(this.state, "");
    };
    return poll(workAndNote, seconds, (error) => {
      if (error instanceof ApiError && error.status === 401) this.actions.askAgain();
      else setText(this.state, texts.shared.noConnection);
    });
  }

  private async readPower(): Promise<void> {
    const power = await get<HousePower>(nameHousePath(this.house.site, "/power"));
    if (this.ended) return;
    const now = { production: power.production_w, load: power.load_w, net: power.net_w, battery: power.battery_w };
    this.isHouseMeasured = power.load_w !== null || power.net_w !== null || power.silent.length > 0;
    this.flow.show(now, Object.values(now).some((one) => one !== null), power.state_of_charge, this.isHouseMeasured);
    this.showSilent(power.silent);
  }

  private async readEnergy(): Promise<void> {
    const span = this.navigator.findSpan();
    const stop: Record<string, string> = span.isCurrent ? {} : { stop: span.next };
    const table = await get<HouseEnergyTable>(
      nameHousePath(this.house.site, "/energy"), { every: span.every, start: span.date, ...stop, time_zone: span.zone },
    );
    if (this.ended || !this.navigator.isShown(span)) return;
    this.showSpan(); // after midnight it is another one
    this.showEnergy(span, table);
  }

  private async readKnown(): Promise<void> {
    await this.navigator.readKnown();
    if (!this.ended) this.showSpan();
  }

  private showEnergy(span: Span, table: HouseEnergyTable): void {
    const whole = table.windows.length === 1 ? table.windows[0]! : table.total;
    const known = isKnown(whole) ? whole : null;
    const share = span.kind === "day" ? Math.min(whole.production_coverage, whole.load_coverage || 1) : 1;
    this.tiles.show(known, span, computeKnownShare(share, span, Date.now(), null), this.isHouseMeasured);
    if (span.kind === "day") return;
    setText(this.title, span.name);
    this.bars.show({ ...table, gateway: table.site }, span);
  }

  private async readHouse(): Promise<void> {
    const house = (await list<HouseEntry>("sites")).find((one) => one.site === this.house.site);
    if (this.ended) return;
    if (house === undefined) this.actions.choose(null); // the sites file names it no more
    else this.showHouse(house);
  }

  private showHouse(house: HouseEntry): void {
    this.showSilent(house.silent);
    this.members.replaceChildren(...house.gateways.map((one) => {
      const button = h("button", { type: "button", class: "card system", "data-serial": one.gateway },
        h("strong", {}, one.name ?? texts.shared.nameGateway(one.gateway)),
        h("span", { class: "heard soft" }, texts.systems.heard(formatAge(one.age_seconds))));
      button.addEventListener("click", () => this.actions.choose(one.gateway));
      return h("li", {}, button);
    }));
  }

  private showSilent(silent: SilentGateway[]): void {
    const said = silent.map((one) => describeSilence(one, Date.now()));
    if (this.silent.textContent === said.join("")) return;
    this.silent.replaceChildren(...said.map((text) => h("li", { class: "card bad" }, text)));
  }
}

/** Which gateway is silent, and for how long at `now` (ms since 1970). */
export function describeSilence(silent: SilentGateway, now: number): string {
  const name = silent.name ?? texts.shared.nameGateway(silent.gateway);
  return silent.since === null ? texts.house.unheard(name) : texts.house.silent(name, formatAge((now - silent.since) / 1000));
}
