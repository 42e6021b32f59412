//! Bit-packing, and the hybrid of bit-packed and repeated values that Parquet uses for levels,
//! booleans and dictionary indices.

/// Appends a variable-length integer.
pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bits that hold the value; 0 for 0.
pub(super) fn width(value: u64) -> u32 {
    u64::BITS - value.leading_zeros()
}

/// Appends values of `width` bits, lowest bit first; the last byte is padded with zeros.
pub(super) fn pack(values: impl Iterator<Item = u64>, width: u32, out: &mut Vec<u8>) {
    let (mut word, mut filled) = (0u64, 0);
    for value in values {
        word |= value << filled;
        filled += width;
        if filled >= u64::BITS {
            out.extend_from_slice(&word.to_le_bytes());
            filled -= u64::BITS;
            word = if filled == 0 { 0 } else { value >> (width - filled) };
        }
    }
    out.extend_from_slice(&word.to_le_bytes()[..filled.div_ceil(8) as usize]);
}

/// Values of a run that is worth leaving a bit-packed stretch for: what it saves pays for the headers.
fn least_run(width: u32) -> usize {
    64usize.div_ceil(width as usize).max(8)
}

/// Appends indices of `width` bits, at least 1.
pub(super) fn hybrid(values: &[u32], width: u32, out: &mut Vec<u8>) {
    let least = least_run(width);
    let (mut packed, mut at) = (0, 0);
    while let Some(first) = values.get(at) {
        let run = values[at..].iter().take_while(|value| *value == first).count();
        if run < least {
            // Bit-packed values come in groups of 8.
            at += (run & !7).max(8);
            continue;
        }
        packed_run(&values[packed..at], width, out);
        varint((run as u64) << 1, out);
        out.extend_from_slice(&first.to_le_bytes()[..width.div_ceil(8) as usize]);
        at += run;
        packed = at;
    }
    packed_run(&values[packed..], width, out);
}

fn packed_run(values: &[u32], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    varint((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * width as usize;
    pack(values.iter().map(|value| u64::from(*value)), width, out);
    out.resize(end, 0);
}

/// Bytes of equal bits that are worth a run of their own.
const LEAST_BYTES: usize = 8;

/// Appends `length` bits, given lowest bit first.
pub(super) fn hybrid_bits(bits: &[u8], length: usize, out: &mut Vec<u8>) {
    let bytes = length.div_ceil(8);
    // The bits after the last one take after it, so that they end no run.
    let byte = |at: usize| match length - at * 8 {
        rest @ 0..8 => {
            let mask = (1 << rest) - 1;
            if bits[at] & mask == mask { 0xff } else { bits[at] & mask }
        }
        _ => bits[at],
    };
    let (mut packed, mut at) = (0, 0);
    while at < bytes {
        let first = byte(at);
        let same = (at..bytes).take_while(|at| byte(*at) == first).count();
        if !matches!(first, 0 | 0xff) || (same < LEAST_BYTES && same < bytes) {
            at += same;
            continue;
        }
        packed_bits(packed..at, byte, out);
        varint(((same * 8).min(length - at * 8) as u64) << 1, out);
        out.push(first & 1);
        at += same;
        packed = at;
    }
    packed_bits(packed..bytes, byte, out);
}

fn packed_bits(bytes: std::ops::Range<usize>, byte: impl Fn(usize) -> u8, out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        varint((bytes.len() as u64) << 1 | 1, out);
        out.extend(bytes.map(byte));
    }
}
