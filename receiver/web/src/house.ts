/** A site of several gateways on the page: its sums now and over time, and the way to each gateway. */

import { ApiError, get, list, nameHousePath } from "./api.ts";
import { compareSpan } from "./comparison.ts";
import { CurveCard } from "./curve_card.ts";
import { chooseZone, findDate } from "./days.ts";
import { h, setText } from "./dom.ts";
import { ExportsView, listHouseFiles } from "./exports.ts";
import { describeFailure, nameWorst } from "./failures.ts";
import { FlowView } from "./flow.ts";
import { formatAge } from "./format.ts";
import { readHouseCurve, readHouseEnergy } from "./house_queries.ts";
import { isKnown } from "./known.ts";
import { texts } from "./locale.ts";
import { Navigator } from "./navigator.ts";
import { poll, type Poll } from "./poll.ts";
import type { HouseEntry, HousePower, ReaderSession, SilentGateway } from "./schema.ts";
import { computeKnownShare, type SpanKind } from "./spans.ts";
import { TilesView } from "./tiles.ts";
import { TimesView } from "./times.ts";

/** There is no stream of sums: the power is asked for so often. */
const POWER_S = 3;
/** Of older values the light says how old they are. */
const YOUNG_S = 10;
const ENERGY_S = 60;
const HOUSE_S = 60;
const KNOWN_S = 300;
/** The periods of a site: all years would be too much to sum again and again. */
const PERIODS = ["day", "week", "month", "year"] as const satisfies readonly SpanKind[];

export interface HouseActions {
  /** null: the list of all systems. */
  choose(serial: string | null): void;
  askAgain(): void;
}

export class HouseView {
  private readonly flow = new FlowView();
  private readonly tiles: TilesView;
  private readonly curve: CurveCard;
  private readonly exports: ExportsView;
  private readonly silent = h("ul", { class: "systems", role: "status" });
  private readonly members = h("ul", { class: "systems" });
  private readonly light = h("span", { class: "light waiting", "aria-hidden": "true" });
  private readonly state = h("span", { class: "state", role: "status" });
  private readonly navigator: Navigator;
  private readonly times: TimesView;
  private readonly polls: Poll[];
  private readonly energy: Poll;
  private readonly house: HouseEntry;
  private readonly zone: string;
  private readonly actions: HouseActions;
  private readonly handleKeys = (event: KeyboardEvent): void => this.navigator.handleKey(event);
  /** What failed, and what is said of it. */
  private readonly lost = new Map<string, string>();
  private power: HousePower | null = null;
  private isHouseMeasured = true; // until it is known that nobody measures the grid
  private ended = false;

  constructor(root: HTMLElement, house: HouseEntry, session: ReaderSession, actions: HouseActions) {
    this.house = house;
    this.actions = actions;
    this.zone = chooseZone(house.time_zone);
    this.tiles = new TilesView(house.currency);
    const serials = house.gateways.map((one) => one.gateway);
    this.navigator = new Navigator(serials, this.zone, PERIODS, () => this.showSpan(), () => this.energy.runNow());
    this.times = new TimesView(PERIODS, this.navigator);
    this.curve = new CurveCard(this.zone, house.currency, (date) => this.navigator.openBar(date));
    this.exports = new ExportsView(listHouseFiles(house), house.site, session.file_formats);
    this.tiles.element.append(this.exports.element);
    root.replaceChildren(this.makeHeader(), h("main", {}, this.silent,
      h("div", { class: "layout" }, this.flow.element, this.curve.element, this.tiles.element,
        h("section", { class: "card about", "aria-labelledby": "members-title" },
          h("h2", { id: "members-title" }, texts.house.gateways), this.members))));
    this.showHouse(house);
    this.showSpan();
    this.energy = this.startPoll("energy", ENERGY_S, () => this.readEnergy());
    this.polls = [
      this.startPoll("power", POWER_S, () => this.readPower()), this.energy,
      this.startPoll("house", HOUSE_S, () => this.readHouse()),
      this.startPoll("known", KNOWN_S, () => this.readKnown()),
    ];
    document.addEventListener("keydown", this.handleKeys);
  }

  end(): void {
    this.ended = true;
    for (const one of this.polls) one.stop();
    this.navigator.end();
    this.curve.destroy();
    document.removeEventListener("keydown", this.handleKeys);
  }

  private makeHeader(): HTMLElement {
    const back = h("button", { type: "button", class: "quiet back" }, texts.header.allSystems);
    back.addEventListener("click", () => this.actions.choose(null));
    return h("header", { class: "top" },
      h("div", { class: "title" }, h("div", { class: "titled" }, back, h("h1", {}, this.house.site)), h("p", { class: "live" }, this.light, this.state)),
      this.times.element);
  }

  private showSpan(): void {
    const span = this.navigator.findSpan();
    this.exports.show(span);
    this.times.show(span, this.navigator.known.first, findDate(Date.now(), this.zone));
  }

  private startPoll(name: string, seconds: number, work: () => Promise<void>): Poll {
    const workAndNote = async (): Promise<void> => {
      await work();
      this.lost.delete(name);
      this.showState();
    };
    return poll(workAndNote, seconds, (error) => {
      if (error instanceof ApiError && error.status === 401) this.actions.askAgain();
      this.lost.set(name, describeFailure(error));
      this.showState();
    });
  }

  /** Live: the newest values are young, and no gateway is missing in the sums. */
  private showState(): void {
    const { power } = this;
    const isYoung = power !== null && power.age_seconds !== null && power.age_seconds < YOUNG_S;
    const isLive = isYoung && power.silent.length === 0 && power.production_w !== null;
    const state = this.lost.size > 0 ? "lost" : isLive ? "live" : "waiting";
    const last = power !== null && power.age_seconds !== null && !isYoung ? texts.header.lastValues(formatAge(power.age_seconds)) : texts.header.waiting;
    this.light.className = `light ${state}`;
    setText(this.state, { live: texts.header.live, waiting: last, lost: nameWorst(this.lost.values()) }[state]);
  }

  private async readPower(): Promise<void> {
    const power = await get<HousePower>(nameHousePath(this.house.site, "/power"));
    if (this.ended) return;
    this.power = power;
    const now = { production: power.production_w, load: power.load_w, net: power.net_w, battery: power.battery_w };
    this.isHouseMeasured = power.load_w !== null || power.net_w !== null || power.silent.length > 0;
    this.flow.show(now, Object.values(now).some((one) => one !== null), power.state_of_charge, this.isHouseMeasured);
    this.showSilent(power.silent);
  }

  private async readEnergy(): Promise<void> {
    const span = this.navigator.findSpan();
    const [curve, table] = await Promise.all([
      span.kind === "day" ? readHouseCurve(this.house, span) : null, readHouseEnergy(this.house.site, span),
    ]);
    if (this.ended || !this.navigator.isShown(span)) return;
    this.showSpan(); // after midnight it is another one
    const whole = table.windows.length === 1 ? table.windows[0]! : table.total;
    const energy = isKnown(whole) ? whole : null;
    if (curve === null) this.curve.showSpan(span, table);
    else this.curve.showDay(span, curve, energy);
    const coverage = Math.max(whole.production_coverage, whole.load_coverage);
    this.tiles.show(energy, span, computeKnownShare(coverage, span, Date.now(), this.navigator.known.first), this.isHouseMeasured);
    this.exports.showCoverage(span, table, this.navigator.known.first);
    const found = await compareSpan(table, span, (other) => readHouseEnergy(this.house.site, other));
    if (!this.ended && this.navigator.isShown(span)) this.tiles.compare(found);
  }

  private async readKnown(): Promise<void> {
    await this.navigator.readKnown();
    if (!this.ended) this.showSpan();
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
