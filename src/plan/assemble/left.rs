//! What is left as it is found: attributes, or a whole body.

use serde_json::Value;

use crate::get;

/// Makes the wanted body equal to the found one at `path`. Items of lists are neither added nor removed.
pub(super) fn keep_found(wanted: &mut Value, found: Option<&Value>, path: &[String]) {
    let Some((key, rest)) = path.split_first() else {
        wanted.clone_from(found.unwrap_or(&Value::Null));
        return;
    };
    let found = found.and_then(|f| get(f, std::slice::from_ref(key)));
    match (wanted, found) {
        (Value::Object(members), _) => keep_member(members, key, found, rest),
        (Value::Array(items), Some(found)) => {
            let index = key.parse::<usize>().ok();
            match index.and_then(|i| items.get_mut(i)) {
                Some(item) if rest.is_empty() => item.clone_from(found),
                Some(item) => keep_found(item, Some(found), rest),
                None => {}
            }
        }
        _ => {}
    }
}

fn keep_member(
    members: &mut serde_json::Map<String, Value>,
    key: &str,
    found: Option<&Value>,
    rest: &[String],
) {
    let empty = || Value::Object(serde_json::Map::new());
    match found {
        Some(found) if rest.is_empty() => {
            members.insert(key.to_owned(), found.clone());
        }
        None if rest.is_empty() => {
            members.remove(key);
        }
        Some(found) if found.is_object() && get(found, rest).is_some() => {
            keep_found(members.entry(key).or_insert_with(empty), Some(found), rest);
        }
        _ => {
            let Some(inner) = members.get_mut(key) else {
                return;
            };
            keep_found(inner, found, rest);
            // An object of which nothing is left was not there.
            if found.is_none() && *inner == empty() {
                members.remove(key);
            }
        }
    }
}
