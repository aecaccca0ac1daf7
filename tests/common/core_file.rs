//! Changes to core files: cuts, damage, other orders of threads. Reads just enough of the format for
//! that, and shares no code with the reader under test.

/// A small generator of numbers that are the same in each run (xorshift64*).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}

/// The same core with the notes of its threads in another order. The first thread, which died, stays
/// first, with the notes of the process.
pub fn shuffle_threads(core: &[u8], seed: u64) -> Vec<u8> {
    const PT_NOTE: usize = 4;
    const NT_PRSTATUS: usize = 1;
    let table = u64_at(core, 32) as usize;
    let note = (0..).map(|n| table + n * 56).find(|&at| u32_at(core, at) == PT_NOTE).expect("a PT_NOTE");
    let (start, size) = (u64_at(core, note + 8) as usize, u64_at(core, note + 32) as usize);
    let mut groups: Vec<&[u8]> = Vec::new();
    let (mut at, mut begin) = (start, start);
    while at < start + size {
        let length = 12 + u32_at(core, at).next_multiple_of(4) + u32_at(core, at + 4).next_multiple_of(4);
        if u32_at(core, at + 8) == NT_PRSTATUS && &core[at + 12..at + 16] == b"CORE" && at > begin {
            groups.push(&core[begin..at]);
            begin = at;
        }
        at += length;
    }
    groups.push(&core[begin..start + size]);
    let mut random = Random::new(seed);
    for n in (2..groups.len()).rev() {
        groups.swap(n, 1 + random.below(n));
    }
    let mut out = core.to_vec();
    out[start..start + size].copy_from_slice(&groups.concat());
    out
}

/// The same bytes with some damage: bytes of chance, numbers that are too large, pieces moved.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    const NUMBERS: [u64; 6] = [0, 1, 0x7fff_ffff, 0xffff_ffff, u64::MAX, 1 << 63];
    let mut out = bytes.to_vec();
    // Half of the time in the headers and notes, which are the first of the file.
    let reach = if random.below(2) == 0 { out.len().min(16 << 10) } else { out.len() };
    for _ in 0..=random.below(8) {
        let at = random.below(reach);
        match random.below(4) {
            0 => out[at] = random.next() as u8,
            1 => {
                let number = NUMBERS[random.below(NUMBERS.len())].to_le_bytes();
                let end = (at + 8).min(out.len());
                out[at..end].copy_from_slice(&number[..end - at]);
            }
            2 => {
                let length = random.below(64).min(out.len() - at);
                let from = random.below(out.len() - length);
                out.copy_within(from..from + length, at);
            }
            _ => out[at] ^= 1 << random.below(8),
        }
    }
    out
}
