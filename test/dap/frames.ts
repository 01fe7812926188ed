/** Cuts what a debug adapter writes into its messages (Debug Adapter Protocol, base protocol: a header with the content's length before each). */

export class FrameReader {
  #buffer = Buffer.alloc(0);

  /** The messages that are whole with this chunk. */
  *read(chunk: Buffer): Generator<unknown> {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    for (;;) {
      const header = /^Content-Length: (\d+)\r\n\r\n/.exec(this.#buffer.toString('latin1', 0, 64));
      if (header === null) return;
      const end = header[0].length + Number(header[1]);
      if (this.#buffer.length < end) return;
      const text = this.#buffer.toString('utf8', header[0].length, end);
      this.#buffer = this.#buffer.subarray(end);
      yield JSON.parse(text);
    }
  }
}
