/** What needs a person, above everything else. Announced when it changes, not again and again. */

import { h } from "./dom.ts";
import type { PageNotice } from "./health.ts";

export class Banner {
  readonly element = h("div", { class: "banners", role: "status" });
  private shown = "";

  show(found: PageNotice[]): void {
    const titles = JSON.stringify(found.map((notice) => [notice.level, notice.title]));
    if (titles === this.shown) return;
    this.shown = titles;
    this.element.replaceChildren(...found.map((notice) => h(
      "div", { class: `banner ${notice.level}` },
      h("strong", {}, notice.title), h("p", {}, notice.advice),
    )));
  }
}
