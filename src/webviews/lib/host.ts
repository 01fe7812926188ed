/** The page's line to the extension, typed on both ends, and the state that outlives the page while its tab is hidden. */

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

/** A typed line. May be made once in a page. */
export class Host<ToExtension, ToPage, Kept extends object> {
  private readonly api = acquireVsCodeApi();

  send(message: ToExtension): void {
    this.api.postMessage(message);
  }

  listen(listener: (message: ToPage) => void): void {
    // Only the frame around the page can post to it.
    window.addEventListener('message', (event: MessageEvent<ToPage>) => listener(event.data));
  }

  get kept(): Partial<Kept> {
    const state = this.api.getState();
    return typeof state === 'object' && state !== null ? state : {};
  }

  keep(state: Partial<Kept>): void {
    this.api.setState({ ...this.kept, ...state });
  }
}
