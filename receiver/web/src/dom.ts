/** Elements in one line. Text is always text: nothing that comes from the receiver is ever parsed as HTML. */

type ElementChild = Node | string | null;
type Attributes = Record<string, string | boolean | null>;

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element, its attributes (false or null: left out) and its children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: ElementChild[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element likewise. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: ElementChild[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag) as SVGElementTagNameMap[K], attributes, children);
}

/** Set the text only where it differs, so that nothing is laid out or announced again without need. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function fill<E extends Element>(element: E, attributes: Attributes, children: ElementChild[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child): child is Node | string => child !== null));
  return element;
}
