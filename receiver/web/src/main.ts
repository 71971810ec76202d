/** The page: a session, the systems that it may see, and one of them shown. */

import "uplot/dist/uPlot.min.css";
import "./style.css";
import "./periods.css";
import "./roof.css";
import { ApiError, endSession, list } from "./api.ts";
import type { GatewayEntry, HouseEntry, ReaderSession } from "./schema.ts";
import { h } from "./dom.ts";
import { nameSystem } from "./header.ts";
import { HouseView } from "./house.ts";
import { language, texts } from "./locale.ts";
import { askForToken, askToReplace, findConflict, openSession, takeTokenOfAddress } from "./session.ts";
import { System } from "./system.ts";
import { SystemsView } from "./systems.ts";

const REMEMBERED = "gateway"; // in the address: a bookmark opens the same system
const REMEMBERED_HOUSE = "site"; // likewise, of a site of several gateways
const RETRY_MS = 3_000;

const root = document.getElementById("page")!;
let system: System | SystemsView | HouseView | null = null;
let shown: { wanted: string; session: ReaderSession } | null = null; // null: a list of all
let turn = 0; // counts what was asked for: an answer that comes after the next question changes nothing

async function start(token: string | null): Promise<void> {
  const mine = ++turn;
  try {
    const conflict = token === null ? null : await findConflict(token);
    if (mine !== turn) return;
    if (conflict !== null) {
      system?.end();
      system = null;
      askToReplace(root, conflict, () => void open(token), () => void open(null));
      return;
    }
  } catch {
    if (mine !== turn) return;
    wait(texts.session.silent, () => start(token));
    return;
  }
  await open(token);
}

async function open(token: string | null): Promise<void> {
  const mine = ++turn;
  try {
    const session = await openSession(token);
    if (mine === turn) await show(session, mine);
  } catch (error) {
    if (mine !== turn) return;
    if (error instanceof ApiError && error.unauthorised) ask(token ? texts.session.over : texts.session.firstAsk);
    else wait(texts.session.silent, () => open(token));
  }
}

async function show(session: ReaderSession, mine = ++turn): Promise<void> {
  const gateways = await list<GatewayEntry>("gateways");
  if (mine !== turn) return;
  const houses = gateways.length < 2 ? [] : await list<HouseEntry>("sites");
  if (mine !== turn) return;
  const entry = gateways.length === 1 ? gateways[0] : gateways.find((one) => one.gateway === findParameter(REMEMBERED));
  const house = entry === undefined ? houses.find((one) => one.site === findParameter(REMEMBERED_HOUSE)) : undefined;
  if (gateways.length === 0) {
    wait(texts.session.nothing, () => show(session));
    return;
  }
  system?.end();
  shown = { wanted: findWanted(), session };
  const actions = {
    choose: (serial: string | null) => choose(serial === null ? {} : { [REMEMBERED]: serial }, session),
    chooseHouse: (site: string) => choose({ [REMEMBERED_HOUSE]: site }, session),
    signOut: () => void endSession().finally(() => ask(texts.session.signedOut)),
    askAgain: () => ask(texts.session.over),
  };
  const name = house?.site ?? (entry === undefined ? texts.shared.systems : nameSystem(entry));
  document.title = name;
  nameInstallation(name);
  if (house !== undefined) system = new HouseView(root, house, session, actions);
  else system = entry === undefined ? new SystemsView(root, gateways, houses, actions) : new System(root, gateways, entry, session, actions);
}

/** Show what the parameters of the address name, or (none) the list of all; the address remembers it. */
function choose(wanted: Record<string, string>, session: ReaderSession): void {
  const query = new URLSearchParams(wanted).toString();
  history.pushState(null, "", query ? `?${query}` : location.pathname);
  void show(session);
}

/** What the page is called where it is installed. */
function nameInstallation(name: string): void {
  const link = document.querySelector("link[rel=manifest]");
  link?.setAttribute("href", `./manifest.webmanifest?${new URLSearchParams({ name }).toString()}`);
}

/** Which system or site the address names: another text for another one. */
function findWanted(): string {
  return JSON.stringify([findParameter(REMEMBERED), findParameter(REMEMBERED_HOUSE)]);
}

function findParameter(name: string): string | null {
  return new URLSearchParams(location.search).get(name);
}

function ask(reason: string): void {
  turn += 1;
  system?.end();
  system = null;
  askForToken(root, reason, () => void start(null));
}

function wait(reason: string, tryAgain: () => Promise<void>): void {
  root.replaceChildren(h("main", { class: "alone" }, h("p", { class: "card waiting", role: "status" }, reason)));
  const mine = turn;
  window.setTimeout(() => mine === turn && void tryAgain().catch(() => wait(reason, tryAgain)), RETRY_MS);
}

/** Back and forward between systems; within one, it goes there itself. */
window.addEventListener("popstate", () => {
  if (system !== null && shown !== null && shown.wanted !== findWanted()) void show(shown.session);
});

/** A link with a token that is opened in a tab that shows the page already. */
window.addEventListener("hashchange", () => {
  const token = takeTokenOfAddress();
  if (token !== null) void start(token);
});

document.documentElement.lang = language;
void start(takeTokenOfAddress());
