/** The network's description on the command line and in launch.json: `user[,hostfwd=tcp:ADDR:PORT-:PORT]...[,restrict=on|off][,pcap=FILE]`. */
import { type HostForward } from './user-network';

export interface NetworkSpec {
  readonly forwards: readonly HostForward[];
  readonly outgoing: boolean;
  readonly pcap?: string;
}

/** Reads a description; answers a sentence for people where it is wrong. */
export function parseNetwork(text: string): NetworkSpec | { readonly error: string } {
  const [kind, ...words] = text.split(',');
  if (kind !== 'user') return { error: `The network is described by user[,hostfwd=…], not by ${text}.` };
  const forwards: HostForward[] = [];
  let outgoing = false;
  let pcap: string | undefined;
  for (const word of words) {
    const equals = word.indexOf('=');
    const [name, value] = [word.slice(0, equals < 0 ? undefined : equals), equals < 0 ? '' : word.slice(equals + 1)];
    if (name === 'hostfwd') {
      const match = /^(tcp|udp):([0-9.]*):([0-9]+)-[0-9.]*:([0-9]+)$/.exec(value);
      const port = Number(match?.[3]);
      const guestPort = Number(match?.[4]);
      if (match === null || port > 65_535 || guestPort < 1 || guestPort > 65_535)
        return { error: `hostfwd takes tcp:ADDRESS:PORT-:PORT, not ${value}.` };
      // Without an address the forward is the host's own affair only.
      forwards.push({ protocol: match[1] as 'tcp' | 'udp', address: match[2] === '' ? '127.0.0.1' : match[2]!, port, guestPort });
    } else if (name === 'restrict' && (value === 'on' || value === 'off')) outgoing = value === 'off';
    else if (name === 'pcap' && value !== '') pcap = value;
    else return { error: `The network knows hostfwd, restrict=on|off and pcap=FILE, not ${word}.` };
  }
  return { forwards, outgoing, ...(pcap === undefined ? {} : { pcap }) };
}
