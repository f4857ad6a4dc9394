//! Keys the mock has issued. Put together at run time, so that no token-shaped text is in the source.

/// Kinds of keys, after the providers whose requests the mock speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `drill_` + 30 + CRC-32 in base62: a key of nobody, for drills.
    Drill,
    /// `dlist_` + 30 + CRC-32: as above, but killed by its id, which a list tells.
    Listed,
    /// Personal access token of GitHub.
    Github,
    /// Personal access token of GitLab.
    Gitlab,
    /// Access key of AWS: id and secret.
    Aws,
    /// An opaque OAuth token.
    Oauth,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Drill, Self::Listed, Self::Github, Self::Gitlab, Self::Aws, Self::Oauth];

    /// The name on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drill => "drill",
            Self::Listed => "listed",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Aws => "aws",
            Self::Oauth => "oauth",
        }
    }
}

/// A fresh key.
#[derive(Clone, PartialEq, Eq)]
pub struct Issued {
    /// The value that leaks.
    pub secret: String,
    /// The provider's id of it.
    pub id: String,
    /// Secret access key of AWS; empty otherwise.
    pub companion: String,
}

impl Issued {
    /// Its last four characters: enough to tell the keys of a rehearsal apart.
    #[must_use]
    pub fn id_shown(&self) -> String {
        format!("…{}", &self.secret[self.secret.len().saturating_sub(4)..])
    }
}

#[derive(Clone)]
struct Key {
    issued: Issued,
    live: bool,
    /// Checks that still say live after it was killed.
    lag: u32,
}

/// All keys.
#[derive(Default)]
pub(super) struct Keys(Vec<Key>);

impl Keys {
    pub(super) fn issue(&mut self, kind: Kind, seed: u64) -> Issued {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d);
        let issued = make(kind, &mut dice);
        self.0.push(Key { issued: issued.clone(), live: true, lag: 0 });
        issued
    }

    fn find(&mut self, secret: &str) -> Option<&mut Key> {
        self.0.iter_mut().find(|key| key.issued.secret == secret)
    }

    /// Whether the key is live in truth.
    pub(super) fn is_live(&self, secret: &str) -> bool {
        self.0.iter().any(|key| key.issued.secret == secret && key.live)
    }

    /// Whether a check says live, with the lag a kill may have.
    pub(super) fn check(&mut self, secret: &str) -> Option<Issued> {
        let key = self.find(secret)?;
        if !key.live && key.lag == 0 {
            return None;
        }
        if !key.live {
            key.lag -= 1;
        }
        Some(key.issued.clone())
    }

    pub(super) fn kill(&mut self, secret: &str, lag: u32) -> bool {
        let Some(key) = self.find(secret) else { return false };
        let was = key.live;
        key.live = false;
        if was {
            key.lag = lag;
        }
        was
    }

    pub(super) fn by_id(&self, id: &str) -> Option<Issued> {
        self.0.iter().find(|key| key.issued.id == id).map(|key| key.issued.clone())
    }

    /// All keys, dead ones as well.
    pub(super) fn all(&self) -> Vec<Issued> {
        self.0.iter().map(|key| key.issued.clone()).collect()
    }

    /// Ids and values of all live keys: what a list call shows.
    pub(super) fn list(&self) -> Vec<Issued> {
        self.0.iter().filter(|key| key.live).map(|key| key.issued.clone()).collect()
    }
}

fn make(kind: Kind, dice: &mut Dice) -> Issued {
    const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const BASE32: &[u8] = b"ABCDEFGHKLMNOPQRSTUVWXYZ234567";
    let id = dice.text(b"0123456789abcdef", 32);
    let (secret, companion) = match kind {
        Kind::Drill => (summed("drill_", dice.text(BASE62, 30)), String::new()),
        Kind::Listed => (summed("dlist_", dice.text(BASE62, 30)), String::new()),
        Kind::Github => (summed(&["gh", "p_"].concat(), dice.text(BASE62, 30)), String::new()),
        Kind::Gitlab => (format!("{}{}", ["gl", "pat-"].concat(), dice.text(BASE62, 20)), String::new()),
        Kind::Aws => (format!("{}{}", ["AK", "IA"].concat(), dice.text(BASE32, 16)), dice.text(BASE62, 40)),
        Kind::Oauth => (dice.text(BASE62, 40), String::new()),
    };
    let id = if kind == Kind::Aws { secret.clone() } else { id };
    Issued { secret, id, companion }
}

/// `prefix` + `body` + CRC-32 of the body in six base62 digits, as GitHub and others do.
fn summed(prefix: &str, body: String) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut tail = [b'0'; 6];
    for place in tail.iter_mut().rev() {
        *place = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    format!("{prefix}{body}{}", String::from_utf8_lossy(&tail))
}

/// A small generator: repeatable keys, nothing more. Not for anything that must be secret.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(alphabet[(self.next() % alphabet.len() as u64) as usize])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_published_one() {
        // crc32("hello") in base62, as in the published vectors.
        assert_eq!(summed("", "hello".to_owned()), ["hello", "0zNvy2"].concat());
    }
}
