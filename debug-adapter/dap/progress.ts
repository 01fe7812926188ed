/** Tells the client of work that takes longer than a blink, and lets it be cancelled. */
import { type EventSink } from './adapter';

/** Work that is over before is not worth a word, milliseconds. */
const patience = 400;

interface Work {
  readonly id: string;
  readonly title: string;
  readonly cancel: (() => void) | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  shown: boolean;
}

export class Progress {
  #next = 1;
  readonly #open = new Map<string, Work>();

  constructor(
    private readonly send: EventSink,
    private readonly wanted: () => boolean,
  ) {}

  /** Begins a piece of work; answers the function that ends it. */
  begin(title: string, cancel?: () => void): () => void {
    if (!this.wanted()) return () => undefined;
    const work: Work = { id: `progress-${this.#next++}`, title, cancel, timer: undefined, shown: false };
    this.#open.set(work.id, work);
    work.timer = setTimeout(() => {
      work.shown = true;
      this.send('progressStart', { progressId: work.id, title, cancellable: cancel !== undefined });
    }, patience);
    return () => this.#end(work);
  }

  /** A later message on work that is shown. */
  update(title: string, message: string, percentage?: number): void {
    for (const work of this.#open.values())
      if (work.shown && work.title === title)
        this.send('progressUpdate', { progressId: work.id, message, ...(percentage === undefined ? {} : { percentage }) });
  }

  /** The client asks for an end; false where there is no such work. */
  cancel(id: string): boolean {
    const work = this.#open.get(id);
    work?.cancel?.();
    return work !== undefined;
  }

  endAll(): void {
    for (const work of [...this.#open.values()]) this.#end(work);
  }

  #end(work: Work): void {
    clearTimeout(work.timer);
    if (!this.#open.delete(work.id) || !work.shown) return;
    this.send('progressEnd', { progressId: work.id });
  }
}
