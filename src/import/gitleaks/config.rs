//! A gitleaks configuration, with everything it extends.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::allowlist::{Allowlist, Target};
use super::error::ImportError;
use super::expression::Expression;
use super::ids;
use super::raw::{Page, Table};

/// Files that are looked for, the first that is there.
pub const NAMES: [&str; 2] = [".betterleaks.toml", ".gitleaks.toml"];

/// How far files may extend others.
const MAX_DEPTH: usize = 2;

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// Its description, or an empty text.
    pub description: String,
    /// Only in such paths; without an expression, the path itself is what is found.
    pub path: Option<Expression>,
    /// What is found.
    pub regex: Option<Expression>,
    /// The group that is the secret; 0 stands for the first that is not empty.
    pub group: usize,
    /// The secret needs more bits for each character than this; 0 stands for none.
    pub entropy: f64,
    /// In lower case; one of them must be in the content. Empty stands for none.
    pub keywords: Vec<String>,
    /// It only serves other rules.
    pub skip_report: bool,
    /// What does not count.
    pub allowlists: Vec<Allowlist>,
    /// What must stand near it.
    pub required: Vec<Required>,
    /// Where it stands, for people.
    pub place: String,
}

/// Another rule that must have found something, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    /// Its id.
    pub id: String,
    /// At most so many lines away.
    pub lines: Option<usize>,
    /// At most so many columns away.
    pub columns: Option<usize>,
}

/// Something in a file that does not do what its writer may think.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The file.
    pub file: PathBuf,
    /// 1-based line.
    pub line: usize,
    /// What.
    pub text: String,
}

/// A configuration that is ready to be used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The file.
    pub file: PathBuf,
    /// Its own rules, and those of files it extends.
    pub rules: Vec<Rule>,
    /// Allowlists for everything.
    pub allowlists: Vec<Allowlist>,
    /// Allowlists for built-in rules of keycull, by the rule's id.
    pub builtin_allowlists: Vec<(String, Allowlist)>,
    /// It builds on the rules of the tool.
    pub use_default: bool,
    /// Ids of built-in rules of keycull that do not run: switched off, or replaced by a rule of its own.
    pub builtin_off: BTreeSet<String>,
    /// What does not do what its writer may think.
    pub warnings: Vec<Warning>,
    /// The texts it was read from.
    pub texts: Vec<String>,
}

/// Whether `text` is a configuration of gitleaks, not of keycull.
#[must_use]
pub fn is_gitleaks(text: &str) -> bool {
    let Ok(root) = DeTable::parse(text) else { return false };
    root.get_ref().iter().any(|(name, value)| match name.get_ref().to_ascii_lowercase().as_str() {
        "rules" => matches!(value.get_ref(), DeValue::Array(_)),
        "allowlist" | "allowlists" | "title" | "minversion" => true,
        "extend" => value.get_ref().is_table(),
        _ => false,
    })
}

impl Config {
    /// Parses `text`, the content of `file`; `load` reads the files it extends, which stay below its
    /// directory.
    ///
    /// # Errors
    /// What gitleaks refuses as well, and a file to extend that is elsewhere or not there.
    pub fn parse(
        text: &str,
        file: &Path,
        load: &dyn Fn(&Path) -> Result<String, String>,
    ) -> Result<Self, ImportError> {
        let mut config = part(text, file, load, 0)?;
        config.finish(file)?;
        Ok(config)
    }

    /// What can only be checked once everything is joined.
    fn finish(&mut self, file: &Path) -> Result<(), ImportError> {
        let invalid = |what: String| ImportError::Invalid { file: file.to_owned(), line: 1, what };
        let mut own = Vec::new();
        for rule in std::mem::take(&mut self.rules) {
            let builtin = if self.use_default { ids::counterparts(&rule.id) } else { &[] };
            if rule.regex.is_none() && rule.path.is_none() {
                if !self.use_default || !ids::known(&rule.id) {
                    return Err(invalid(format!("rule `{}` has neither `regex` nor `path`", rule.id)));
                }
                // It only adds to a rule of the tool: its allowlists hold for what stands in for it.
                for id in builtin {
                    let lists = rule.allowlists.iter().cloned();
                    self.builtin_allowlists.extend(lists.map(|list| ((*id).to_owned(), list)));
                }
                continue;
            }
            self.builtin_off.extend(builtin.iter().map(|id| (*id).to_owned()));
            if let Some(regex) = &rule.regex
                && rule.group > regex.groups()
            {
                return Err(invalid(format!(
                    "rule `{}`: `secretGroup` is {}, but its expression has {} groups",
                    rule.id,
                    rule.group,
                    regex.groups()
                )));
            }
            own.push(rule);
        }
        for rule in &own {
            for other in &rule.required {
                if !own.iter().any(|rule| rule.id == other.id) {
                    return Err(invalid(format!(
                        "rule `{}` requires `{}`, which is not here",
                        rule.id, other.id
                    )));
                }
            }
        }
        self.rules = own;
        Ok(())
    }

    /// Puts `base`, which `self` extends, below it.
    fn over(&mut self, base: Config, disabled: &[String]) {
        self.warnings.extend(base.warnings);
        self.texts.extend(base.texts);
        self.use_default |= base.use_default;
        self.builtin_off.extend(base.builtin_off);
        self.builtin_allowlists.extend(base.builtin_allowlists);
        for old in base.rules.into_iter().filter(|rule| !disabled.contains(&rule.id)) {
            match self.rules.iter_mut().find(|rule| rule.id == old.id) {
                None => self.rules.push(old),
                Some(rule) => {
                    if rule.description.is_empty() {
                        rule.description = old.description;
                    }
                    if rule.entropy == 0.0 {
                        rule.entropy = old.entropy;
                    }
                    if rule.group == 0 {
                        rule.group = old.group;
                    }
                    rule.regex = rule.regex.take().or(old.regex);
                    rule.path = rule.path.take().or(old.path);
                    rule.keywords.extend(old.keywords);
                    rule.allowlists.extend(old.allowlists);
                    // What the base requires holds; of the file above only the keys named above do.
                    rule.required = old.required;
                    rule.skip_report = old.skip_report;
                }
            }
        }
        self.allowlists.extend(base.allowlists);
    }
}

/// One file with what it extends, not yet checked as a whole.
fn part(
    text: &str,
    file: &Path,
    load: &dyn Fn(&Path) -> Result<String, String>,
    depth: usize,
) -> Result<Config, ImportError> {
    let page = Page { text, file };
    let parsed = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        page.error(at, format!("not valid TOML: {}", error.message().lines().collect::<Vec<_>>().join("; ")))
    })?;
    let root = page.root(parsed.get_ref());
    let mut config = Config { file: file.to_owned(), texts: vec![text.to_owned()], ..Config::default() };
    root.strangers(
        &["title", "description", "extend", "rules", "allowlist", "allowlists", "minVersion"],
        &mut config.warnings,
    );
    for table in root.tables("rules")? {
        let rule = rule(&table, &page, &mut config.warnings)?;
        match config.rules.iter_mut().find(|old| old.id == rule.id) {
            // The last of the same name is the one that counts.
            Some(old) => *old = rule,
            None => config.rules.push(rule),
        }
    }
    let mut targeted: Vec<(String, Allowlist, usize)> = Vec::new();
    let mut lists = root.tables("allowlists")?;
    if let Some(single) = root.table("allowlist")? {
        if !lists.is_empty() {
            return Err(single.error("[allowlist] cannot stand beside [[allowlists]]"));
        }
        lists.push(single);
    }
    for table in lists {
        let list = allowlist(&table, &page, &["targetRules"], &mut config.warnings)?;
        let targets = table.list("targetRules")?;
        if targets.is_empty() {
            config.allowlists.push(list);
        } else if depth > 0 {
            // As gitleaks 8.30.1: only the file that is named itself can speak of single rules.
            let text =
                "an allowlist with `targetRules` does nothing in a file that another one extends".to_owned();
            config.warnings.push(Warning { file: file.to_owned(), line: table.line(), text });
        } else {
            targeted.extend(targets.into_iter().map(|id| (id, list.clone(), table.line())));
        }
    }
    if let Some(extend) = root.table("extend")? {
        extended(&mut config, &extend, &page, load, depth)?;
    }
    for (id, list, line) in targeted {
        let rule = config.rules.iter_mut().find(|rule| rule.id == id);
        if let Some(rule) = rule {
            rule.allowlists.push(list);
        } else if config.use_default && ids::known(&id) {
            let builtin = ids::counterparts(&id).iter();
            config.builtin_allowlists.extend(builtin.map(|id| ((*id).to_owned(), list.clone())));
        } else {
            let what = format!("`targetRules` names `{id}`, which is not here");
            return Err(ImportError::Invalid { file: file.to_owned(), line, what });
        }
    }
    Ok(config)
}

fn extended(
    config: &mut Config,
    extend: &Table<'_>,
    page: &Page<'_>,
    load: &dyn Fn(&Path) -> Result<String, String>,
    depth: usize,
) -> Result<(), ImportError> {
    extend.strangers(&["path", "url", "useDefault", "disabledRules"], &mut config.warnings);
    let (path, disabled) = (extend.text("path")?, extend.list("disabledRules")?);
    if !extend.text("url")?.is_empty() {
        return Err(
            extend.error("`extend.url` is refused: nothing that is scanned can make keycull use the network")
        );
    }
    let use_default = extend.flag("useDefault")?;
    if use_default && !path.is_empty() {
        return Err(extend.error("`extend.path` cannot stand beside `extend.useDefault`"));
    }
    if use_default {
        config.use_default = true;
        for id in &disabled {
            if !ids::known(id) {
                config.warnings.push(Warning {
                    file: page.file.to_owned(),
                    line: extend.line(),
                    text: format!(
                        "`disabledRules` names `{id}`, which is no default rule of gitleaks 8.30.1"
                    ),
                });
            }
            config.builtin_off.extend(ids::counterparts(id).iter().map(|id| (*id).to_owned()));
        }
    } else if !path.is_empty() {
        if depth >= MAX_DEPTH {
            return Err(extend.error(format!("files extend each other more than {MAX_DEPTH} times")));
        }
        let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        if !Path::new(&path).components().all(inside) {
            return Err(extend.error(format!("`extend.path`: `{path}` must be a relative path without `..`")));
        }
        let base = page.file.parent().unwrap_or(Path::new("")).join(&path);
        let text = load(&base).map_err(|why| ImportError::Read { file: base.clone(), why })?;
        let base = part(&text, &base, load, depth + 1)?;
        config.over(base, &disabled);
    }
    Ok(())
}

const ALLOWLIST_KEYS: [&str; 7] =
    ["description", "condition", "commits", "paths", "regexTarget", "regexes", "stopwords"];

fn rule(table: &Table<'_>, page: &Page<'_>, warnings: &mut Vec<Warning>) -> Result<Rule, ImportError> {
    table.strangers(
        &[
            "id",
            "description",
            "path",
            "regex",
            "secretGroup",
            "entropy",
            "keywords",
            "tags",
            "allowlist",
            "allowlists",
            "required",
            "skipReport",
        ],
        warnings,
    );
    let id = table.text("id")?;
    if id.trim().is_empty() {
        return Err(table.error("a rule has no `id`"));
    }
    let expression = |key| -> Result<Option<Expression>, ImportError> {
        let text = table.text(key)?;
        if text.is_empty() {
            return Ok(None);
        }
        Expression::new(&text)
            .map(Some)
            .map_err(|why| table.error(format!("rule `{id}`: `{key}` is no valid expression: {why}")))
    };
    let mut lists = table.tables("allowlists")?;
    if let Some(single) = table.table("allowlist")? {
        if !lists.is_empty() {
            return Err(single
                .error(format!("rule `{id}`: [rules.allowlist] cannot stand beside [[rules.allowlists]]")));
        }
        lists.push(single);
    }
    let required = table.tables("required")?;
    Ok(Rule {
        description: table.text("description")?,
        path: expression("path")?,
        regex: expression("regex")?,
        group: table.number("secretGroup")?.unwrap_or(0),
        entropy: table.number("entropy")?.unwrap_or(0.0),
        keywords: table.list("keywords")?.iter().map(|word| word.to_lowercase()).collect(),
        skip_report: table.flag("skipReport")?,
        allowlists: lists
            .iter()
            .map(|list| allowlist(list, page, &[], warnings))
            .collect::<Result<_, _>>()?,
        required: required
            .iter()
            .map(|other| {
                Ok(Required {
                    id: other.text("id")?,
                    lines: other.number("withinLines")?,
                    columns: other.number("withinColumns")?,
                })
            })
            .collect::<Result<_, ImportError>>()?,
        place: place(page, table),
        id,
    })
}

fn place(page: &Page<'_>, table: &Table<'_>) -> String {
    let name = page.file.file_name().unwrap_or(page.file.as_os_str());
    format!("{}:{}", name.display(), table.line())
}

fn allowlist(
    table: &Table<'_>,
    page: &Page<'_>,
    more: &[&'static str],
    warnings: &mut Vec<Warning>,
) -> Result<Allowlist, ImportError> {
    let known: Vec<&str> = ALLOWLIST_KEYS.iter().chain(more).copied().collect();
    table.strangers(&known, warnings);
    let condition = table.text("condition")?;
    let all = match condition.to_ascii_uppercase().as_str() {
        "AND" | "&&" => true,
        "" | "OR" | "||" => false,
        _ => return Err(table.error(format!("`condition`: `{condition}` is neither AND nor OR"))),
    };
    let target = match table.text("regexTarget")?.as_str() {
        "" | "secret" => Target::Secret,
        "match" => Target::Match,
        "line" => Target::Line,
        other => return Err(table.error(format!("`regexTarget`: `{other}` is not secret, match or line"))),
    };
    let any = |key| -> Result<Option<Expression>, ImportError> {
        let list = table.list(key)?;
        if list.is_empty() {
            return Ok(None);
        }
        let joined = Expression::any(list.iter().map(String::as_str));
        joined.map(Some).map_err(|why| table.error(format!("`{key}`: {why}")))
    };
    let list = Allowlist {
        place: place(page, table),
        description: table.text("description")?,
        all,
        commits: table.list("commits")?.iter().map(|commit| commit.trim().to_ascii_lowercase()).collect(),
        paths: any("paths")?,
        regexes: any("regexes")?,
        target,
        stopwords: table.list("stopwords")?.iter().map(|word| word.to_lowercase()).collect(),
    };
    if list.is_empty() {
        return Err(table.error("an allowlist needs commits, paths, regexes or stopwords"));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let load = |path: &Path| match path.to_str() {
            Some("base.toml") => {
                Ok("[[rules]]\nid = 'a'\nregex = 'base'\nkeywords = ['K2']\ndescription = 'd'\n\
                                     [[rules]]\nid = 'b'\nregex = 'b'\n[allowlist]\npaths = ['p']\n"
                    .to_owned())
            }
            _ => Err("not there".to_owned()),
        };
        Config::parse(text, Path::new(".gitleaks.toml"), &load).map_err(|error| error.to_string())
    }

    #[test]
    fn keys_are_read_in_any_case_and_loosely_typed() {
        let config = read(
            "Title = 'x'\n[[rules]]\nID = 'a'\nRegex = '(x)(y)'\nsecretgroup = '2'\nentropy = '3.5'\nkeywords = 'A,b'\n",
        )
        .unwrap();
        let rule = &config.rules[0];
        assert_eq!((rule.group, rule.keywords.as_slice()), (2, ["a".to_owned(), "b".to_owned()].as_slice()));
        assert!((rule.entropy - 3.5).abs() < 1e-9 && config.warnings.is_empty());
    }

    #[test]
    fn overlooked_keys_are_told() {
        let config = read(
            "[[rules]]\nid = 'a'\nregex = 'x'\nfilter = 'y'\n[[rules.allowlists]]\nmatchCondition = 'AND'\npaths = ['p']\n",
        )
        .unwrap();
        let told: Vec<String> = config.warnings.iter().map(|w| format!("{}: {}", w.line, w.text)).collect();
        assert_eq!(
            told,
            [
                "4: unknown key `rules.filter` does nothing",
                "6: unknown key `allowlists.matchCondition` does nothing, did you mean `condition`?"
            ]
        );
    }

    #[test]
    fn extending_a_file_joins_as_gitleaks_does() {
        let text = "[extend]\npath = 'base.toml'\ndisabledRules = ['b']\n\
                    [[rules]]\nid = 'a'\nregex = 'mine'\nkeywords = ['k1']\n[[allowlists]]\nstopwords = ['S']\n";
        let config = read(text).unwrap();
        assert_eq!(config.rules.len(), 1);
        let rule = &config.rules[0];
        assert_eq!(rule.regex.as_ref().map(Expression::as_written), Some("mine"));
        assert_eq!((rule.description.as_str(), rule.keywords.join(" ")), ("d", "k1 k2".to_owned()));
        assert_eq!(config.allowlists.len(), 2);
        for (path, said) in
            [("../x.toml", "without `..`"), ("/etc/x", "without `..`"), ("no.toml", "not there")]
        {
            let error = read(&format!("[extend]\npath = '{path}'\n")).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        let base = "[[rules]]\nid = 'a'\nregex = 'x'\n\n[[allowlists]]\ntargetRules = ['a']\npaths = ['y']\n";
        let load = |_: &Path| Ok(base.to_owned());
        let config = Config::parse("[extend]\npath = 'base.toml'\n", Path::new("c.toml"), &load).unwrap();
        assert!(config.rules[0].allowlists.is_empty() && config.warnings[0].text.contains("`targetRules`"));
        assert_eq!(config.warnings[0].line, 5);
        assert!(read("[extend]\nurl = 'x'\n").unwrap_err().contains("refused"));
        assert!(read("[extend]\npath = 'base.toml'\nuseDefault = true\n").is_err());
    }

    #[test]
    fn default_rules_stand_for_those_of_keycull() {
        let text = "[extend]\nuseDefault = true\ndisabledRules = ['jwt', 'nobody']\n\
                    [[rules]]\nid = 'github-pat'\n[[rules.allowlists]]\nregexes = ['x']\n\
                    [[allowlists]]\ntargetRules = ['aws-access-token']\nstopwords = ['s']\n";
        let config = read(text).unwrap();
        assert!(config.use_default && config.rules.is_empty());
        assert!(ids::counterparts("jwt").iter().all(|id| config.builtin_off.contains(*id)));
        assert!(config.builtin_allowlists.iter().any(|(id, _)| id.starts_with("github-")));
        assert!(config.builtin_allowlists.iter().any(|(id, _)| id.starts_with("aws-")));
        assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    }

    #[test]
    fn mistakes_name_the_line() {
        for (text, said) in [
            ("[[rules]]\nregex = 'x'\n", ".gitleaks.toml:1: a rule has no `id`"),
            ("[[rules]]\nid = 'a'\n", "neither `regex` nor `path`"),
            (
                "\n[[rules]]\nid = 'a'\nregex = '('\n",
                ".gitleaks.toml:2: rule `a`: `regex` is no valid expression",
            ),
            ("[[rules]]\nid = 'a'\nregex = 'x'\nsecretGroup = 1\n", "has 0 groups"),
            ("[[rules]]\nid = 'a'\nregex = 'x'\n[[rules.required]]\nid = 'b'\n", "requires `b`"),
            ("[allowlist]\n", "needs commits, paths"),
            ("[allowlist]\npaths = ['x']\n[[allowlists]]\npaths = ['y']\n", "cannot stand beside"),
            ("[[allowlists]]\npaths = ['x']\ncondition = 'XOR'\n", "neither AND nor OR"),
            ("[[allowlists]]\nregexes = ['x']\nregexTarget = 'file'\n", "is not secret, match or line"),
            ("[[allowlists]]\npaths = ['x']\ntargetRules = ['q']\n", "names `q`"),
            ("rules = 3\n", "must be a list of tables"),
            ("[[rules]\n", "not valid TOML"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text}\n{error}");
        }
    }

    #[test]
    fn one_table_stands_for_a_list_of_it() {
        let config = read("[[rules]]\nid = 'a'\nregex = 'x'\n[rules.allowlists]\npaths = ['y']\n");
        assert_eq!(config.expect("gitleaks takes it").rules[0].allowlists.len(), 1);
    }

    #[test]
    fn files_are_told_apart_by_what_they_hold() {
        for text in
            ["title = 'x'", "[[rules]]\nid = 'a'", "[allowlist]\npaths = []", "[extend]\nuseDefault = true"]
        {
            assert!(is_gitleaks(text), "{text}");
        }
        for text in ["", "[rules]\nselect = []", "[[rule]]\nid = 'a'", "schema = 1", "not toml ["] {
            assert!(!is_gitleaks(text), "{text}");
        }
    }
}
