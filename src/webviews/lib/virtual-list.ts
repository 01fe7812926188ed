/** Shows a window of a long list: only the rows in sight are in the page, and their elements are used again, so that its length costs nothing. */

/** The elements of one row, which show one item after another. */
export interface RowSlot<T> {
  readonly element: HTMLElement;
  readonly show: (item: T, index: number) => void;
}

export interface VirtualListOptions<T> {
  /** The element that scrolls. */
  readonly viewport: HTMLElement;
  /** The element within it that is as high as the whole list. */
  readonly canvas: HTMLElement;
  /** In CSS pixels. */
  readonly rowHeight: number;
  /** Makes the elements of a row; they place themselves at `index * rowHeight`. */
  readonly create: () => RowSlot<T>;
  readonly keyOf: (item: T) => number | string;
  /** Asks for rows that are not there; `end` is exclusive. */
  readonly request: (start: number, end: number) => void;
}

/** Rows that are drawn above and below those in sight. */
const overscan = 8;
/** Rows that are asked for above and below those in sight. */
const margin = 60;
/** With fewer rows than this left to the end of those asked for, more are asked for. */
const prefetch = 30;

export class VirtualList<T> {
  private total = 0;
  private items = new Map<number, T>();
  private shown = new Map<number | string, RowSlot<T>>();
  private readonly spare: RowSlot<T>[] = [];
  private asked = { start: 0, end: 0 };
  private scheduled = false;
  /** One request is open at a time: while the user scrolls on, rows that have gone by are not asked for. */
  private waiting = false;

  constructor(private readonly options: VirtualListOptions<T>) {
    options.viewport.addEventListener('scroll', () => this.schedule(), { passive: true });
    new ResizeObserver(() => this.schedule()).observe(options.viewport);
  }

  /** Another list: nothing that was known of rows holds, but elements are used again. */
  reset(total: number, start: number, items: readonly T[]): void {
    this.total = total;
    this.items = new Map(items.map((item, index) => [start + index, item]));
    this.asked = { start, end: start + items.length };
    this.waiting = false;
    this.options.canvas.style.height = `${total * this.options.rowHeight}px`;
    this.draw();
  }

  add(start: number, items: readonly T[]): void {
    this.waiting = false;
    for (const [index, item] of items.entries()) {
      // Rows that are known stay the same objects, so that nothing is drawn again.
      if (!this.items.has(start + index)) this.items.set(start + index, item);
    }
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
    const { keyOf } = this.options;
    const { start, end } = this.range;
    const from = Math.max(0, start - overscan);
    const to = Math.min(this.total, end + overscan);
    const next = new Map<number | string, RowSlot<T>>();
    const unplaced: { readonly key: number | string; readonly item: T; readonly index: number }[] = [];
    let missing = false;
    for (let index = from; index < to; index++) {
      const item = this.items.get(index);
      if (item === undefined) {
        missing = true;
        continue;
      }
      const key = keyOf(item);
      const slot = this.shown.get(key);
      if (!slot) unplaced.push({ key, item, index });
      else if (!next.has(key)) {
        next.set(key, slot);
        slot.show(item, index);
      }
    }
    for (const [key, slot] of this.shown) if (!next.has(key)) this.spare.push(slot);
    for (const { key, item, index } of unplaced) {
      if (next.has(key)) continue;
      const slot = this.take();
      slot.show(item, index);
      next.set(key, slot);
    }
    for (const slot of this.spare) slot.element.remove();
    this.shown = next;
    this.ask(start, end, missing);
  }

  /** A row's elements that show nothing now, else new ones. */
  private take(): RowSlot<T> {
    const slot = this.spare.pop() ?? this.options.create();
    if (!slot.element.isConnected) this.options.canvas.append(slot.element);
    return slot;
  }

  private ask(start: number, end: number, missing: boolean): void {
    const { asked, total } = this;
    if (this.waiting) return;
    const near = (asked.start > 0 && start - prefetch < asked.start) || (asked.end < total && end + prefetch > asked.end);
    const within = start >= asked.start && end <= asked.end && asked.end > asked.start;
    if (!near && !(missing && !within)) return;
    const low = Math.max(0, start - margin);
    const high = Math.min(total, end + margin);
    if (low === asked.start && high === asked.end) return;
    this.asked = { start: low, end: high };
    this.waiting = true;
    this.options.request(low, high);
  }
}
