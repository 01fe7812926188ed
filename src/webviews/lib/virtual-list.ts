/** Shows a window of a long list: only the rows in sight are in the page, so that its length costs nothing. */

export interface VirtualListOptions<T> {
  /** The element that scrolls. */
  readonly viewport: HTMLElement;
  /** The element within it that is as high as the whole list. */
  readonly canvas: HTMLElement;
  /** In CSS pixels. */
  readonly rowHeight: number;
  /** Makes a row's element; `before` is the element that showed the same key until now. */
  readonly render: (item: T, index: number, before: HTMLElement | undefined) => HTMLElement;
  readonly keyOf: (item: T) => number | string;
  /** Asks for rows that are not there; `end` is exclusive. */
  readonly request: (start: number, end: number) => void;
}

/** Rows that are kept ready above and below those in sight. */
const margin = 40;

export class VirtualList<T> {
  private total = 0;
  private items = new Map<number, T>();
  private shown = new Map<number | string, HTMLElement>();
  private asked = { start: 0, end: 0 };
  private scheduled = false;

  constructor(private readonly options: VirtualListOptions<T>) {
    options.viewport.addEventListener('scroll', () => this.schedule(), { passive: true });
    new ResizeObserver(() => this.schedule()).observe(options.viewport);
  }

  /** Another list: nothing that was known of rows holds, but elements are used again. */
  reset(total: number, start: number, items: readonly T[]): void {
    this.total = total;
    this.items = new Map(items.map((item, index) => [start + index, item]));
    this.asked = { start, end: start + items.length };
    this.options.canvas.style.height = `${total * this.options.rowHeight}px`;
    this.draw();
  }

  add(start: number, items: readonly T[]): void {
    for (const [index, item] of items.entries()) this.items.set(start + index, item);
    this.draw();
  }

  item(index: number): T | undefined {
    return this.items.get(index);
  }

  /** The known rows with their places. */
  known(): Iterable<[number, T]> {
    return this.items.entries();
  }

  /** The rows that fit into the viewport. */
  get page(): number {
    return Math.max(1, Math.floor(this.options.viewport.clientHeight / this.options.rowHeight) - 1);
  }

  get range(): { readonly start: number; readonly end: number } {
    const { viewport, rowHeight } = this.options;
    const first = Math.floor(viewport.scrollTop / rowHeight);
    return { start: first, end: Math.min(this.total, first + Math.ceil(viewport.clientHeight / rowHeight) + 1) };
  }

  /** Brings a row into sight, in the middle where it was far away. */
  reveal(index: number): void {
    const { viewport, rowHeight } = this.options;
    const top = index * rowHeight;
    const { scrollTop, clientHeight } = viewport;
    if (top >= scrollTop && top + rowHeight <= scrollTop + clientHeight) return;
    const near = Math.abs(top - scrollTop) < clientHeight * 2 && clientHeight > 0;
    if (!near) viewport.scrollTop = Math.max(0, top - clientHeight / 2);
    else viewport.scrollTop = top < scrollTop ? top : top + rowHeight - clientHeight;
    this.draw();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.draw();
    });
  }

  /** Draws the rows in sight and asks for those that are missing. */
  draw(): void {
    const { canvas, rowHeight, render, keyOf, request } = this.options;
    const { start, end } = this.range;
    const next = new Map<number | string, HTMLElement>();
    const from = Math.max(0, start - 8);
    const to = Math.min(this.total, end + 8);
    let missing = false;
    for (let index = from; index < to; index++) {
      const item = this.items.get(index);
      if (item === undefined) {
        missing = true;
        continue;
      }
      const key = keyOf(item);
      if (next.has(key)) continue;
      const before = this.shown.get(key);
      const element = render(item, index, before);
      element.style.transform = `translateY(${index * rowHeight}px)`;
      if (element !== before) {
        before?.remove();
        canvas.append(element);
      }
      next.set(key, element);
    }
    for (const [key, element] of this.shown) if (!next.has(key)) element.remove();
    this.shown = next;
    const low = Math.max(0, start - margin);
    const high = Math.min(this.total, end + margin);
    if (missing && (from < this.asked.start || to > this.asked.end || this.asked.end === this.asked.start)) {
      this.asked = { start: low, end: high };
      request(low, high);
    }
  }
}
