/** Moves and scales a drawing within a viewport: drag, wheel, keys and buttons. */

const least = 0.1;
const most = 4;
/** What one step of a key moves, in CSS pixels, and what one scales by. */
const step = 60;
const factor = 1.2;

export class PanZoom {
  private x = 0;
  private y = 0;
  private scale = 1;
  private drag: { readonly pointer: number; readonly x: number; readonly y: number } | undefined;

  /** @param apply is given the transform for the drawing. */
  constructor(
    private readonly viewport: Element,
    private readonly apply: (transform: string) => void,
  ) {
    viewport.addEventListener('wheel', (event) => this.wheel(event as WheelEvent), { passive: false });
    viewport.addEventListener('pointerdown', (event) => this.down(event as PointerEvent));
    viewport.addEventListener('pointermove', (event) => this.move(event as PointerEvent));
    for (const name of ['pointerup', 'pointercancel']) viewport.addEventListener(name, () => (this.drag = undefined));
  }

  /** Shows the whole drawing, no larger than life; with `centre`, that point of it in the middle. */
  fit(width: number, height: number, centre?: { readonly x: number; readonly y: number }): void {
    const box = this.viewport.getBoundingClientRect();
    if (width === 0 || height === 0 || box.width === 0) return;
    // Round a centre text is to be read; without one the whole is what was asked for.
    const scale = (this.scale = Math.max(Math.min(box.width / width, box.height / height, 1), centre ? 0.65 : least));
    // What fits stands in the middle; of what does not, the centre.
    const start = (room: number, size: number, at = size / 2): number => (room - (size * scale <= room ? size : 2 * at) * scale) / 2;
    this.x = start(box.width, width, centre?.x);
    this.y = start(box.height, height, centre?.y);
    this.update();
  }

  zoom(by: number, at?: { readonly x: number; readonly y: number }): void {
    const box = this.viewport.getBoundingClientRect();
    const { x, y } = at ?? { x: box.width / 2, y: box.height / 2 };
    const scale = Math.min(most, Math.max(least, this.scale * by));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.update();
  }

  /** Takes a key; whether it was one of those that move. */
  key(name: string): boolean {
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [step, 0],
      ArrowRight: [-step, 0],
      ArrowUp: [0, step],
      ArrowDown: [0, -step],
    };
    const move = moves[name];
    if (move) {
      this.x += move[0];
      this.y += move[1];
      this.update();
    } else if (name === '+' || name === '=') this.zoom(factor);
    else if (name === '-') this.zoom(1 / factor);
    else return false;
    return true;
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const box = this.viewport.getBoundingClientRect();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode === 0 ? 0.0015 : 0.05)), {
      x: event.clientX - box.left,
      y: event.clientY - box.top,
    });
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.drag = { pointer: event.pointerId, x: event.clientX - this.x, y: event.clientY - this.y };
  }

  private move(event: PointerEvent): void {
    const { drag } = this;
    if (drag?.pointer !== event.pointerId || event.buttons === 0) return;
    const moved = Math.hypot(event.clientX - drag.x - this.x, event.clientY - drag.y - this.y);
    // A click that trembles is no drag.
    if (moved < 3 && !this.viewport.hasPointerCapture(event.pointerId)) return;
    this.viewport.setPointerCapture(event.pointerId);
    this.x = event.clientX - drag.x;
    this.y = event.clientY - drag.y;
    this.update();
  }

  private update(): void {
    this.apply(`translate(${this.x},${this.y}) scale(${this.scale})`);
  }
}
