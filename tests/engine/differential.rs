//! The engine equals the reference engine: same matches, on every back end, for whole contents
//! and for contents cut into windows.

use keycull::engine::{Engine, Scratch, reference, selftest};
use keycull::finding::Match;
use keycull::rule::example::Rng;

/// Sorted and without repetitions, so that the order of discovery does not matter.
pub(crate) fn normal(mut matches: Vec<Match>) -> Vec<String> {
    matches.sort_by_key(|hit| (hit.trigger, hit.rule, hit.secret));
    let mut lines: Vec<String> = matches.iter().map(|hit| format!("{hit:?}")).collect();
    lines.dedup();
    lines
}

pub(crate) fn fast(engine: &Engine, bytes: &[u8]) -> Vec<Match> {
    let mut out = Vec::new();
    engine.scan(bytes, &mut Scratch::default(), &mut out);
    out
}

fn assert_equal(engines: &[Engine], bytes: &[u8]) {
    let expected = normal(reference::scan(&engines[0], bytes));
    for (i, engine) in engines.iter().enumerate() {
        let got = normal(fast(engine, bytes));
        if got != expected {
            let missing: Vec<_> = expected.iter().filter(|line| !got.contains(line)).collect();
            let extra: Vec<_> = got.iter().filter(|line| !expected.contains(line)).collect();
            panic!(
                "back end {i}\nmissing {missing:#?}\nextra {extra:#?}\nin {:?}",
                String::from_utf8_lossy(bytes)
            );
        }
    }
}

/// One engine for each back end of this processor.
pub(crate) fn engines() -> Vec<Engine> {
    (0..Engine::back_ends()).map(|number| Engine::builtin().on_back_end(number)).collect()
}

/// Ways to write `name = value`, after which rules must find their values.
pub(crate) const FORMS: [&str; 25] = [
    "NAME=VALUE\n",
    "export NAME=\"VALUE\"\n",
    "name = \"VALUE\"\n",
    "name: VALUE\n",
    "\"name\": \"VALUE\",\n",
    "name => 'VALUE',\n",
    "-H 'X-Name: VALUE'\n",
    "f(\"name\", \"VALUE\")\n",
    "def f(name=\"VALUE\"):\n",
    "process.env.NAME || 'VALUE'\n",
    "my_name_prod = 'VALUE'\n",
    "# name for prod: VALUE\n",
    "client.setName(\"VALUE\")\n",
    "<name>VALUE</name>\n",
    "<add key=\"name\" value=\"VALUE\"/>\n",
    "--name VALUE\n",
    "ENV NAME VALUE\n",
    "name:\n  VALUE\n",
    "name = [\n  \"VALUE\",\n]\n",
    "{\\\"name\\\": \\\"VALUE\\\"}\n",
    "let name: &str = \"VALUE\";\n",
    "map[\"name\"] = \"VALUE\"\n",
    "name:\n  key: VALUE\n",
    "- name: NAME\n  value: VALUE\n",
    "?name=VALUE&x=1\n",
];

/// Texts with a match for every rule: tokens alone, values in every form, the rules' own examples.
pub(crate) fn generated(engine: &Engine, seed: &str) -> Vec<String> {
    let rules = engine.rules();
    let mut rng = Rng::seeded(seed);
    let mut texts = Vec::new();
    for (number, rule) in rules.rules.iter().enumerate() {
        for template in rule.examples.iter().chain(rule.negatives.iter()) {
            texts.extend(selftest::expanded(engine, number as u16, template, &mut rng));
        }
    }
    for branch in rules.branches.iter() {
        let token = selftest::random_token(branch, &mut rng);
        let form = FORMS[rng.below(FORMS.len())];
        texts.push(form.replace("VALUE", &token));
        texts.push(format!("x\\n{token}\" %3D{token} \\u003d{token}_{token}"));
    }
    for entry in rules.entries.iter() {
        let words: Vec<&str> = entry.words.iter().map(|&w| rules.words[usize::from(w)].as_ref()).collect();
        let value = keycull::rule::example::random_match(entry.value, &mut rng);
        let form = FORMS[rng.below(FORMS.len())];
        let name = words.join(["_", "-", ""][rng.below(3)]);
        let text = form.replace("NAME", &name.to_uppercase()).replace("name", &name);
        texts.push(text.replace("VALUE", &String::from_utf8_lossy(&value)));
    }
    texts
}

#[test]
fn generated_matches_of_every_rule() {
    let engines = engines();
    for text in generated(&engines[0], "generated") {
        assert_equal(&engines, text.as_bytes());
    }
}

#[test]
fn mutated_texts() {
    let engines = engines();
    let mut rng = Rng::seeded("mutations");
    let texts = generated(&engines[0], "mutated");
    for text in texts.chunks(3) {
        let mut bytes = text.concat().into_bytes();
        for _ in 0..1 + bytes.len() / 100 {
            let at = rng.below(bytes.len());
            match rng.below(3) {
                0 => bytes[at] = rng.below(256) as u8,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, b" \n=:\"'_-.%\\/+"[rng.below(13)]),
            }
        }
        assert_equal(&engines, &bytes);
    }
}

#[test]
fn windows_do_not_change_the_result() {
    let engines = engines();
    let mut rng = Rng::seeded("windows");
    let texts = generated(&engines[0], "windows");
    for text in texts.chunks(40) {
        let bytes = text.concat().into_bytes();
        let whole = normal(fast(&engines[0], &bytes));
        for engine in &engines {
            let mut out = Vec::new();
            let mut start = 0;
            while start < bytes.len() {
                let end = bytes.len().min(start + 1 + rng.below(200));
                engine.scan_range(&bytes, start..end, &mut Scratch::default(), &mut out);
                start = end;
            }
            assert_eq!(normal(out), whole);
        }
    }
}

#[test]
fn noise_of_token_characters() {
    let engines = engines();
    let mut rng = Rng::seeded("noise");
    let alphabet = b"abAB01_-+/.=:\" \n\\%npasswdsecretkeytoken";
    for round in 0..60 {
        let bytes: Vec<u8> = (0..50 + round * 20).map(|_| alphabet[rng.below(alphabet.len())]).collect();
        assert_equal(&engines, &bytes);
    }
}
