const ESC = 0x1b;
const BEL = 0x07;

type Mode = 'text' | 'escape' | 'csi' | 'string' | 'string-escape' | 'intermediate';

/** Counts what a terminal would show: quotas must not punish colours and progress bars. Keeps its place between chunks. */
export class VisibleByteCounter {
  private mode: Mode = 'text';

  count(bytes: Uint8Array): number {
    // Nearly all output has no escapes at all.
    if (this.mode === 'text' && bytes.indexOf(ESC) < 0) return bytes.length;
    let visible = 0;
    for (const byte of bytes) if (this.isVisible(byte)) visible++;
    return visible;
  }

  private isVisible(byte: number): boolean {
    switch (this.mode) {
      case 'text':
        if (byte !== ESC) return true;
        this.mode = 'escape';
        return false;
      case 'escape':
        if (byte === 0x5b) this.mode = 'csi';
        else if (byte === 0x5d || byte === 0x50 || byte === 0x58 || byte === 0x5e || byte === 0x5f)
          this.mode = 'string';
        else if (byte >= 0x20 && byte <= 0x2f) this.mode = 'intermediate';
        else this.mode = 'text';
        return false;
      case 'csi':
        if (byte >= 0x40 && byte <= 0x7e) this.mode = 'text';
        return false;
      case 'intermediate':
        if (byte >= 0x30) this.mode = 'text';
        return false;
      case 'string':
        if (byte === BEL) this.mode = 'text';
        else if (byte === ESC) this.mode = 'string-escape';
        return false;
      case 'string-escape':
        this.mode = byte === 0x5c ? 'text' : 'string';
        return false;
    }
  }
}
