import { failure, type Incident, warning } from './incident.js';

/**
 * Xids after which NVIDIA's catalogue wants the GPU reset, the machine restarted or the link looked at. Xid 154 says itself what is
 * wanted.
 */
const FATAL: ReadonlyMap<number, string> = new Map([
  [46, 'the GPU stopped processing'],
  [48, 'an uncorrectable memory error'],
  [62, 'a controller inside the GPU halted'],
  [64, 'faulty memory could not be retired'],
  [74, 'an NVLink error'],
  [79, 'the GPU has fallen off the bus'],
  [95, 'an uncontained memory error'],
  [110, 'a security fault'],
  [119, 'its system processor does not answer'],
  [120, 'an error of its system processor'],
  [136, 'a link could not be trained'],
  [140, 'an unrecovered memory error'],
  [143, 'the GPU could not be initialised'],
  [151, 'a key could not be rotated'],
  [155, 'an NVLink error'],
  [156, 'a part of the GPU was retired'],
  [158, 'a fatal timeout'],
  [160, 'a memory channel was retired'],
  [162, 'the GPU wants a reset'],
  ...[144, 145, 146, 147, 148, 149, 150].map((xid): [number, string] => [xid, 'an NVLink error']),
]);

/** Where the catalogue says to restart the program or to do nothing: the program's doing, or already dealt with. */
const HARMLESS = [
  8, 11, 13, 14, 25, 31, 32, [37, 41], [43, 45], 60, 63, [66, 72], [75, 77], 80, [82, 86], 88, 89, [92, 94], [96, 107], 121,
  [126, 135], 137, 139, 141, 152, 153, 157, 161,
] as const; // prettier-ignore

const WARNING_AGE_SECONDS = 24 * 3600;
const LINE = /^(?:<\d+>)?(?:\[ *(\d+\.\d+)\] )?NVRM: (.*)$/;
const XID = /^Xid \((?:PCI:)?([0-9a-fA-F:.]+)\): (\d+)(?:, (.*))?$/;
/** Since driver 570 also without an Xid, over several lines; the first names the device. */
const LOST = /^The NVIDIA GPU ([0-9a-fA-F:.]+)$/;

interface XidEvent {
  readonly device: string;
  readonly xid: number;
  readonly detail: string;
  /** Since the machine started; undefined where the kernel puts no time before its lines. */
  readonly atSeconds: number | undefined;
}

/**
 * What the kernel's log tells of NVIDIA devices. Fatal errors count until the driver is loaded anew, or says that the device needs nothing
 * any more; others for a day.
 * @param log as `dmesg` prints it
 */
export function judgeXids(log: string, uptimeSeconds: number): Incident[] {
  const incidents = new Map<string, Incident>();
  for (const { device, xid, detail, atSeconds } of readXids(log)) {
    const key = `${device} ${xid}`;
    if (xid === 154) {
      if (/ to 0x0\b/.test(detail))
        for (const each of incidents.keys()) if (each.startsWith(device)) incidents.delete(each);
      const wanted = / to 0x[1-9a-f][0-9a-f]* \(([^)]*)\)/i.exec(detail)?.[1];
      if (wanted !== undefined) incidents.set(key, failure(`GPU at ${device}: its driver says "${wanted}" (Xid 154)`));
      continue;
    }
    const fatal = isNonfatal(xid, detail) ? undefined : FATAL.get(xid);
    if (fatal !== undefined) incidents.set(key, failure(`GPU at ${device}: ${fatal} (Xid ${xid})`));
    else if (!isHarmless(xid) && !incidents.has(key) && isRecent(atSeconds, uptimeSeconds))
      incidents.set(key, warning(`GPU at ${device}: Xid ${xid} in the kernel's log`));
  }
  return [...incidents.values()];
}

function readXids(log: string): XidEvent[] {
  let events: XidEvent[] = [];
  for (const line of log.split('\n')) {
    const [, at, message = ''] = LINE.exec(line.trimEnd()) ?? [];
    const atSeconds = at === undefined ? undefined : Number(at);
    if (message.startsWith('loading NVIDIA UNIX')) events = [];
    const [, device, xid, detail = ''] = XID.exec(message) ?? [];
    if (device !== undefined) events.push({ device: address(device), xid: Number(xid), detail, atSeconds });
    const [, lost] = LOST.exec(message) ?? [];
    if (lost !== undefined) events.push({ device: address(lost), xid: 79, detail: '', atSeconds });
  }
  return events;
}

/** `0000:3B:00.0` and `0000:3b:00` are one device. */
function address(text: string): string {
  return text.toLowerCase().replace(/\.\d+$/, '');
}

function isRecent(atSeconds: number | undefined, uptimeSeconds: number): boolean {
  return atSeconds === undefined || uptimeSeconds - atSeconds < WARNING_AGE_SECONDS;
}

/** The Xids of NVLink 5 say themselves how bad it is: `145, RLW_RXPIPE Nonfatal XC0 …`. */
function isNonfatal(xid: number, detail: string): boolean {
  return 144 <= xid && xid <= 150 && /^\w+ Nonfatal\b/i.test(detail);
}

function isHarmless(xid: number): boolean {
  return HARMLESS.some((each) => (typeof each === 'number' ? each === xid : each[0] <= xid && xid <= each[1]));
}
