//! Changes of a domain's XML that nothing models: done to what is written, looked for in what is read.

use infra_api::target::XmlPatch;

use super::tree::{Child, Tree};

/// The way to an element, and to one of its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Path {
    steps: Vec<Step>,
    attribute: Option<String>,
}

/// One element on the way: its name, and what tells it from others of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    name: String,
    conditions: Vec<Condition>,
}

/// `[@type='pci']`, `[target/@dev='vda']`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    below: Vec<String>,
    attribute: Option<String>,
    value: String,
}

/// No description of a machine has a longer way.
const LONGEST: usize = 16;

/// What infra finds its machines by.
const OWN: [&str; 3] = ["name", "uuid", "metadata"];

impl Path {
    fn parse(text: Option<&str>) -> Result<Self, String> {
        let Some(text) = text else {
            return Ok(Self {
                steps: Vec::new(),
                attribute: None,
            });
        };
        let mut parts = split(text)?;
        let attribute = parts.pop_if(|last| last.starts_with('@'));
        let attribute = attribute.map(|name| named(&name[1..])).transpose()?;
        if parts.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} elements"));
        }
        let steps = parts.iter().map(|part| step(part));
        Ok(Self {
            steps: steps.collect::<Result<_, _>>()?,
            attribute,
        })
    }

    fn is_own(&self) -> Option<&str> {
        let first = self.steps.first()?;
        OWN.into_iter().find(|own| *own == first.name)
    }
}

/// By the slashes that stand in no brackets.
fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut parts, mut depth, mut quote) = (vec![String::new()], 0_u32, None);
    for c in text.chars() {
        match (c, quote) {
            ('/', None) if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            ('[', None) => depth += 1,
            (']', None) => depth = depth.saturating_sub(1),
            ('\'' | '"', None) if depth > 0 => quote = Some(c),
            (c, Some(end)) if c == end => quote = None,
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    match parts.iter().any(String::is_empty) {
        true => {
            Err("it begins below <domain> and has no empty part, as in `devices/rng`".to_owned())
        }
        false if depth > 0 || quote.is_some() => {
            Err("a bracket or a quote is not closed".to_owned())
        }
        false => Ok(parts),
    }
}

fn named(name: &str) -> Result<String, String> {
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
    let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    match name.starts_with(begins) && name.chars().all(goes_on) {
        true => Ok(name.to_owned()),
        false => Err(format!("`{name}` is no name of XML")),
    }
}

fn step(text: &str) -> Result<Step, String> {
    let (name, mut rest) = match text.find('[') {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut conditions = Vec::new();
    while let Some(inner) = rest.strip_prefix('[') {
        let (inner, after) = bracket(inner)?;
        conditions.push(condition(inner)?);
        rest = after;
    }
    match rest.is_empty() {
        true => Ok(Step {
            name: named(name)?,
            conditions,
        }),
        false => Err(format!("`{rest}` after a bracket")),
    }
}

/// What stands before the bracket that closes, and after it.
fn bracket(text: &str) -> Result<(&str, &str), String> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (']', None) => return Ok((&text[..at], &text[at + 1..])),
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(end)) if c == end => quote = None,
            _ => {}
        }
    }
    Err("a bracket is not closed".to_owned())
}

fn condition(text: &str) -> Result<Condition, String> {
    let wrong = || format!("`[{text}]` is not as in `[@type='pci']` or `[target/@dev='vda']`");
    let (what, value) = text.split_once('=').ok_or_else(wrong)?;
    let value = value.trim();
    let inner = ['\'', '"']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let value = inner.ok_or_else(wrong)?.to_owned();
    let mut below: Vec<&str> = what.trim().split('/').collect();
    let attribute = below.pop_if(|last| last.starts_with('@'));
    let attribute = attribute.map(|name| named(&name[1..])).transpose()?;
    if below.len() > LONGEST {
        return Err(wrong());
    }
    let below = below
        .into_iter()
        .map(named)
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Condition {
        below,
        attribute,
        value,
    })
}

impl Condition {
    fn holds(&self, element: &Tree) -> bool {
        fn any(element: &Tree, below: &[String], is: &dyn Fn(&Tree) -> bool) -> bool {
            match below {
                [] => is(element),
                [name, rest @ ..] => element
                    .elements()
                    .any(|child| child.name == *name && any(child, rest, is)),
            }
        }
        any(element, &self.below, &|found| match &self.attribute {
            Some(name) => found.attribute(name) == Some(&self.value),
            None => found.text() == self.value,
        })
    }
}

impl Step {
    fn is(&self, element: &Tree) -> bool {
        element.name == self.name && self.conditions.iter().all(|c| c.holds(element))
    }

    /// Such an element, new.
    fn made(&self) -> Result<Tree, String> {
        let mut made = Tree::new(&self.name);
        for Condition {
            below,
            attribute,
            value,
        } in &self.conditions
        {
            match (below.as_slice(), attribute) {
                ([], Some(name)) => made.attributes.push((name.clone(), value.clone())),
                _ => {
                    return Err(format!(
                        "no `{}` is like that, and it could not be made so",
                        self.name
                    ));
                }
            }
        }
        Ok(made)
    }
}

/// All elements at a path, to be changed.
fn every<'a>(tree: &'a mut Tree, steps: &[Step], found: &mut Vec<&'a mut Tree>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(tree);
        return;
    };
    for child in &mut tree.children {
        if let Child::Element(element) = child
            && step.is(element)
        {
            every(element, rest, found);
        }
    }
}

fn all<'a>(tree: &'a Tree, steps: &[Step]) -> Vec<&'a Tree> {
    match steps.split_first() {
        None => vec![tree],
        Some((step, rest)) => {
            let here = tree.elements().filter(|element| step.is(element));
            here.flat_map(|element| all(element, rest)).collect()
        }
    }
}

/// The one element at a path, made with all above it that is missing.
fn reached<'a>(tree: &'a mut Tree, steps: &[Step]) -> Result<&'a mut Tree, String> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(tree);
    };
    let mut places = tree
        .children
        .iter()
        .enumerate()
        .filter_map(|(place, child)| {
            matches!(child, Child::Element(element) if step.is(element)).then_some(place)
        });
    let place = match (places.next(), places.count()) {
        (Some(place), 0) => place,
        (Some(_), more) => {
            return Err(format!(
                "there are {} `{}`: say which, as in `{}[@type='…']`",
                more + 1,
                step.name,
                step.name
            ));
        }
        (None, _) => {
            tree.children.push(Child::Element(step.made()?));
            tree.children.len() - 1
        }
    };
    match &mut tree.children[place] {
        Child::Element(element) => reached(element, rest),
        Child::Text(_) => Err("it is a text".to_owned()),
    }
}

/// Does one patch to what is written, or says why it cannot be done.
pub(crate) fn apply(domain: &mut Tree, patch: &XmlPatch) -> Result<(), String> {
    let XmlPatch {
        at,
        set,
        add,
        remove,
    } = patch;
    let path = Path::parse(at.as_deref())?;
    if let Some(own) = path.is_own() {
        return Err(format!("`{own}` is what infra finds its machines by"));
    }
    match (set, add, remove) {
        (Some(value), None, false) => put(domain, &path, value),
        (None, Some(fragment), false) => append(domain, &path, fragment),
        (None, None, true) => take(domain, &path),
        _ => Err("one of `set`, `add` and `remove` is written".to_owned()),
    }
}

fn put(domain: &mut Tree, path: &Path, value: &str) -> Result<(), String> {
    if path.steps.is_empty() && path.attribute.is_none() {
        return Err("<domain> has no text: write `at`".to_owned());
    }
    let element = reached(domain, &path.steps)?;
    match &path.attribute {
        Some(name) => {
            element.attributes.retain(|(other, _)| other != name);
            element.attributes.push((name.clone(), value.to_owned()));
        }
        None if element.elements().next().is_some() => {
            return Err(format!("<{}> has elements, and so no text", element.name));
        }
        None => element.children = vec![Child::Text(value.to_owned())],
    }
    Ok(())
}

fn append(domain: &mut Tree, path: &Path, fragment: &str) -> Result<(), String> {
    if path.attribute.is_some() {
        return Err("an attribute takes no element: `set` it".to_owned());
    }
    let fragment = Tree::fragment(fragment)?;
    if path.steps.is_empty() && OWN.contains(&fragment.name.as_str()) {
        return Err(format!(
            "`{}` is what infra finds its machines by",
            fragment.name
        ));
    }
    let element = reached(domain, &path.steps)?;
    element.children.push(Child::Element(fragment));
    Ok(())
}

fn take(domain: &mut Tree, path: &Path) -> Result<(), String> {
    let nothing = || "nothing infra writes is there".to_owned();
    if let Some(name) = &path.attribute {
        let mut found = Vec::new();
        every(domain, &path.steps, &mut found);
        let mut taken = false;
        for element in found {
            let before = element.attributes.len();
            element.attributes.retain(|(other, _)| other != name);
            taken |= element.attributes.len() < before;
        }
        return taken.then_some(()).ok_or_else(nothing);
    }
    let (last, above) = path
        .steps
        .split_last()
        .ok_or("<domain> itself cannot be removed")?;
    let mut found = Vec::new();
    every(domain, above, &mut found);
    let mut taken = false;
    for parent in found {
        let before = parent.children.len();
        let goes = |child: &Child| matches!(child, Child::Element(element) if last.is(element));
        parent.children.retain(|child| !goes(child));
        taken |= parent.children.len() < before;
    }
    taken.then_some(()).ok_or_else(nothing)
}

/// A patch as it is found in what libvirt hands out: itself where it holds. What it added is taken out of the tree: it
/// is nobody else's.
pub(crate) fn found(domain: &mut Tree, patch: &XmlPatch) -> XmlPatch {
    let XmlPatch {
        at,
        set,
        add,
        remove,
    } = patch;
    let none = XmlPatch {
        at: at.clone(),
        set: None,
        add: None,
        remove: false,
    };
    let Ok(path) = Path::parse(at.as_deref()) else {
        return none;
    };
    XmlPatch {
        set: set.as_ref().and_then(|set| value(domain, &path, set)),
        add: add
            .as_ref()
            .filter(|add| taken_out(domain, &path, add))
            .cloned(),
        remove: *remove && is_absent(domain, &path),
        ..none
    }
}

/// Libvirt keeps no blanks around a text.
fn value(domain: &Tree, path: &Path, wanted: &str) -> Option<String> {
    let element = all(domain, &path.steps).into_iter().next()?;
    match &path.attribute {
        Some(name) => element.attribute(name).map(str::to_owned),
        None if element.text() == wanted.trim() => Some(wanted.to_owned()),
        None => Some(element.text()),
    }
}

fn is_absent(domain: &Tree, path: &Path) -> bool {
    let elements = all(domain, &path.steps);
    match &path.attribute {
        Some(name) => elements
            .iter()
            .all(|element| element.attribute(name).is_none()),
        None => elements.is_empty(),
    }
}

fn taken_out(domain: &mut Tree, path: &Path, fragment: &str) -> bool {
    let Ok(fragment) = Tree::fragment(fragment) else {
        return false;
    };
    let mut parents = Vec::new();
    every(domain, &path.steps, &mut parents);
    for parent in parents {
        let is =
            |child: &Child| matches!(child, Child::Element(element) if fragment.is_in(element));
        if let Some(place) = parent.children.iter().position(is) {
            parent.children.remove(place);
            return true;
        }
    }
    false
}
