//! Example templates of rule files: texts with generated secrets in them.
//!
//! Rule files must not hold token-shaped text (this repository scans itself), so examples are
//! written as `token = "${ghp_:github}"` and filled in here, the same way each time.
//!
//! A template is literal text with `${…}` in it; `$${` stands for a literal `${`. Inside,
//! `${PREFIX:generator:argument}`, where prefix and argument may be missing and the prefix is
//! copied. Parts are split at `:`; the first part that is a generator with a valid argument
//! behind it is the generator.
//!
//! | generator | text |
//! |---|---|
//! | `class:n` | `n` characters of a class of [`ByteSet::named`] |
//! | `[set]:n` | `n` characters of a bracket set |
//! | `shape:S` | a random match of the shape `S` (see [`shape::parse`]) |
//! | `github` | 30 alphanumerics and their base62 CRC-32, six characters |
//! | `uuid` | a random UUID, version 4 |
//! | `repeat:TEXT:n` | `TEXT`, `n` times |
//! | `jwt` | a JSON Web Token, HS256, random signature |
//! | `pem:LABEL` | a PEM block (OpenSSH or OpenPGP structure where the label asks for it) |
//! | `keystore:KIND` | a key store or binary key of this kind, in base64 |
//! | `b64:T` `b64url:T` `hexof:T` | `T`, itself a template, encoded (`b64url` without padding) |
//! | `self` | a secret of the rule the example belongs to |

use super::class::ByteSet;
use super::shape::{self, Item};
use super::store_example::store;

/// Deepest nesting of templates inside `b64:`, `b64url:` and `hexof:`.
const MAX_DEPTH: u8 = 8;

/// Most copies or characters one generator makes.
const MAX_COUNT: usize = 8192;

/// How much longer than its minimum a random run may get.
const SLACK: usize = 40;

/// A small deterministic generator (SplitMix64, seeded with FNV-1a of a text).
///
/// For examples and tests only: nothing about it is secret or hard to predict.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The generator that belongs to `seed`: same text, same numbers, on every platform.
    #[must_use]
    pub fn seeded(seed: &str) -> Self {
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        Self(seed.bytes().fold(0xcbf2_9ce4_8422_2325, fnv))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0. The bias is below 2⁻⁵⁰ for small bounds.
    pub fn below(&mut self, bound: usize) -> usize {
        let product = u128::from(self.next_u64()) * bound as u128;
        usize::try_from(product >> 64).unwrap_or(0)
    }

    /// `count` random bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next_u64() as u8).collect()
    }
}

/// Fills in `template`; `own` makes a secret of the example's rule, for `${self}`.
///
/// # Errors
/// Names the generator that is unknown or the part that is malformed.
pub fn expand(template: &str, own: &dyn Fn(&mut Rng) -> String, rng: &mut Rng) -> Result<String, String> {
    expand_at(template, own, rng, 0)
}

fn expand_at(
    template: &str,
    own: &dyn Fn(&mut Rng) -> String,
    rng: &mut Rng,
    depth: u8,
) -> Result<String, String> {
    if depth > MAX_DEPTH {
        return Err(format!("templates are nested more than {MAX_DEPTH} deep"));
    }
    let mut out = String::new();
    let mut rest = template;
    while let Some(dollar) = rest.find("${") {
        if rest[..dollar].ends_with('$') {
            out.push_str(&rest[..dollar - 1]);
            out.push_str("${");
            rest = &rest[dollar + 2..];
            continue;
        }
        out.push_str(&rest[..dollar]);
        let inside = &rest[dollar + 2..];
        let end = closing_brace(inside).ok_or_else(|| format!("`${{` is not closed: {}", &rest[dollar..]))?;
        out.push_str(&generate(&inside[..end], own, rng, depth)?);
        rest = &inside[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Index of the brace that closes a text whose opening brace has been read.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(i),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Starts of the parts of `text`: 0 and every place behind a `:` outside braces and sets.
fn part_starts(text: &str) -> Vec<usize> {
    let mut starts = vec![0];
    let (mut depth, mut in_set, mut escaped) = (0usize, false, false);
    for (i, byte) in text.bytes().enumerate() {
        if in_set {
            in_set = byte != b']' || escaped;
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'[' if starts.last() == Some(&i) => in_set = true,
            b':' if depth == 0 => starts.push(i + 1),
            _ => {}
        }
    }
    starts
}

fn generate(
    text: &str,
    own: &dyn Fn(&mut Rng) -> String,
    rng: &mut Rng,
    depth: u8,
) -> Result<String, String> {
    for start in part_starts(text) {
        let call = &text[start..];
        let name_end = if call.starts_with('[') {
            call.find("]:").map_or(call.len(), |i| i + 1)
        } else {
            call.find(':').unwrap_or(call.len())
        };
        let argument = call.get(name_end + 1..);
        if let Some(made) = run(&call[..name_end], argument, own, rng, depth)? {
            let prefix = text[..start].strip_suffix(':').unwrap_or("");
            return Ok(format!("{prefix}{made}"));
        }
    }
    Err(format!("unknown generator in `${{{text}}}`"))
}

/// Runs one generator; `None` when `name` is none or the argument does not fit it.
fn run(
    name: &str,
    argument: Option<&str>,
    own: &dyn Fn(&mut Rng) -> String,
    rng: &mut Rng,
    depth: u8,
) -> Result<Option<String>, String> {
    Ok(match (name, argument) {
        ("github", None) => Some(github(rng)),
        ("uuid", None) => Some(uuid(rng)),
        ("jwt", None) => Some(jwt(rng)),
        ("self", None) => Some(own(rng)),
        ("repeat", Some(argument)) => repeat(argument),
        ("shape", Some(argument)) => {
            let items = shape::parse(argument).map_err(|e| format!("shape `{argument}`: {e}"))?;
            Some(text_of(random_match(&items, rng)))
        }
        ("pem", Some(label)) if !label.is_empty() => Some(pem(label, rng)),
        ("keystore", Some(kind)) => store(kind, rng).map(|bytes| base64(&bytes, STANDARD, true)),
        ("b64", Some(inner)) => {
            Some(base64(expand_at(inner, own, rng, depth + 1)?.as_bytes(), STANDARD, true))
        }
        ("b64url", Some(inner)) => {
            Some(base64(expand_at(inner, own, rng, depth + 1)?.as_bytes(), URL_SAFE, false))
        }
        ("hexof", Some(inner)) => {
            let inner = expand_at(inner, own, rng, depth + 1)?;
            Some(inner.bytes().map(|byte| format!("{byte:02x}")).collect())
        }
        (name, Some(count)) => match (set_of(name)?, count_of(count)) {
            (Some(set), Some(count)) => Some(text_of(random_run(&set, count, rng))),
            _ => None,
        },
        _ => None,
    })
}

fn set_of(name: &str) -> Result<Option<ByteSet>, String> {
    match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) => ByteSet::parse_bracket(inside).map(Some).map_err(|e| format!("set `{name}`: {e}")),
        None => Ok(ByteSet::named(name)),
    }
}

fn count_of(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| (1..=MAX_COUNT).contains(count))
}

fn repeat(argument: &str) -> Option<String> {
    let (text, count) = argument.rsplit_once(':')?;
    if text.is_empty() { None } else { count_of(count).map(|count| text.repeat(count)) }
}

/// Random text a shape matches, each run between its minimum and 40 above it.
///
/// Runs of eight and more hold a digit, a lower-case and an upper-case letter, as far as
/// their class has them, so that no example looks like a word.
#[must_use]
pub fn random_match(items: &[Item], rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    for item in items {
        match item {
            Item::Lit(lit) => out.extend_from_slice(lit),
            Item::Run { set, min, max } => {
                let (min, max) = (usize::from(*min), usize::from(*max));
                let count = min + rng.below((max - min).min(SLACK) + 1);
                out.extend(random_run(set, count, rng));
            }
        }
    }
    out
}

/// `count` characters of `set`; from eight on, at least one of each kind the set has.
fn random_run(set: &ByteSet, count: usize, rng: &mut Rng) -> Vec<u8> {
    let members: Vec<u8> = set.iter().collect();
    if members.is_empty() {
        return Vec::new();
    }
    let mut out: Vec<u8> = (0..count).map(|_| members[rng.below(members.len())]).collect();
    if count < 8 {
        return out;
    }
    let mut fixed: Vec<usize> = Vec::new();
    for kind in [u8::is_ascii_digit, u8::is_ascii_lowercase, u8::is_ascii_uppercase] {
        let of_kind: Vec<u8> = members.iter().copied().filter(kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        let mut place = rng.below(count);
        while fixed.contains(&place) {
            place = (place + 1) % count;
        }
        fixed.push(place);
        out[place] = of_kind[rng.below(of_kind.len())];
    }
    out
}

/// Bytes of classes as text; classes are ASCII, so nothing is lost.
fn text_of(bytes: Vec<u8>) -> String {
    bytes.into_iter().map(char::from).collect()
}

fn github(rng: &mut Rng) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let alnum = ByteSet::EMPTY.with_range(b'0', b'9').with_range(b'A', b'Z').with_range(b'a', b'z');
    let mut token = random_run(&alnum, 30, rng);
    let mut crc = crc32(&token);
    let mut check = [b'0'; 6];
    for place in check.iter_mut().rev() {
        *place = DIGITS[(crc % 62) as usize];
        crc /= 62;
    }
    token.extend(check);
    text_of(token)
}

fn uuid(rng: &mut Rng) -> String {
    let mut hex: Vec<char> = (0..32).map(|_| char::from(b"0123456789abcdef"[rng.below(16)])).collect();
    hex[12] = '4';
    hex[16] = ['8', '9', 'a', 'b'][rng.below(4)];
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32];
    groups.map(|range| hex[range].iter().collect::<String>()).join("-")
}

fn jwt(rng: &mut Rng) -> String {
    let subject = 1_000_000_000 + rng.below(1_000_000_000);
    let issued = 1_600_000_000 + rng.below(100_000_000);
    let payload = format!("{{\"sub\":\"{subject}\",\"iat\":{issued}}}");
    let signature = rng.bytes(32);
    let parts = [b"{\"alg\":\"HS256\",\"typ\":\"JWT\"}".as_slice(), payload.as_bytes(), &signature];
    parts.map(|part| base64(part, URL_SAFE, false)).join(".")
}

/// A block in the armour `label` names, with random content behind a plausible beginning.
fn pem(label: &str, rng: &mut Rng) -> String {
    let is_pgp = label.starts_with("PGP ");
    let content = block_content(label, is_pgp, rng);
    let mut out = format!("-----BEGIN {label}-----\n");
    if is_pgp {
        out.push('\n');
    }
    for line in base64(&content, STANDARD, true).as_bytes().chunks(64) {
        out.extend(line.iter().copied().map(char::from));
        out.push('\n');
    }
    if is_pgp {
        out.push('=');
        out.push_str(&base64(&crc24(&content).to_be_bytes()[1..], STANDARD, true));
        out.push('\n');
    }
    out + &format!("-----END {label}-----")
}

fn block_content(label: &str, is_pgp: bool, rng: &mut Rng) -> Vec<u8> {
    if label.starts_with("OPENSSH ") {
        // Magic, then cipher, key derivation and its options: none; one key (PROTOCOL.key of OpenSSH).
        let mut content = b"openssh-key-v1\0\0\0\0\x04none\0\0\0\x04none\0\0\0\0\0\0\0\x01".to_vec();
        content.extend(rng.bytes(360));
        return content;
    }
    let body = rng.bytes(600);
    let length = (body.len() as u16 + 3).to_be_bytes();
    let mut content = if is_pgp {
        // Old-format packet, tag 5 (secret key), two length bytes, version 4.
        vec![0x95, length[0], length[1], 4, 0, 0]
    } else {
        // SEQUENCE with two length bytes, INTEGER 0.
        vec![0x30, 0x82, length[0], length[1], 2, 1, 0]
    };
    content.extend(body);
    content
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64, here because `build.rs` has this module and no crate for it.
fn base64(bytes: &[u8], alphabet: &[u8; 64], pad: bool) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let word =
            group.iter().fold(0u32, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - group.len()));
        for i in 0..4 {
            if i <= group.len() {
                out.push(char::from(alphabet[(word >> (18 - 6 * i) & 63) as usize]));
            } else if pad {
                out.push('=');
            }
        }
    }
    out
}

/// CRC-32 (IEEE 802.3), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |mut crc, &byte| {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1));
        }
        crc
    })
}

/// CRC-24 of OpenPGP armour (RFC 9580, section 6.1).
fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |mut crc, &byte| {
        crc ^= u32::from(byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4cfb;
            }
        }
        crc
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str) -> Result<String, String> {
        expand(template, &|rng| format!("own{}", rng.below(10)), &mut Rng::seeded("tests"))
    }

    #[test]
    fn same_seed_same_text_other_seed_other_text() {
        let template = "a=${x_:alnum:20} b=${uuid} c=${jwt} ${pem:TEST KEY} ${shape:hex{3,30} '-' digit{4}}";
        let run = |seed: &str| expand(template, &|_| String::new(), &mut Rng::seeded(seed)).unwrap();
        assert_eq!(run("one"), run("one"));
        assert_ne!(run("one"), run("two"));
        // Pinned: a change of the generator would silently change every example.
        assert_eq!(Rng::seeded("").next_u64(), 14_087_677_454_934_409_008);
    }

    #[test]
    fn classes_and_sets_give_the_asked_length_and_mixture() {
        for seed in 0..200 {
            let mut rng = Rng::seeded(&seed.to_string());
            let text =
                expand("${p_:alnum:8}|${[A-Z2-7]:16}|${[a:]:9}|${lower:12}", &|_| String::new(), &mut rng);
            let text = text.unwrap();
            let parts: Vec<&str> = text.split('|').collect();
            let body = parts[0].strip_prefix("p_").unwrap();
            assert_eq!(body.len(), 8);
            for kind in [u8::is_ascii_digit, u8::is_ascii_lowercase, u8::is_ascii_uppercase] {
                assert!(body.bytes().any(|b| kind(&b)), "{body}");
            }
            assert!(parts[1].len() == 16 && parts[1].bytes().any(|b| b.is_ascii_digit()));
            assert!(parts[2].len() == 9 && parts[2].bytes().all(|b| b == b'a' || b == b':'));
            assert!(parts[3].len() == 12 && parts[3].bytes().all(|b| b.is_ascii_lowercase()));
        }
    }

    #[test]
    fn prefixes_may_hold_anything_but_a_generator() {
        assert!(fill("${a-b.c_:digit:3}").unwrap().starts_with("a-b.c_"));
        let nested = fill("${a:user:hex:10}@h").unwrap();
        assert!(nested.starts_with("a:user") && nested.len() == 18, "{nested}");
        // A class name as prefix: the argument does not fit it, so the next part is the generator.
        assert!(fill("${hex:digit:4}").unwrap().starts_with("hex"));
        assert_eq!(fill("${p_:repeat:x:5}").unwrap(), "p_xxxxx");
        assert_eq!(fill("${repeat:ab:3}").unwrap(), "ababab");
    }

    #[test]
    fn github_tokens_carry_their_checksum() {
        assert_eq!(crc32(b"hello"), 0x3610_a686);
        let token = fill("${ghp_:github}").unwrap();
        let body = token.strip_prefix("ghp_").unwrap();
        assert_eq!(body.len(), 36);
        let value = body.bytes().skip(30).fold(0u64, |v, b| {
            let digit = match b {
                b'0'..=b'9' => b - b'0',
                b'A'..=b'Z' => b - b'A' + 10,
                _ => b - b'a' + 36,
            };
            v * 62 + u64::from(digit)
        });
        assert_eq!(value, u64::from(crc32(&body.as_bytes()[..30])));
    }

    #[test]
    fn shapes_match_what_they_generate() {
        let items = shape::parse("alnum{22} '_' lower{3,90} '.' [0-9-]{5}").unwrap();
        for seed in 0..100 {
            let text = random_match(&items, &mut Rng::seeded(&seed.to_string()));
            assert_eq!(shape::match_forward(&items, &text, 0), Some(text.len()));
            assert!(text.len() <= 22 + 1 + 3 + SLACK + 1 + 5);
        }
        let text = fill("${x_:shape:alnum{22} '_' alnum{59}}!").unwrap();
        assert!(text.len() == 2 + 22 + 1 + 59 + 1 && text.ends_with('!'), "{text}");
    }

    #[test]
    fn encodings_expand_what_is_inside() {
        assert_eq!(fill("${b64:user:pa}").unwrap(), "dXNlcjpwYQ==");
        assert_eq!(fill("${b64url:>>>???}").unwrap(), "Pj4-Pz8_");
        assert_eq!(fill("${hexof:AZ}").unwrap(), "415a");
        assert_eq!(fill("${b64:${repeat:a:3}}").unwrap(), "YWFh");
        assert_eq!(fill("${self}").unwrap().len(), 4);
    }

    #[test]
    fn blocks_have_lines_and_matching_labels() {
        for label in ["RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
            let text = fill(&format!("${{pem:{label}}}")).unwrap();
            assert!(text.starts_with(&format!("-----BEGIN {label}-----\n")));
            assert!(text.ends_with(&format!("\n-----END {label}-----")));
            assert!(text.lines().all(|line| line.len() <= 64));
        }
        assert_eq!(crc24(b"123456789"), 0x0021_cf02);
    }

    #[test]
    fn uuids_and_web_tokens_have_their_form() {
        let uuid = fill("${uuid}").unwrap();
        assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        let jwt = fill("${jwt}").unwrap();
        let lengths: Vec<usize> = jwt.split('.').map(str::len).collect();
        assert_eq!((lengths.len(), lengths[0], lengths[2]), (3, 36, 43));
    }

    #[test]
    fn literal_dollars_and_errors() {
        assert_eq!(fill("a $5 $${HOME} b").unwrap(), "a $5 ${HOME} b");
        assert!(fill("${nonsense:3}").unwrap_err().contains("nonsense"));
        assert!(fill("${alnum}").unwrap_err().contains("alnum"));
        assert!(fill("${alnum:0}").is_err());
        assert!(fill("${[z-a]:4}").unwrap_err().contains("backwards"));
        assert!(fill("${alnum:4").unwrap_err().contains("not closed"));
        assert!(fill("${shape:what{3}}").unwrap_err().contains("what"));
        assert!(fill(&"${b64:".repeat(20)).is_err());
    }
}
