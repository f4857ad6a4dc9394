//! Secrets in nests of encodings and containers: where a finding says it is, there it is.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use keycull::chunk::Chunk;
use keycull::engine::{Engine, Scratch};
use keycull::finding::{Coverage, Match, RepoPath, Span};
use keycull::revoke::{Place, Rescan, SecretSource as _};
use keycull::source::archive::{self, Limits};
use keycull::source::{Sink, Windows, stdin};
use proptest::prelude::*;

use crate::support::pack;
use crate::support::secret::stripe_key;
use crate::support::stores::{self, Packing};

/// Text, and where the secret is in it.
type Placed = (Vec<u8>, Span);

#[derive(Clone, Copy, Debug)]
enum Encode {
    Base64,
    Unpadded,
    Wrapped,
    Hex,
    Percent,
    Unicode,
    HexEscape,
    Entity,
    /// Base64 of something else: nothing tells which of its digits are which byte.
    Gzip,
    Wide,
}

use Encode::{Base64, Entity, Gzip, Hex, HexEscape, Percent, Unicode, Unpadded, Wide, Wrapped};

const ENCODINGS: [Encode; 10] =
    [Base64, Unpadded, Wrapped, Hex, Percent, Unicode, HexEscape, Entity, Gzip, Wide];

impl Encode {
    /// The name a report gives it.
    fn name(self) -> &'static [&'static str] {
        match self {
            Base64 | Wrapped => &["base64"],
            Unpadded => &["base64", "base64url"],
            Hex => &["hex"],
            Percent => &["percent"],
            Unicode => &["unicode-escape"],
            HexEscape => &["hex-escape"],
            Entity => &["html-entity"],
            Gzip | Wide => &["base64"],
        }
    }

    fn encode(self, (text, secret): &Placed) -> Placed {
        let each = |width: usize, write: &dyn Fn(u8) -> String| {
            let encoded: String = text.iter().map(|&byte| write(byte)).collect();
            (encoded.into_bytes(), Span::new(secret.start * width, secret.end * width))
        };
        match self {
            Percent => each(3, &|byte| format!("%{byte:02X}")),
            Unicode => each(6, &|byte| format!("\\u{byte:04x}")),
            HexEscape => each(4, &|byte| format!("\\x{byte:02x}")),
            Entity => each(6, &|byte| format!("&#{byte:03};")),
            Hex => each(2, &|byte| format!("{byte:02x}")),
            Base64 => (STANDARD.encode(text).into_bytes(), digits(*secret)),
            Unpadded => (URL_SAFE_NO_PAD.encode(text).into_bytes(), digits(*secret)),
            Wrapped => {
                let encoded = STANDARD.encode(text).into_bytes();
                let lines: Vec<&[u8]> = encoded.chunks(64).collect();
                let broken = |at: usize| at + at / 64;
                let Span { start, end } = digits(*secret);
                (lines.join(&b'\n'), Span::new(broken(start), broken(end - 1) + 1))
            }
            Gzip => whole(STANDARD.encode(pack::gzip(text))),
            Wide => {
                let wide: Vec<u8> = text.iter().flat_map(|&byte| [byte, 0]).collect();
                whole(STANDARD.encode(wide))
            }
        }
    }
}

fn whole(text: String) -> Placed {
    let span = Span::new(0, text.len());
    (text.into_bytes(), span)
}

/// The digits of base64 that hold a bit of these bytes.
fn digits(bytes: Span) -> Span {
    let first = |byte: usize| byte / 3 * 4 + byte % 3;
    Span::new(first(bytes.start), first(bytes.end - 1) + 2)
}

/// What surrounds an encoded text on its way into the next encoding, or into a file.
fn setting(number: usize, (text, secret): &Placed) -> Placed {
    let (before, after) =
        [("", ""), ("value: \"", "\"\n"), ("first line\nDATA=", "\n; last line\n")][number % 3];
    let moved = Span::new(secret.start + before.len(), secret.end + before.len());
    ([before.as_bytes(), text, after.as_bytes()].concat(), moved)
}

#[derive(Clone, Copy, Debug)]
enum Wrap {
    Zip,
    Tar,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Lz4,
    Ar,
    Cpio,
    SevenZip,
}

const WRAPS: [Wrap; 10] = [
    Wrap::Zip,
    Wrap::Tar,
    Wrap::Gzip,
    Wrap::Bzip2,
    Wrap::Xz,
    Wrap::Zstd,
    Wrap::Lz4,
    Wrap::Ar,
    Wrap::Cpio,
    Wrap::SevenZip,
];

impl Wrap {
    /// `content` packed, and whether it is a member of its own when it is itself packed as `inner`.
    fn pack(self, number: usize, content: &[u8], inner: Option<Self>) -> (Vec<u8>, Option<String>) {
        let name = format!("part{number}/in.dat");
        let name = if matches!(self, Self::Ar) { format!("in{number}.dat") } else { name };
        let members: [(&str, &[u8]); 2] = [("other.txt", b"nothing"), (&name, content)];
        let named = |packed| (packed, Some(name.clone()));
        // What is compressed takes the place of the file, unless it is no container.
        let merged = inner.is_some_and(|inner| !inner.compresses());
        let lone = |packed| (packed, (!merged).then(|| "content".to_owned()));
        match self {
            Self::Zip => named(pack::zipped(&members)),
            Self::Tar => named(pack::tar(&members)),
            Self::Ar => named(pack::ar(&members)),
            Self::Cpio => named(pack::cpio(&members)),
            Self::SevenZip => named(stores::seven_zip(&members, Packing::Lzma2)),
            Self::Gzip => lone(pack::gzip(content)),
            Self::Bzip2 => lone(pack::bzip2(content)),
            Self::Xz => lone(pack::xz(content)),
            Self::Zstd => lone(pack::zstd(content)),
            Self::Lz4 => lone(pack::lz4(content)),
        }
    }

    fn compresses(self) -> bool {
        matches!(self, Self::Gzip | Self::Bzip2 | Self::Xz | Self::Zstd | Self::Lz4)
    }
}

/// One match where it was found: the name of the place, its bytes, and what was found.
type Hit = (String, Vec<u8>, Match);

struct Finder<'e> {
    engine: &'e Engine,
    hits: Mutex<Vec<Hit>>,
    notes: Mutex<Coverage>,
}

impl Sink for Finder<'_> {
    fn chunk(&self, chunk: Chunk<'_>) -> bool {
        let mut matches = Vec::new();
        self.engine.scan_range(chunk.bytes, chunk.window.own(), &mut Scratch::default(), &mut matches);
        let found = !matches.is_empty();
        let hits = matches.into_iter().map(|hit| (chunk.origin.to_string(), chunk.bytes.to_vec(), hit));
        self.hits.lock().expect("no panic").extend(hits);
        found
    }

    fn base(&self, _: Chunk<'_>) {}

    fn cancelled(&self) -> bool {
        false
    }

    fn note(&self, part: Coverage) {
        self.notes.lock().expect("no panic").merge(part);
    }

    fn suspects(&self, _: &[u8]) -> bool {
        false
    }
}

/// Scans `content` as the file `x`.
fn found_in(engine: &Engine, content: &[u8]) -> Vec<Hit> {
    let finder = Finder { engine, hits: Mutex::default(), notes: Mutex::default() };
    let name = Some(RepoPath::from("x"));
    stdin::scan(&mut &content[..], name, Windows::default(), Limits::default(), &finder)
        .expect("memory reads");
    let notes = finder.notes.into_inner().expect("no panic");
    assert_eq!(notes.gaps, [], "something was not read");
    finder.hits.into_inner().expect("no panic")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_finding_is_where_it_says(
        seed in 1_u64..100_000,
        encodings in prop::collection::vec(prop::sample::select(ENCODINGS.to_vec()), 0..=3),
        wraps in prop::collection::vec(prop::sample::select(WRAPS.to_vec()), 0..=4),
        settings in prop::collection::vec(0_usize..3, 5),
    ) {
        let engine = Engine::builtin();
        let token = stripe_key(seed);
        let plain = format!("config for the shop\nKEY={token}\nend of it\n");
        let at = plain.find(&token).expect("it was put there");
        let mut text: Placed = (plain.into_bytes(), Span::new(at, at + token.len()));
        for (number, encoding) in encodings.iter().enumerate() {
            text = setting(settings[number], &encoding.encode(&text));
        }
        let (leaf, expected) = text;
        // Each escape of an escape of an escape is 216 bytes; a unit of them is cut.
        prop_assume!(leaf.len() < 20 << 10);

        let mut content = leaf.clone();
        let mut path = Vec::new();
        let mut inner = None;
        for (number, wrap) in wraps.iter().enumerate() {
            let (packed, name) = wrap.pack(number, &content, inner);
            content = packed;
            path.extend(name);
            inner = Some(*wrap);
        }
        path.reverse();
        let name = std::iter::once("x".to_owned()).chain(path.iter().cloned()).collect::<Vec<_>>().join("!");

        let hits = found_in(&engine, &content);
        for (place, bytes, hit) in &hits {
            let within = hit.span.end <= bytes.len() && hit.span.start <= hit.trigger && hit.trigger < hit.span.end;
            prop_assert!(within, "{place}: {hit:?} in {} bytes", bytes.len());
            let inside = hit.secret.start < hit.secret.end && hit.secret.end <= bytes.len();
            prop_assert!(inside, "{place}: {hit:?} in {} bytes", bytes.len());
            if hit.decoded.is_none() {
                prop_assert_eq!(hit.secret.of(bytes), hit.secret_bytes(bytes));
            }
        }
        let ours: Vec<&Hit> = hits.iter().filter(|(_, bytes, hit)| hit.secret_bytes(bytes) == token.as_bytes()).collect();
        let at_home: Vec<&&Hit> = ours.iter().filter(|(place, ..)| *place == name).collect();
        let places: Vec<_> = ours.iter().map(|(place, _, hit)| (place, hit.secret)).collect();
        prop_assert!(at_home.iter().any(|(_, _, hit)| hit.secret == expected), "{name} {expected:?}: {places:?}");
        // The chain names every encoding, from the outside in.
        let chain_fits = at_home.iter().filter(|(_, _, hit)| hit.secret == expected).any(|(_, _, hit)| {
            let chain = hit.decoded.as_ref().map_or(&[][..], |decoded| &decoded.chain);
            let mut rest = chain.iter();
            encodings.iter().rev().all(|encoding| rest.any(|name| encoding.name().contains(name)))
        });
        let chains: Vec<_> = at_home.iter().map(|(_, _, hit)| hit.decoded.as_ref().map(|d| &d.chain)).collect();
        prop_assert!(chain_fits, "{encodings:?}: {chains:?}");

        // Read again by its name, the place holds the encoded secret where the finding says …
        if !path.is_empty() {
            let members: Vec<RepoPath> = path.iter().map(|part| RepoPath::new(part.as_bytes())).collect();
            let again = archive::extract(&content, &members);
            prop_assert!(again.contains(&leaf), "{name}: {} contents", again.len());
        }
        // … and whoever revokes it finds it there by the name alone.
        let place = |kind: &str, path: &str| Place {
            kind: kind.to_owned(),
            path: Some(RepoPath::from(path).to_uri()),
            ..Place::default()
        };
        let file = Arc::new(content.clone());
        let read = move |place: &Place| match place.path.as_deref() {
            Some("x") => Ok(file.to_vec()),
            other => Err(format!("no {other:?}")),
        };
        let kind = if path.is_empty() { "file" } else { "archive-member" };
        let found = Rescan::new(&engine, Vec::new(), Box::new(read)).read("stripe-secret-key", &place(kind, &name));
        let found = found.map_err(TestCaseError::fail)?;
        prop_assert!(found.iter().any(|one| one.secret.expose() == token.as_bytes()), "{name}");
    }
}
