//! Values that are names of things in code: `Management.EventCreatedObject4`, `FLAG_2_MASK`.
//!
//! Such names carry digits and mixed case like secrets do, but their letters come in long pieces
//! that read like words, where those of generated text change case or meet a digit every other
//! byte. Of random values of 16 characters at most 0.6 % may be taken for names, of longer ones
//! 0.15 %: a test holds that over seven alphabets.

use super::bigram;

/// Shortest piece that can be a word.
const WORD: usize = 4;
/// Fewest letters for a verdict.
const MIN_LETTERS: usize = 8;
/// Least mean pair score (see [`bigram`]) of the pieces.
const WORDLIKE: i32 = 6;
/// The same where the form already says that it is a name.
const IDENTIFIER: i32 = 3;

/// Whether `value` consists of words as names in code do, with few digits between them; a `bare`
/// value, which stands where code stands, may have more of them (`X25519PrivateKey`).
pub(super) fn reads_like_a_name(value: &[u8], bare: bool) -> bool {
    let count = count(value);
    let digits = if bare { 2 } else { 4 };
    count.letters >= MIN_LETTERS
        && count.in_words * 100 >= count.letters * 60
        && count.digits * digits <= count.letters
        && count.numbers * 4 <= count.pieces + 5
        && count.numbers <= 2.max(count.pieces / 2)
        && count.pairs >= 5
        && count.sum >= WORDLIKE * count.pairs
}

/// Whether `value` is written like a constant: upper case and digits, joined by underscores.
pub(super) fn is_constant(value: &[u8]) -> bool {
    let inner = value.iter().any(u8::is_ascii_uppercase) && value.contains(&b'_');
    inner && value.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b'_')
}

/// Whether `value` is written like a function or variable: `lib_0_17__set_key`, with no segment that
/// mixes letters and digits.
pub(super) fn is_snake_case(value: &[u8]) -> bool {
    let mut segments = value.split(|&b| b == b'_').filter(|segment| !segment.is_empty());
    value.iter().filter(|&&b| b == b'_').count() >= 2
        && segments.all(|segment| {
            segment.len() <= 15
                && (segment.iter().all(u8::is_ascii_lowercase) || segment.iter().all(u8::is_ascii_digit))
        })
}

/// Whether `value` is written like one name, or names joined by dots, with two digits at most and
/// letters that read like words: `pkcs12_val`, `t.ownPass`.
pub(super) fn is_identifier(value: &[u8]) -> bool {
    let inner = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
    let count = count(value);
    value.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
        && value.iter().all(inner)
        && value.iter().filter(|b| b.is_ascii_digit()).count() <= 2
        && count.pairs >= 5
        && count.sum >= IDENTIFIER * count.pairs
}

/// Whether `value` is a piece of a statement: a call, a member of its result, an operator.
pub(super) fn is_statement(value: &[u8]) -> bool {
    const SIGNS: [&[u8]; 9] = [b"()", b").", b"),", b");", b"=>", b"&&", b"||", b"](", b"){"];
    value.windows(2).any(|pair| SIGNS.contains(&pair))
}

#[derive(Default)]
struct Count {
    letters: usize,
    /// Letters in pieces of at least [`WORD`].
    in_words: usize,
    digits: usize,
    /// Groups of digits.
    numbers: usize,
    pieces: usize,
    /// Scores of the letter pairs inside pieces, and how many there are.
    sum: i32,
    pairs: i32,
}

fn count(value: &[u8]) -> Count {
    let mut count = Count::default();
    let mut start = None;
    for (i, &byte) in value.iter().enumerate() {
        if byte.is_ascii_digit() {
            count.digits += 1;
            count.numbers += usize::from(i == 0 || !value[i - 1].is_ascii_digit());
        }
        if let Some(from) = start
            && (!byte.is_ascii_alphabetic() || opens_piece(value, i))
        {
            count.piece(&value[from..i]);
            start = None;
        }
        if start.is_none() && byte.is_ascii_alphabetic() {
            start = Some(i);
        }
    }
    if let Some(from) = start {
        count.piece(&value[from..]);
    }
    count
}

/// A hump (`aB`), or the last capital of several before a small letter (`ABc`).
fn opens_piece(value: &[u8], i: usize) -> bool {
    let lower_behind = value.get(i + 1).is_some_and(u8::is_ascii_lowercase);
    value[i].is_ascii_uppercase() && (value[i - 1].is_ascii_lowercase() || lower_behind)
}

impl Count {
    fn piece(&mut self, piece: &[u8]) {
        self.pieces += 1;
        self.letters += piece.len();
        if piece.len() >= WORD {
            self.in_words += piece.len();
        }
        // Acronyms follow no pattern of letters.
        let acronym = piece.len() <= 5 && piece.iter().all(u8::is_ascii_uppercase);
        if !acronym {
            self.sum += bigram::sum(piece);
            self.pairs += piece.len() as i32 - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_code() {
        for name in [
            "Management.EventStreamCloudEventConnectionDeletedPreviousObject4Authentication",
            "oauth2_credentials.UserAccessTokenCredentials",
            "D3D10_SB_OPERAND_4_COMPONENT_SWIZZLE_MASK",
            "X509CertificateTemplatePrivateKeyFlag",
            "LayoutLMv2PreTrainedModel",
            "calculateInstancePositions64xyLow",
            "exports.ConnectionResponseContentGoogleOAuth2",
            "list[V1ObjectReference]",
        ] {
            assert!(reads_like_a_name(name.as_bytes(), false), "{name}");
        }
    }

    #[test]
    fn constants_and_statements() {
        assert!(is_constant(b"DOT11_AUTH_ALGO_80211_OPEN"));
        assert!(!is_constant(b"DOT11") && !is_constant(b"sk_LIVE_1") && !is_constant(b"1234_5678"));
        assert!(is_snake_case(b"ring_core_0_17_14__aes_set_key") && !is_snake_case(b"sk_test_a1b2"));
        assert!(is_identifier(b"t.ownPassword") && !is_identifier(b"q7Zr2x9k"));
        assert!(is_statement(b"+this.secret),r.Fx).toUpperCase(),") && is_statement(b"a=>b"));
        assert!(!is_statement(b"h]6EszR}vJ*m") && !is_statement(b"a(b)c!1"));
    }

    /// A generator without ties to the values' alphabets.
    fn random(state: &mut u64) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 33) as usize
    }

    #[test]
    fn generated_values_are_hardly_ever_taken_for_names() {
        let lower = "abcdefghijklmnopqrstuvwxyz";
        let upper = lower.to_uppercase();
        let digits = "0123456789";
        let alphabets = [
            [lower, digits].concat(),
            [lower, &upper, digits].concat(),
            [&upper, digits].concat(),
            ["abcdef", digits].concat(),
            [lower, &upper, digits, "+/"].concat(),
            [lower, &upper, digits, "-_"].concat(),
            [&upper, "234567"].concat(),
        ];
        let mut state = 0x9E37_79B9_7F4A_7C15;
        for (alphabet, len) in alphabets.iter().flat_map(|a| [16, 20, 32, 64].map(|len| (a, len))) {
            let letters = alphabet.as_bytes();
            let taken = (0..2000)
                .filter(|_| {
                    let value: Vec<u8> =
                        (0..len).map(|_| letters[random(&mut state) % letters.len()]).collect();
                    reads_like_a_name(&value, true)
                })
                .count();
            assert!(taken <= if len == 16 { 12 } else { 3 }, "{taken} of 2000: {alphabet} {len}");
        }
    }
}
