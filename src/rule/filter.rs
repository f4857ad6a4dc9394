//! How literals are spread over the buckets of the text filter.
//!
//! The filter asks, for each bucket and each byte of a probe, whether low and high nibble are
//! those of some literal of the bucket. Literals that resemble each other share a bucket, so
//! that few strangers pass.

use super::table::{BUCKETS, Literal, PROBE};

/// How often each byte value occurs in source text, in 1/8 of 1/65536.
///
/// Counted over the sources, documents and data files of this crate's dependencies.
#[rustfmt::skip]
const FREQUENCY: [u32; 256] = [
    1, 1, 1, 1, 1, 1, 1, 1, 1, 136, 14065, 1, 1, 50, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    65535, 1119, 4099, 1151, 158, 140, 1102, 899, 6551, 6548, 1179, 227, 7105, 2288, 4099, 6567,
    3492, 2204, 2882, 2230, 1336, 991, 1264, 646, 1082, 689, 11641, 3270, 998, 3402, 1905, 204,
    25, 2517, 994, 2363, 1951, 3422, 1353, 847, 794, 2722, 71, 457, 1542, 1198, 1925, 2089,
    1895, 90, 2498, 3608, 2912, 1217, 754, 766, 302, 434, 138, 1672, 447, 1670, 33, 11450,
    1688, 17032, 5137, 11497, 9552, 32354, 7733, 4152, 5319, 16601, 239, 2169, 11350, 7004, 17692, 16315,
    9260, 647, 18345, 18032, 24521, 11705, 2379, 3447, 2772, 3618, 807, 2042, 529, 2036, 10, 1,
    189, 5, 7, 6, 6, 7, 14, 5, 5, 6, 5, 5, 5, 5, 5, 6,
    27, 15, 10, 5, 180, 14, 7, 5, 10, 7, 5, 6, 8, 13, 11, 24,
    9, 5, 3, 4, 4, 6, 7, 6, 5, 6, 6, 6, 5, 6, 5, 6,
    8, 7, 7, 6, 5, 6, 5, 6, 8, 10, 8, 7, 6, 12, 5, 10,
    1, 1, 6, 7, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 2,
    1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    16, 20, 216, 5, 3, 10, 9, 6, 5, 4, 12, 1, 1, 1, 1, 6,
    58, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
];

/// Total of [`FREQUENCY`], about.
const TOTAL: f64 = 65536.0 * 8.0;

/// Nibbles that a bucket admits at each place of a probe: bit `n` for nibble `n`.
#[derive(Clone, Copy, Default)]
struct Admitted {
    low: [u16; PROBE],
    high: [u16; PROBE],
}

impl Admitted {
    fn with(mut self, literal: &Literal) -> Self {
        let probe = literal.probe_bytes();
        for place in 0..PROBE {
            match probe.get(place) {
                None => (self.low[place], self.high[place]) = (u16::MAX, u16::MAX),
                Some(byte) => {
                    for byte in [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()] {
                        self.low[place] |= 1 << (byte & 15);
                        self.high[place] |= 1 << (byte >> 4);
                    }
                }
            }
        }
        self
    }

    /// Share of positions in source text that pass, taking bytes for independent.
    fn share(&self) -> f64 {
        (0..PROBE).map(|place| self.share_at(place)).product()
    }

    fn share_at(&self, place: usize) -> f64 {
        let admits = |byte: &usize| self.low[place] >> (byte & 15) & self.high[place] >> (byte >> 4) & 1 == 1;
        let sum: u32 = (0..256).filter(admits).map(|byte| FREQUENCY[byte]).sum();
        f64::from(sum) / TOTAL
    }
}

/// Offset of the [`PROBE`] bytes of `literal` that are rarest in source text.
pub(super) fn rarest_window(literal: &[u8]) -> u8 {
    let share = |byte: u8| {
        let both = FREQUENCY[usize::from(byte.to_ascii_lowercase())]
            + FREQUENCY[usize::from(byte.to_ascii_uppercase())];
        f64::from(both.max(1))
    };
    let windows = literal.windows(PROBE.min(literal.len()));
    let cost = |window: &[u8]| window.iter().map(|&byte| share(byte)).product::<f64>();
    let best = windows.enumerate().min_by(|(_, a), (_, b)| cost(a).total_cmp(&cost(b)));
    best.map_or(0, |(i, _)| i as u8)
}

/// Puts each literal where it adds least to what passes, the commonest first.
pub(super) fn assign_buckets(literals: &mut [Literal]) {
    let alone = |literal: &Literal| Admitted::default().with(literal).share();
    let mut order: Vec<usize> = (0..literals.len()).collect();
    order.sort_by(|&a, &b| alone(&literals[b]).total_cmp(&alone(&literals[a])));
    let mut buckets = [Admitted::default(); BUCKETS];
    let mut shares = [0.0; BUCKETS];
    for number in order {
        let added = |bucket: &usize| buckets[*bucket].with(&literals[number]).share() - shares[*bucket];
        let best = (0..BUCKETS).min_by(|a, b| added(a).total_cmp(&added(b))).unwrap_or(0);
        buckets[best] = buckets[best].with(&literals[number]);
        shares[best] = buckets[best].share();
        literals[number].bucket = best as u8;
    }
}
