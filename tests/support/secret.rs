//! Made-up secrets, built at run time so that none stands in a file of this repository.

/// A made-up live Stripe secret key, a different one for each `seed`. Such keys have no checksum, so any
/// random one is reported with high confidence.
pub(crate) fn stripe_key(seed: u64) -> String {
    let key = format!("{}_{}_{}", "sk", "live", random(seed, 24));
    super::witness::made(&key);
    key
}

/// `length` letters and digits that look random and depend on `seed` alone; nothing the program writes may hold them.
pub(crate) fn random(seed: u64, length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678_9ABC_DEF1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(ALPHABET[usize::try_from(state >> 33).expect("31 bits") % ALPHABET.len()])
    };
    let text: String = (0..length).map(|_| next()).collect();
    super::witness::made(&text);
    text
}
