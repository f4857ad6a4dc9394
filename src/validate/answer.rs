//! What an answer says: conditions, evidence, taken values.

use serde_json::Value;
use zeroize::Zeroize as _;

use crate::finding::Secret;
use crate::net::Response;
use crate::rule::provider::{Condition, Expect, KeepFrom, Take, TakeFrom};

use super::values::{Values, whole};
use super::{oauth, render};

/// An answer, its body parsed once.
pub(super) struct Answer<'r> {
    response: &'r Response,
    json: Option<Value>,
}

impl<'r> Answer<'r> {
    pub(super) fn new(response: &'r Response) -> Self {
        Self { response, json: serde_json::from_slice(&response.body).ok() }
    }

    /// Whether all parts of `condition` hold.
    pub(super) fn meets(&self, condition: &Condition) -> bool {
        (condition.status.is_empty() || condition.status.contains(&self.response.status))
            && condition.json.iter().all(|(at, expect)| self.json_meets(at, expect))
            && condition.xml.iter().all(|(name, expect)| text_meets(self.xml(name).as_deref(), expect))
            && condition
                .header
                .iter()
                .all(|(name, expect)| text_meets(self.response.header(&name.to_ascii_lowercase()), expect))
    }

    fn json_meets(&self, at: &str, expect: &Expect) -> bool {
        let Some(value) = self.json.as_ref().and_then(|json| json.pointer(at)) else { return false };
        match expect {
            Expect::Any => !value.is_null(),
            Expect::OneOf(wanted) => wanted.iter().any(|wanted| scalar_equal(wanted, value)),
        }
    }

    /// A piece of evidence as texts; several for a list.
    pub(super) fn keep(&self, from: &KeepFrom) -> Vec<String> {
        match from {
            KeepFrom::Json(at) => match self.json.as_ref().and_then(|json| json.pointer(at)) {
                Some(Value::Array(items)) => items.iter().filter_map(scalar).collect(),
                Some(value) => scalar(value).into_iter().collect(),
                None => Vec::new(),
            },
            KeepFrom::Header(name) => self.response.header(name).map(str::to_owned).into_iter().collect(),
            KeepFrom::Xml(name) => self.xml(name).into_iter().collect(),
        }
    }

    /// The value a step takes, if it is there, alone, and has its shape.
    pub(super) fn take(&self, take: &Take, values: &Values) -> Result<Secret, String> {
        let value = match &take.from {
            TakeFrom::Json(at) => self.json.as_ref().and_then(|json| json.pointer(at)),
            TakeFrom::Find { list, filter, get } => self.find(list, filter, values)?.pointer(get),
        };
        let text = value.and_then(scalar).ok_or("the answer lacks the value the next request needs")?;
        let shape = whole(&take.pattern).map_err(|_| "the shape of the value is not a pattern")?;
        if !shape.is_match(text.as_bytes()) {
            return Err("the value in the answer has not the shape the next request needs".to_owned());
        }
        Ok(Secret::new(text))
    }

    /// The access token, if the answer holds one.
    pub(super) fn token(&self) -> Result<Secret, String> {
        oauth::token(self.json.as_ref().unwrap_or(&Value::Null))
    }

    /// The only element in which all of `filter` is equal: more than one is as bad as none.
    fn find(
        &self,
        list: &str,
        filter: &[(String, crate::rule::provider::Template)],
        values: &Values,
    ) -> Result<&Value, String> {
        let items = self.json.as_ref().and_then(|json| json.pointer(list)).and_then(Value::as_array);
        let items = items.ok_or("the answer is not the list that was asked for")?;
        let mut wanted = Vec::new();
        for (at, template) in filter {
            wanted.push((at, render::text(template, values).map_err(|error| error.to_string())?));
        }
        let equal = |item: &&Value| {
            wanted.iter().all(|(at, secret)| {
                item.pointer(at)
                    .and_then(Value::as_str)
                    .is_some_and(|text| text.as_bytes() == secret.expose())
            })
        };
        let mut matching = items.iter().filter(equal);
        match (matching.next(), matching.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err("this key is not in the list the provider gave".to_owned()),
            (Some(_), Some(_)) => Err("the list names this key more than once".to_owned()),
        }
    }

    /// Text of the first XML element `name`.
    fn xml(&self, name: &str) -> Option<String> {
        let body = std::str::from_utf8(&self.response.body).ok()?;
        let (_, rest) = body.split_once(&format!("<{name}>"))?;
        let (text, _) = rest.split_once(&format!("</{name}>"))?;
        (!text.contains('<')).then(|| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    }
}

impl Drop for Answer<'_> {
    /// Answers may hold credentials: a token, a list of keys.
    fn drop(&mut self) {
        if let Some(json) = &mut self.json {
            wipe(json);
        }
    }
}

/// Overwrites every string in `value`.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.iter_mut().for_each(|(_, member)| wipe(member)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn text_meets(text: Option<&str>, expect: &Expect) -> bool {
    match (text, expect) {
        (None, _) => false,
        (Some(_), Expect::Any) => true,
        (Some(text), Expect::OneOf(wanted)) => wanted.iter().any(|wanted| wanted.as_str() == Some(text)),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn scalar_equal(wanted: &toml::Value, value: &Value) -> bool {
    match value {
        Value::String(text) => wanted.as_str() == Some(text),
        Value::Bool(value) => wanted.as_bool() == Some(*value),
        Value::Number(number) => number.as_i64().is_some() && wanted.as_integer() == number.as_i64(),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}
