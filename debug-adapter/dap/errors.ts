/** Errors that the protocol side shows to people, each with a number of its own (DAP `Message.id`) and what to do. */

/** A failed request: `id` is stable; `showUser` brings up a notification. */
export class ProtocolError extends Error {
  constructor(
    readonly id: number,
    message: string,
    readonly showUser = false,
  ) {
    super(message);
    this.name = 'ProtocolError';
  }
}

export const protocolErrors = {
  internal: (message: string) => new ProtocolError(1000, message),
  unknownRequest: (command: string) => new ProtocolError(1001, `This adapter does not know the request "${command}".`),
  badArguments: (command: string, fault: string) => new ProtocolError(1002, `The request "${command}" has wrong arguments: ${fault}.`),
  alreadyLaunched: () =>
    new ProtocolError(1004, 'An image was launched in this session already. Use restart, or begin another session.', true),
  sessionEnded: () => new ProtocolError(1005, 'The session was ended while this was under way.'),
  notLaunched: () => new ProtocolError(1003, 'Nothing was launched yet.'),
  launchField: (field: string, fault: string) => new ProtocolError(2001, `launch.json: "${field}" ${fault}.`, true),
  unknownLaunchField: (field: string, suggestion: string | undefined, known: readonly string[]) =>
    new ProtocolError(
      2002,
      `launch.json: there is no setting "${field}"${suggestion === undefined ? `. There are ${known.join(', ')}.` : `; did you mean "${suggestion}"?`}`,
      true,
    ),
  unreadable: (field: string, path: string, fault: string) =>
    new ProtocolError(2003, `launch.json: "${field}" names ${path}, which cannot be read: ${fault}.`, true),
  bootFailed: (message: string) => new ProtocolError(2004, message, true),
  workerFailed: (message: string) =>
    new ProtocolError(2005, `The machine's worker failed: ${message}. Please report this with the image.`, true),
  badAddress: (text: string) => new ProtocolError(3001, `"${text}" is not an address. Write 0x and hexadecimal digits.`),
  cannotEndThreads: () =>
    new ProtocolError(
      3003,
      "A guest's thread cannot be ended from outside: what it holds would be lost to the others. End it by its own code.",
    ),
  noSource: (path: string, fault: string) => new ProtocolError(3004, `The source ${path} cannot be shown: ${fault}.`),
  unknownLocation: (reference: number) =>
    new ProtocolError(3005, `There is no location ${reference} any more: the guest ran since it was shown.`),
  noSession: () =>
    new ProtocolError(
      2006,
      'There is nothing to attach to: this adapter holds no running machine. Name a saved "session", or start one with "unikernel dap --server PORT IMAGE" and name its "port".',
      true,
    ),
  cancelled: () => new ProtocolError(3002, 'cancelled'),
} as const;
