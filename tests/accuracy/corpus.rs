//! The labelled corpus of `fixtures/corpus`, rendered: texts with the place of their secret, and
//! texts that only look like it.
//!
//! Nothing here knows a rule: values come from what providers document and from how people write
//! names and passwords, so that a rule cannot agree with itself.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use keycull::rule::example::{Rng, expand};
use serde::Deserialize;

/// What kind of evidence a positive needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A token with a prefix or structure of its own.
    Token,
    /// A value of a provider that its name tells.
    Assignment,
    /// A password, secret, token or key of nobody in particular.
    Generic,
}

/// One text of the corpus.
pub(super) struct Sample {
    pub(super) file: String,
    pub(super) text: String,
    /// Where the secret is; `None` in a look-alike.
    pub(super) secret: Option<Range<usize>>,
    pub(super) kind: Kind,
    /// Never looked at when rules were tuned.
    pub(super) held_out: bool,
}

#[derive(Deserialize)]
struct Forms {
    names: BTreeMap<String, Vec<String>>,
    values: BTreeMap<String, Vec<String>>,
    form: Vec<Text>,
}

#[derive(Deserialize)]
struct Text {
    file: String,
    text: String,
    #[serde(default)]
    held_out: bool,
}

#[derive(Deserialize)]
struct Tokens {
    carrier: Vec<Text>,
    token: Vec<Token>,
}

#[derive(Deserialize)]
struct Token {
    template: String,
    #[serde(default)]
    held_out: bool,
}

#[derive(Deserialize)]
struct Assignments {
    assignment: Vec<Assignment>,
}

#[derive(Deserialize)]
struct Assignment {
    name: String,
    value: String,
    #[serde(default)]
    held_out: bool,
}

#[derive(Deserialize)]
struct Lines {
    line: Vec<Text>,
}

/// Times each look-alike is rendered, with other digits each time.
const LOOK_ALIKE_SEEDS: usize = 30;
/// Samples of each form and class of names.
const FORM_SEEDS: usize = 6;

/// All positives.
pub(super) fn positives() -> Vec<Sample> {
    let mut out = Vec::new();
    tokens(&mut out);
    let forms: Forms = read("forms.toml");
    assignments(&forms, &mut out);
    generic(&forms, &mut out);
    out
}

/// All look-alikes.
pub(super) fn look_alikes() -> Vec<Sample> {
    let lines: Lines = read("look-alikes.toml");
    let mut out = Vec::new();
    for (line, seed) in lines.line.iter().flat_map(|line| (0..LOOK_ALIKE_SEEDS).map(move |s| (line, s))) {
        let text = fill(&line.text, &format!("{}{seed}", line.text)) + "\n";
        out.push(Sample {
            file: line.file.clone(),
            text,
            secret: None,
            kind: Kind::Generic,
            held_out: false,
        });
    }
    out
}

fn tokens(out: &mut Vec<Sample>) {
    let tokens: Tokens = read("tokens.toml");
    for token in &tokens.token {
        for carrier in &tokens.carrier {
            let value = fill(&token.template, &format!("{}{}", token.template, carrier.file));
            out.push(sample(carrier, &carrier.text.replace("{token}", &value), Kind::Token, token.held_out));
        }
    }
}

fn assignments(forms: &Forms, out: &mut Vec<Sample>) {
    let mut rng = Rng::seeded("assignments");
    for assignment in &assignments_read() {
        for n in 0..12 {
            let form = &forms.form[rng.below(forms.form.len())];
            let value = fill(&assignment.value, &format!("{}{n}", assignment.name));
            let text = named(&form.text, &assignment.name).replace("{value}", &value);
            out.push(sample(form, &text, Kind::Assignment, assignment.held_out || form.held_out));
        }
    }
}

fn assignments_read() -> Vec<Assignment> {
    read::<Assignments>("assignments.toml").assignment
}

fn generic(forms: &Forms, out: &mut Vec<Sample>) {
    for form in &forms.form {
        for (class, names) in &forms.names {
            let mut rng = Rng::seeded(&format!("{}{class}", form.text));
            for n in 0..FORM_SEEDS {
                let name = &names[rng.below(names.len())];
                let values = &forms.values[class];
                let template = &values[rng.below(values.len())];
                let value = fill(template, &format!("{}{name}{n}", form.text));
                let text = named(&form.text, name).replace("{value}", &value);
                out.push(sample(form, &text, Kind::Generic, form.held_out));
            }
        }
    }
}

fn sample(form: &Text, marked: &str, kind: Kind, held_out: bool) -> Sample {
    let start = marked.find('⟦').expect("a form marks its secret");
    let end = marked.find('⟧').expect("a form marks its secret") - '⟦'.len_utf8();
    let text = marked.replace(['⟦', '⟧'], "");
    Sample { file: form.file.clone(), text, secret: Some(start..end), kind, held_out }
}

fn fill(template: &str, seed: &str) -> String {
    let own = |_: &mut Rng| unreachable!("the corpus does not ask rules");
    expand(template, &own, &mut Rng::seeded(seed)).unwrap_or_else(|error| panic!("{template}: {error}"))
}

/// `form` with `name`, which is in snake case, in the styles it asks for.
fn named(form: &str, name: &str) -> String {
    let title = |word: &str| word[..1].to_uppercase() + &word[1..];
    let pascal: String = name.split('_').map(title).collect();
    let camel = name[..1].to_owned() + &pascal[1..];
    form.replace("{NAME}", &name.to_uppercase())
        .replace("{name}", name)
        .replace("{camel}", &camel)
        .replace("{Pascal}", &pascal)
        .replace("{kebab}", &name.replace('_', "-"))
        .replace("{dotted}", &name.replace('_', "."))
        .replace("{words}", &name.replace('_', " "))
}

fn read<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/corpus").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
