//! `[[provider]]` blocks: how a leaked credential is checked and killed.
//!
//! Apart from the detection rules because their trust differs: a detection rule may come from
//! anywhere, a provider block decides where secrets are sent and is taken only from the built-in
//! set or from a file the operator named. Everything is data: no loops, no expressions. The text
//! is parsed into typed templates at load, so that a value can never leave its position (a path
//! segment, a header, a JSON string).
//!
//! Depends on nothing outside this directory, so that `build.rs` checks the built-in blocks with
//! the same code.

mod compile;
mod lint;
mod model;
mod schema;
mod template;

pub use lint::ProviderError;
pub use model::{
    Action, Auth, Base, BasicAuth, Batch, Binding, Body, Class, Condition, Expect, JwtBearer, Keep, KeepFrom,
    Limit, Method, OauthClient, Outcome, PartFrom, Provider, Request, Require, Revocation, SendClient,
    Signature, Signer, Split, Step, Take, TakeFrom, Word,
};
pub use schema::{ProviderDef, ProviderFile};
pub use template::{JsonTemplate, Origin, Piece, Template, UrlTemplate, Variable};

/// Most requests one action may take.
pub const MAX_STEPS: usize = 4;

/// Reads a file that holds only `[[provider]]` blocks (`schema = 1`).
///
/// # Errors
///
/// All problems found in it: text that is not TOML, unknown keys, and everything the lint refuses.
pub fn parse_file(text: &str) -> Result<Vec<Provider>, Vec<ProviderError>> {
    let file: ProviderFile =
        toml::from_str(text).map_err(|error| vec![ProviderError::file(&error.to_string())])?;
    if file.schema != 1 {
        return Err(vec![ProviderError::file(&format!(
            "schema {} is not known; this build reads 1",
            file.schema
        ))]);
    }
    collect(file.provider.iter().map(|table| from_table(table.get_ref())))
}

/// Reads one `[[provider]]` table.
///
/// # Errors
///
/// Unknown keys, and everything the lint refuses.
pub fn from_table(table: &toml::Table) -> Result<Provider, Vec<ProviderError>> {
    let id = table.get("id").and_then(toml::Value::as_str).unwrap_or("?").to_owned();
    let def: ProviderDef = table
        .clone()
        .try_into()
        .map_err(|error: toml::de::Error| vec![ProviderError::new(&id, "", error.message())])?;
    def.check()
}

fn collect(
    results: impl Iterator<Item = Result<Provider, Vec<ProviderError>>>,
) -> Result<Vec<Provider>, Vec<ProviderError>> {
    let (mut providers, mut errors) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(provider) => providers.push(provider),
            Err(mut found) => errors.append(&mut found),
        }
    }
    if errors.is_empty() { Ok(providers) } else { Err(errors) }
}

#[cfg(test)]
mod tests;
