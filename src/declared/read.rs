//! Reading evaluated blocks into typed fields. The schema has checked the shapes; what is checked here is what
//! a shape cannot say. Every complaint stands at its place.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use infra_api::units::{Bytes, Duration};
use infra_api::{IdSet, Text};
use infra_diag::{Diagnostic, Diagnostics, Span};
use infra_expr::Value;
use infra_lang::{Block, Spanned};

/// A value and where it was written.
pub type At<T> = Spanned<T>;

/// What reading a declaration needs: a place for complaints, and what makes a secret's digest.
pub struct Reader<'a> {
    pub diagnostics: &'a mut Diagnostics,
    /// Keeps the secret for the apply and returns its digest.
    pub secret: &'a mut dyn FnMut(&str) -> String,
}

impl Reader<'_> {
    /// The value, if it is written and known. Unknown ones come with the next evaluation.
    fn known<'b>(&mut self, block: &'b Block, name: &str) -> Option<&'b Spanned<Value>> {
        let spanned = block.get(name)?;
        (!spanned.value.is_null() && !spanned.value.contains_unknown()).then_some(spanned)
    }

    /// Like `known`, for what is written in clear in plans and daemons: a secret is refused there.
    pub fn clear<'b>(&mut self, block: &'b Block, name: &str) -> Option<&'b Spanned<Value>> {
        let spanned = self.known(block, name)?;
        if spanned.value.contains_sensitive() {
            self.diagnostics.push(
                Diagnostic::error("Secret where none can be kept")
                    .at(spanned.span, format!("`{name}` is written in clear in plan and state, and this value is sensitive"))
                    .hint("pass it by `env`, `command`, `user_data` or `cmdline`, or unmark it with nonsensitive()"),
            );
            return None;
        }
        Some(spanned)
    }

    fn parsed<T>(
        &mut self,
        block: &Block,
        name: &str,
        parse: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<At<T>> {
        let spanned = self.clear(block, name)?;
        Some(Spanned {
            value: parse(&spanned.value)?,
            span: spanned.span,
        })
    }

    pub fn string(&mut self, block: &Block, name: &str) -> Option<At<String>> {
        self.parsed(block, name, |v| v.as_str().map(str::to_owned))
    }

    pub fn bool(&mut self, block: &Block, name: &str) -> Option<bool> {
        self.parsed(block, name, Value::as_bool).map(|b| b.value)
    }

    pub fn whole<T: TryFrom<i64>>(&mut self, block: &Block, name: &str) -> Option<At<T>> {
        self.parsed(block, name, |v| T::try_from(v.as_i64()?).ok())
    }

    pub fn bytes(&mut self, block: &Block, name: &str) -> Option<At<u64>> {
        self.parsed(block, name, |v| {
            v.as_str()?.parse::<Bytes>().ok().map(|b| b.0)
        })
    }

    pub fn nanoseconds(&mut self, block: &Block, name: &str) -> Option<u64> {
        let parse = |v: &Value| v.as_str()?.parse::<Duration>().ok().map(|d| d.0);
        self.parsed(block, name, parse).map(|d| d.value)
    }

    pub fn ids(&mut self, block: &Block, name: &str) -> Option<At<IdSet>> {
        self.parsed(block, name, |v| v.as_str()?.parse().ok())
    }

    pub fn ipv4(&mut self, block: &Block, name: &str) -> Option<At<Ipv4Addr>> {
        self.parsed(block, name, |v| v.as_str()?.parse().ok())
    }

    pub fn ipv6(&mut self, block: &Block, name: &str) -> Option<At<Ipv6Addr>> {
        self.parsed(block, name, |v| v.as_str()?.parse().ok())
    }

    pub fn strings(&mut self, block: &Block, name: &str) -> Option<Vec<String>> {
        let parse = |v: &Value| {
            v.as_list()?
                .iter()
                .map(|s| s.as_str().map(str::to_owned))
                .collect()
        };
        self.parsed(block, name, parse).map(|list| list.value)
    }

    pub fn string_map(&mut self, block: &Block, name: &str) -> BTreeMap<String, String> {
        let entry =
            |(k, v): (&std::sync::Arc<str>, &Value)| Some((k.to_string(), v.as_str()?.to_owned()));
        let parse = |v: &Value| v.as_object().map(|m| m.iter().filter_map(entry).collect());
        self.parsed(block, name, parse)
            .map(|m| m.value)
            .unwrap_or_default()
    }

    pub fn whole_map(&mut self, block: &Block, name: &str) -> BTreeMap<String, u64> {
        let entry = |(k, v): (&std::sync::Arc<str>, &Value)| {
            Some((k.to_string(), u64::try_from(v.as_i64()?).ok()?))
        };
        let parse = |v: &Value| v.as_object().map(|m| m.iter().filter_map(entry).collect());
        let map = self.parsed(block, name, parse);
        map.map(|m| m.value).unwrap_or_default()
    }

    /// A text that may be a secret.
    pub fn text(&mut self, block: &Block, name: &str) -> Option<Text> {
        let value = &self.known(block, name)?.value;
        self.maybe_secret(value)
    }

    pub fn texts(&mut self, block: &Block, name: &str) -> Option<Vec<Text>> {
        let value = &self.known(block, name)?.value;
        let whole = value.is_sensitive();
        let items = value.as_list()?;
        items
            .iter()
            .map(|item| {
                self.maybe_secret(&item.clone().with_sensitive(whole || item.is_sensitive()))
            })
            .collect()
    }

    pub fn text_map(&mut self, block: &Block, name: &str) -> BTreeMap<String, Text> {
        let Some(spanned) = self.known(block, name) else {
            return BTreeMap::new();
        };
        let whole = spanned.value.is_sensitive();
        let Some(members) = spanned.value.as_object() else {
            return BTreeMap::new();
        };
        let entry = |(key, value): (&std::sync::Arc<str>, &Value)| {
            let value = value.clone().with_sensitive(whole || value.is_sensitive());
            self.maybe_secret(&value)
                .map(|text| (key.to_string(), text))
        };
        members.iter().filter_map(entry).collect()
    }

    fn maybe_secret(&mut self, value: &Value) -> Option<Text> {
        let text = value.as_str()?;
        Some(if value.is_sensitive() {
            Text::Secret {
                digest: (self.secret)(text),
            }
        } else {
            Text::Plain(text.to_owned())
        })
    }

    /// Complains at a place.
    pub fn error(
        &mut self,
        summary: &str,
        span: Span,
        text: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.diagnostics
            .push(Diagnostic::error(summary).at(span, text).hint(hint));
    }
}
