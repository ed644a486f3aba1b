/** The two checksums of S3 that Node does not bring: CRC-32C and CRC-64/NVME, byte by byte by table. */

/** A checksum that grows with the bytes. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  digest(): Buffer;
}

// Both polynomials in reversed bit order; that of 64 bits in two halves, as JavaScript's bit
// operations work on 32. https://reveng.sourceforge.io/crc-catalogue/all.htm
const CRC32C_POLYNOMIAL = 0x82f63b78;
const CRC64_POLYNOMIAL_HIGH = 0x9a6c9329;
const CRC64_POLYNOMIAL_LOW = 0xac4bc9b5;

const crc32cTable = new Uint32Array(256);
const crc64High = new Uint32Array(256);
const crc64Low = new Uint32Array(256);

for (let byte = 0; byte < 256; byte += 1) {
  crc32cTable[byte] = crc32cEntry(byte);
  const [high, low] = crc64Entry(byte);
  crc64High[byte] = high;
  crc64Low[byte] = low;
}

/** CRC-32C (Castagnoli). */
export function createCrc32c(): RunningChecksum {
  let value = 0xffffffff;
  return {
    update: (bytes) => {
      for (const byte of bytes) {
        value = (value >>> 8) ^ (crc32cTable[(value ^ byte) & 0xff] ?? 0);
      }
    },
    digest: () => {
      const result = Buffer.alloc(4);
      result.writeUInt32BE(~value >>> 0);
      return result;
    },
  };
}

/** CRC-64/NVME. */
export function createCrc64Nvme(): RunningChecksum {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update: (bytes) => {
      for (const byte of bytes) {
        const index = (low ^ byte) & 0xff;
        low = ((low >>> 8) | (high << 24)) ^ (crc64Low[index] ?? 0);
        high = (high >>> 8) ^ (crc64High[index] ?? 0);
      }
    },
    digest: () => {
      const result = Buffer.alloc(8);
      result.writeUInt32BE(~high >>> 0, 0);
      result.writeUInt32BE(~low >>> 0, 4);
      return result;
    },
  };
}

function crc32cEntry(byte: number): number {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    value = (value & 1) === 1 ? (value >>> 1) ^ CRC32C_POLYNOMIAL : value >>> 1;
  }
  return value;
}

function crc64Entry(byte: number): [high: number, low: number] {
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    const carry = (low & 1) === 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (carry) {
      low ^= CRC64_POLYNOMIAL_LOW;
      high ^= CRC64_POLYNOMIAL_HIGH;
    }
  }
  return [high, low];
}
